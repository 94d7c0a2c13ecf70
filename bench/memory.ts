import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Line } from './measure.js';

/** Rows on MongoDB: 5,000,000 are what is to hold, and take minutes. */
const onMongo = Number(process.env['MILLRACE_MEMORY_ROWS'] ?? 500_000);

/** Inputs of any length under a small heap: each in a process of its own. */
export function memory(): Line[] {
  const lines = [
    bounded('10 M rows from a function through a processor to a function', 'through', 10_000_000, 64),
    bounded('1 M rows from a file to the embedded store to a file', 'files', 1_000_000, 64),
    bounded('10 M rows through ten linked processors', 'linked', 10_000_000, 64, 1e6),
    bounded('  the fifth of which has two readers, one of them slow', 'readers', 10_000_000, 64, 1e6),
  ];
  if ((process.env['MONGODB_URI'] ?? '') === '') {
    process.stderr.write('memory: rows on MongoDB SKIPPED, MONGODB_URI is not set (.ci/mongodb start brings a server up)\n');
    return lines;
  }
  const many = `${String(onMongo / 1e6)} M rows written to MongoDB, then read, processed and written`;
  return [...lines, bounded(many, 'mongo', onMongo, 96)];
}

/** @param least - rows a second that it must do. */
function bounded(what: string, script: string, count: number, megabytes: number, least = 0): Line {
  const path = fileURLToPath(new URL(`memory/${script}.js`, import.meta.url));
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [`--max-old-space-size=${String(megabytes)}`, path, String(count)], {
    encoding: 'utf8',
  });
  const seconds = (performance.now() - start) / 1000;
  const rate = count / seconds;
  const ended = status === 0 ? `ends (${(rate / 1e6).toFixed(2)} M rows/s)` : `fails: ${stderr.trim().split('\n').at(-1) ?? ''}`;
  const bar = `ends under ${String(megabytes)} MB${least === 0 ? '' : `, ≥ ${String(least / 1e6)} M rows/s`}`;
  return { what, measured: ended, bar, holds: status === 0 && rate >= least };
}
