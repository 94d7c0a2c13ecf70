import { afterAll, beforeAll, expect, it } from 'vitest';

import type { RunRecord } from '../../../src/task/recorder.js';
import { createProgram, type Child, type Program } from './children.js';
import { describeMongo } from './server.js';

const inCi = (process.env['CI'] ?? '') !== '';
const processes = 8;
/** MILLRACE_PUBLISHES says otherwise. */
const publishes = Number(process.env['MILLRACE_PUBLISHES'] ?? (inCi ? 50 : 5));
const rows = 200;

describeMongo('Eight processes that publish one output', ({ fresh, url }) => {
  let program: Program;
  beforeAll(async () => {
    program = await createProgram('publisher');
  });
  afterAll(() => program.remove());

  it(
    `leave exactly one run's rows after each of ${String(publishes)} publishes of each, and records say whose were superseded`,
    async () => {
      await using store = fresh();
      const own = new URL(store.url).pathname.slice(1);
      await using children = Object.assign(
        Array.from({ length: processes }, (_, at) => program.start(url, own, `p${String(at)}`, String(publishes), String(rows), 'one')),
        {
          async [Symbol.asyncDispose](this: readonly Child[]) {
            for (const child of this) child.process.kill('SIGKILL'); // where it has failed: a second attempt is not to meet them
            await Promise.all(this.map(({ ended }) => ended));
          },
        },
      );
      await Promise.all(children.map((child) => child.line('ready')));
      let running = children.length;
      for (const child of children) {
        child.go();
        void child.ended.then(() => running--);
      }
      const seen = new Set<string>();
      let looks = 0;
      while (running > 0) {
        const found = await store.find<{ k: number; run: string }>('replaced', { sort: { k: 1 } }).toArray();
        looks++;
        if (found.length === 0 && seen.size === 0) continue; // before the first publish
        expect(found.map(({ k }) => k)).toEqual(Array.from({ length: rows }, (_, k) => k));
        const runs = new Set(found.map(({ run }) => run));
        expect(runs.size).toBe(1);
        for (const run of runs) seen.add(run);
      }
      for (const child of children) expect([await child.ended, child.output.filter((line) => line.startsWith('failed'))]).toEqual([0, []]);
      const published = children.flatMap(({ output }) => output.filter((line) => line.startsWith('published')));
      expect(published).toHaveLength(processes * publishes);

      const [last] = await store.find<{ run: string }>('replaced', { limit: 1 }).toArray();
      const records = await store.find<RunRecord>('_millrace_runs').toArray();
      expect(records).toHaveLength(processes * publishes);
      const winner = published.find((line) => line.split(' ')[1] === last?.run)?.split(' ')[2];
      const superseded = records.filter((record) => record.superseded !== undefined);
      expect(superseded.map(({ _id }) => _id)).not.toContain(winner);
      const ids = new Set(records.map(({ _id }) => _id));
      for (const { superseded: by = [] } of superseded)
        for (const one of by) expect([one.collection, ids.has(one.by)]).toEqual(['replaced', true]);
      expect(superseded.length).toBeGreaterThan(records.length / 4); // they hardly ever publish alone
      console.log(
        `${String(looks)} looks saw ${String(seen.size)} runs; ${String(superseded.length)} of ${String(records.length)} were superseded`,
      );
    },
    60_000 + processes * publishes * 3000, // loaded machines take half a second for each
  );
});
