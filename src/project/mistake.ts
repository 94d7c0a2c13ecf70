import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export function isTypeScript(path: string): boolean {
  return /[.][cm]?tsx?$/.test(path);
}

/**
 * Where a file does not parse, and what is wrong there: neither the compiler nor an error of Node's says it. Undefined where nothing
 * is found.
 */
export function findMistake(path: string): string | undefined {
  return isTypeScript(path) ? askTypeScript(path) : askNode(path);
}

interface TypeScript {
  transpileModule(
    text: string,
    options: object,
  ): { readonly diagnostics?: readonly { readonly start?: number; readonly messageText: string | { readonly messageText: string } }[] };
}

/** The project's own TypeScript knows line and column. */
function askTypeScript(path: string): string | undefined {
  try {
    const typescript = createRequire(path)('typescript') as TypeScript;
    const text = readFileSync(path, 'utf8');
    const [first] = typescript.transpileModule(text, { reportDiagnostics: true, fileName: path }).diagnostics ?? [];
    if (first?.start === undefined) return undefined;
    const lines = text.slice(0, first.start).split('\n');
    const message = typeof first.messageText === 'string' ? first.messageText : first.messageText.messageText;
    return `${path}:${String(lines.length)}:${String((lines.at(-1) ?? '').length + 1)} does not parse: ${message}`;
  } catch {
    return undefined; // the project has no TypeScript of its own
  }
}

/** Node tells the line, of a program that it is to run. */
function askNode(path: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
  const line = /:(\d+)\n/.exec(stderr)?.[1];
  const message = /^SyntaxError: (.*)$/m.exec(stderr)?.[1];
  return line === undefined || message === undefined ? undefined : `${path}:${line} does not parse: ${message}`;
}
