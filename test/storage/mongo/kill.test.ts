import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Store } from '../../../src/storage/store.js';
import { createProgram, type Child, type Program } from './children.js';
import { describeMongo } from './server.js';

const inCi = (process.env['CI'] ?? '') !== '';
/** MILLRACE_KILLS says otherwise. */
const kills = Number(process.env['MILLRACE_KILLS'] ?? (inCi ? 40 : 8));
const rows = 300;

describeMongo('A process that is killed while it publishes to MongoDB', ({ open, db, url, database }) => {
  let program: Program;
  beforeAll(async () => {
    program = await createProgram('publisher');
  });
  afterAll(() => program.remove());

  it(
    `leaves two outputs of one run, whole, at each of ${String(kills)} random instants`,
    async () => {
      await prepare(open());
      const states: Record<string, number> = {};
      let late = 0;
      let next = start(0);
      for (let at = 0; at < kills; at++) {
        const child = next;
        await child.ready;
        const published = child.line('published');
        child.go();
        await published; // from here on it is in the middle of things
        await sleep(Math.random() * 500);
        child.process.kill('SIGKILL');
        await child.ended;
        next = start(at + 1); // gets ready while what the other left is looked at
        const [record] = await db.collection<{ readonly state: string }>('_millrace_stages').find().toArray();
        const state = record?.state ?? 'between runs';
        states[state] = (states[state] ?? 0) + 1;
        await using store = open();
        await using other = open();
        await Promise.all([store.collections(), other.collections()]); // two recoverers at once
        await checkWhole(store);
        if ((await left()).length > 0) late++; // what the server was asked before the end, and did after it, is the next opener's
        await nothingLeft();
        await checkWhole(store);
      }
      next.process.kill('SIGKILL');
      await next.ended;
      console.log(`killed while its stage was: ${JSON.stringify(states)}; ${String(late)} times the server was late`);
    },
    60_000 + kills * 20_000,
  );

  function start(at: number): Child & { readonly ready: Promise<string> } {
    const child = program.start(url, database, `child${String(at)}`, '1000', String(rows));
    const ready = child.line('ready');
    ready.catch(() => undefined); // met by whoever waits
    return { ...child, ready };
  }

  async function prepare(store: Store): Promise<void> {
    for (const collection of ['replaced', 'upserted']) {
      const stage = await store.stage({ id: `first-${collection}`, runId: 'first' });
      await stage.insert(
        collection,
        Array.from({ length: rows }, (_, k) => ({ k, run: 'first' })),
      );
      await stage.prepare([{ collection, mode: 'replace' }]);
      await stage.commit();
      await stage.publish();
      await stage.finish();
      await store.createIndex(collection, { k: 1 }, { unique: true });
      await store.createIndex(collection, { run: 1 });
    }
  }

  async function checkWhole(store: Store): Promise<void> {
    const runs: string[] = [];
    for (const collection of ['replaced', 'upserted']) {
      const found = await store.find<{ k: number; run: string }>(collection, { sort: { k: 1 } }).toArray();
      expect(found.map(({ k }) => k)).toEqual(Array.from({ length: rows }, (_, k) => k));
      runs.push(...new Set(found.map(({ run }) => run)));
      expect((await store.indexes(collection)).map(({ name, unique }) => [name, unique])).toEqual([
        ['k_1', true],
        ['run_1', false],
      ]);
    }
    expect(new Set(runs).size).toBe(1);
  }

  async function nothingLeft(): Promise<void> {
    for (const until = performance.now() + 5000; performance.now() < until && (await left()).length > 0; await sleep(50)) {
      await using store = open();
      await store.collections();
    }
    expect(await left()).toEqual([]);
  }

  async function left(): Promise<readonly string[]> {
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    const records = await db.collection('_millrace_stages').find().toArray();
    const locks = await db.collection('_millrace_locks').find().toArray();
    return [...names.filter((name) => name.startsWith('_millrace_stage_')), ...[...records, ...locks].map(({ _id }) => String(_id))];
  }
});
