import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeValue, MillraceError, toError } from '../errors.js';
import { findUserFrame } from '../metadata/call-site.js';
import { compileTypeScript } from './compile.js';
import { findMistake, isTypeScript } from './mistake.js';

/**
 * The exports of a user's module, in JavaScript or TypeScript.
 *
 * @throws MillraceError `CONFIG_INVALID` that says in a sentence what is wrong and where; an error of Millrace's own as it is.
 */
export async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    if (isTypeScript(path) || importsTypeScript(path)) await compileTypeScript(dirname(path));
    return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw explainFailure(path, error);
  }
}

/** Whether a module in JavaScript names one in TypeScript: what imports it must be ready before anything is loaded. */
function importsTypeScript(path: string): boolean {
  return existsSync(path) && /['"][^'"\n]+[.][cm]?tsx?['"]/.test(readFileSync(path, 'utf8'));
}

/** What a config file threw, in a sentence that says where and what to do. */
function explainFailure(path: string, thrown: unknown): MillraceError {
  const error = toError(thrown);
  const { code, faults } = error as { readonly code?: unknown; readonly faults?: unknown };
  // An error of Millrace's own says all there is to say; it may come from the project's copy of the package.
  if (typeof code === 'string' && (Array.isArray(faults) || 'where' in error)) return error as MillraceError;
  const refused = refusedFile(error);
  if (refused !== undefined) {
    const why = error.message.replace(/^Failed to \w+ .+?: /, '');
    return invalid(findMistake(refused) ?? `${refused} does not parse: ${why}`, thrown);
  }
  const mistake = error instanceof SyntaxError && !isTypeScript(path) ? findMistake(path) : undefined;
  if (mistake !== undefined) return invalid(mistake, thrown);
  return invalid(`${path} cannot be loaded: ${describeThrown(thrown)}`, thrown, placeIn(dirname(path), error));
}

function describeThrown(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `it threw ${describeValue(thrown)}, which is not an Error`;
  const { code, name, message } = thrown as NodeJS.ErrnoException;
  const missing = /^Cannot find package '((?:@[^/']+\/)?[^/']+)/.exec(message)?.[1];
  if (missing !== undefined) return `${message}. Install it: npm install ${missing}`;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /"[.][cm]?tsx?"/.test(message)) {
    return 'its TypeScript cannot be compiled: its tsconfig.json, or what that extends, cannot be read';
  }
  if (/^ERR_(?:MODULE|UNSUPPORTED|PACKAGE|UNKNOWN_FILE)/.test(String(code)) || / does not provide an export /.test(message)) return message;
  return `it threw ${name === 'Error' ? '' : `${name}: `}${message}`;
}

/** Where the project's own code threw, if it was that. */
function placeIn(folder: string, { stack }: Error): readonly string[] {
  const place = findUserFrame(stack);
  const path = resolve(place);
  return path.startsWith(join(folder, sep)) && !path.includes(`${sep}node_modules${sep}`) ? [place] : [];
}

function invalid(message: string, cause: unknown, where: readonly string[] = []): MillraceError {
  return new MillraceError('CONFIG_INVALID', message, { cause, where });
}

/** The file that the compiler refused: it names it in its message. */
function refusedFile(error: Error): string | undefined {
  const url = /^Failed to (?:parse|transform) (?:file:\/\/)?(.+?): /.exec(error.message)?.[1];
  return url === undefined ? undefined : decodeURI(url);
}
