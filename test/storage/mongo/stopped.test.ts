import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Store } from '../../../src/storage/store.js';
import { createProgram, type Child, type Program } from './children.js';
import { describeMongo } from './server.js';

const inCi = (process.env['CI'] ?? '') !== '';
/** MILLRACE_STOPS says otherwise. */
const stops = Number(process.env['MILLRACE_STOPS'] ?? (inCi ? 10 : 6));
const rows = 300;
/** Milliseconds. */
const lease = 500;

describeMongo('A process that is stopped longer than its lease while it publishes to MongoDB', ({ open, db, url, database }) => {
  let program: Program;
  beforeAll(async () => {
    program = await createProgram('publisher');
  });
  afterAll(() => program.remove());

  it(
    `changes nothing of what others have published meanwhile, at ${String(stops)} random instants`,
    async () => {
      const child = program.start(url, database, 'child', '100000', String(rows), 'two', String(lease));
      const ended: Record<string, number> = {};
      try {
        await child.line('ready');
        const first = child.line('published');
        child.go();
        await first;
        for (let at = 0; at < stops; at++) {
          await sleep(Math.random() * 400);
          const how = await stopAndGo(child, `other-${String(at)}`);
          ended[how] = (ended[how] ?? 0) + 1;
        }
      } finally {
        child.process.kill('SIGKILL');
        await child.ended;
      }
      console.log(`what became of the run that was stopped: ${JSON.stringify(ended)}`);
      await using store = open({ lease });
      await store.collections();
      expect(await left()).toEqual([]);
    },
    60_000 + stops * 10_000,
  );

  async function stopAndGo(child: Child, other: string): Promise<string> {
    child.process.kill('SIGSTOP');
    await sleep(50); // what it wrote arrives
    const stopped = `child-${String(outcomes(child).length)}`;
    const [record] = await db.collection('_millrace_stages').find().toArray();
    for (const until = performance.now() + 10_000; performance.now() < until && (await left()).length > 0; await sleep(100)) {
      await using next = open({ lease });
      await next.collections(); // recovers, when the lease has run out
    }
    expect(await left()).toEqual([]);
    await using store = open({ lease });
    await publish(store, other);
    expect(await runOf(store)).toBe(other);
    const before = outcomes(child).length;
    child.process.kill('SIGCONT');
    while (outcomes(child).length < before + 2) await sleep(5); // the one that was stopped, and one more
    const [line = ''] = outcomes(child).slice(before);
    const [outcome = ''] = line.split(' ');
    if (record === undefined) return 'stopped between runs';
    const state = record['state'] as string;
    expect([state, outcome, line]).toEqual([state, state === 'committed' ? 'published' : 'failed', expect.stringContaining(stopped)]);
    if (outcome === 'failed') expect(line).toMatch(/Nothing was published; run again/);
    const holds = await runOf(store);
    expect(holds).toMatch(/^child-/);
    expect(Number(holds.split('-')[1])).toBeGreaterThan(Number(stopped.split('-')[1]));
    return `${state}: ${outcome}`;
  }

  function outcomes(child: Child): readonly string[] {
    return child.output.filter((line) => /^(published|failed) /.test(line));
  }

  async function publish(store: Store, run: string): Promise<void> {
    const stage = await store.stage({ id: run, runId: run });
    const written = Array.from({ length: rows }, (_, k) => ({ k, run }));
    const outputs = [
      { collection: 'replaced', mode: 'replace' },
      { collection: 'upserted', mode: 'upsert', key: ['k'] },
    ] as const;
    for (const output of outputs) await stage.insert(output.collection, written, output);
    await stage.prepare(outputs);
    await stage.commit();
    await stage.publish();
    await stage.finish();
  }

  /** The run that both outputs are of, whole; while the child publishes another one they may be of two for a moment. */
  async function runOf(store: Store): Promise<string> {
    for (const until = performance.now() + 10_000; ; await sleep(20)) {
      const found = await Promise.all(
        ['replaced', 'upserted'].map((collection) => store.find<{ k: number; run: string }>(collection, { sort: { k: 1 } }).toArray()),
      );
      const runs = new Set(found.flat().map(({ run }) => run));
      if (runs.size > 1 && performance.now() < until) continue;
      for (const part of found) expect(part.map(({ k }) => k)).toEqual(Array.from({ length: rows }, (_, k) => k));
      expect([...runs]).toHaveLength(1);
      return [...runs][0] ?? '';
    }
  }

  async function left(): Promise<readonly string[]> {
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    const records = await db.collection('_millrace_stages').find().toArray();
    const locks = await db.collection('_millrace_locks').find().toArray();
    return [...names.filter((name) => name.startsWith('_millrace_stage_')), ...[...records, ...locks].map(({ _id }) => String(_id))];
  }
});
