import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { embeddedStore } from '../../../src/storage/open.js';
import { temporaryFolder } from '../temporary.js';
import { runChild } from './fixture/run-child.js';
import { ownRecords } from './records.js';

const kills = Number(process.env['MILLRACE_KILLS'] ?? (process.env['CI'] === undefined ? 15 : 40));

describe('a process that is killed while it publishes', () => {
  it(`leaves whole outputs of one run, and nothing else (${kills} times)`, { timeout: 10_000 + kills * 5000 }, async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'files'));
    let run = 0;
    for (let kill = 0; kill < kills; kill++) {
      const child = await runChild(['publish', folder, String(run + 1)]);
      await child.line();
      const began = performance.now();
      await child.line(); // the first run is published: how long it took tells when the second will be under way
      await sleep(Math.random() * (performance.now() - began));
      child.process.kill('SIGKILL');
      expect(await child.ended).toBe('SIGKILL');
      run = await checkOutputs(folder, run);
    }
    expect(run).toBeGreaterThanOrEqual(kills);
  });
});

/** Answers which run the outputs are of. */
async function checkOutputs(folder: string, before: number): Promise<number> {
  const path = join(folder, 'data');
  await using store = embeddedStore({ path });
  const runsOf = async (name: string): Promise<number[]> =>
    (await store.aggregate(name, [{ $group: { _id: '$run' } }, { $sort: { _id: 1 } }]).toArray()).map(({ _id }) => _id as number);
  const replaced = await runsOf('replaced');
  if (replaced.length === 0) {
    expect(before).toBe(0);
    expect(await store.collections()).toEqual([]);
  }
  const run = replaced[0] ?? 0;
  expect(replaced).toEqual(run === 0 ? [] : [run]);
  expect(run).toBeGreaterThanOrEqual(before);
  expect(await store.count('replaced')).toBe(run === 0 ? 0 : 1200);
  expect(await runsOf('upserted')).toEqual(replaced);
  expect(await store.count('upserted')).toBe(run === 0 ? 0 : 1200);
  expect(await store.aggregate('appended', [{ $group: { _id: '$run', rows: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray()).toEqual(
    Array.from({ length: run }, (_, at) => ({ _id: at + 1, rows: 20 })),
  );
  expect(readdirSync(join(folder, 'files'))).toEqual(run === 0 ? [] : ['out']);
  if (existsSync(join(folder, 'files', 'out'))) expect(readFileSync(join(folder, 'files', 'out'), 'utf8')).toBe(String(run));
  expect(await ownRecords(path)).toEqual({ stages: [], commits: [] });
  return run;
}
