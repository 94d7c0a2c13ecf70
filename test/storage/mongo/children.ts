import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
/** Beside the packages, so that what stays external is found. */
const folder = fileURLToPath(new URL('../../../node_modules/.cache/millrace-test/', import.meta.url));

export interface Program {
  /** Starts it with these words of its command line. */
  start(...words: readonly string[]): Child;
  remove(): Promise<void>;
}

export interface Child {
  readonly process: ChildProcess;
  /** Lets it begin. */
  go(): void;
  /** Resolves with the next line that begins so; rejects where the child ends before. */
  line(start: string): Promise<string>;
  /** Resolves with code or signal. */
  readonly ended: Promise<number | string>;
  readonly output: readonly string[];
}

/** A program of this folder, made into one file once, so that many processes of it start fast. */
export async function createProgram(name: string): Promise<Program> {
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, `${name}-${String(process.pid)}.mjs`);
  await build({
    entryPoints: [join(here, `${name}.ts`)],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
  return { start: (...words) => startChild(outfile, words), remove: () => rm(outfile, { force: true }) };
}

function startChild(path: string, words: readonly string[]): Child {
  const child = spawn(process.execPath, [path, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined); // it may have ended
  const output: string[] = [];
  const waiting: { readonly start: string; readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = [];
  const take = (line: string): void => {
    output.push(line);
    const at = waiting.findIndex(({ start }) => line.startsWith(start));
    if (at >= 0) waiting.splice(at, 1)[0]?.resolve(line);
  };
  createInterface({ input: child.stdout }).on('line', take);
  createInterface({ input: child.stderr }).on('line', (line) => output.push(line));
  const ended = once(child, 'close').then(([code, signal]) => {
    for (const { start, reject } of waiting) reject(new Error(`the child ended before '${start}':\n${output.slice(-20).join('\n')}`));
    return (code ?? signal) as number | string;
  });
  return {
    process: child,
    ended,
    output,
    go: () => void child.stdin.write('go\n'),
    line: (start) => new Promise((resolve, reject) => waiting.push({ start, resolve, reject })),
  };
}
