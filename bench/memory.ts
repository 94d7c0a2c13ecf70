import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Line } from './measure.js';

/** Inputs of any length under a small heap: each in a process of its own. */
export function memory(): Line[] {
  return [
    bounded('10 M rows from a function through a processor to a function', 'through', 10_000_000),
    bounded('1 M rows from a file to the embedded store to a file', 'files', 1_000_000),
  ];
}

function bounded(what: string, script: string, count: number): Line {
  const path = fileURLToPath(new URL(`memory/${script}.js`, import.meta.url));
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--max-old-space-size=64', path, String(count)], { encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  const ended = status === 0 ? `ends (${(count / seconds / 1e6).toFixed(2)} M rows/s)` : `fails: ${stderr.trim().split('\n').at(-1) ?? ''}`;
  return { what, measured: ended, bar: 'ends under 64 MB', holds: status === 0 };
}
