import { expect, it } from 'vitest';

import type { StagedOutput, Store } from '../../../src/storage/store.js';
import { describeMongo } from './server.js';

let last = 0;
async function publish(
  store: Store,
  outputs: readonly (StagedOutput & { readonly rows: readonly object[]; readonly plain?: boolean })[],
  runId = 'run',
): Promise<unknown> {
  const stage = await store.stage({ id: `stage-${String(last++)}`, runId });
  try {
    for (const { rows, plain, ...output } of outputs)
      for (const row of rows) await stage.insert(output.collection, [row], plain === true ? undefined : output);
    await stage.prepare(outputs);
    await stage.commit();
  } catch (error) {
    await stage.abort();
    throw error;
  }
  await stage.publish();
  await stage.finish();
  return stage.superseded;
}

describeMongo('A stage on MongoDB', ({ open, db }) => {
  const left = async (): Promise<string[]> => {
    const names = (await db.listCollections({}, { nameOnly: true }).toArray())
      .map(({ name }) => name)
      .filter((name) => name.startsWith('_millrace_stage_'));
    const [records, locks] = await Promise.all([
      db.collection('_millrace_stages').find().toArray(),
      db.collection('_millrace_locks').find().toArray(),
    ]);
    return [...names, ...records.map(({ _id }) => `record ${String(_id)}`), ...locks.map(({ _id }) => `lock ${String(_id)}`)];
  };
  const rows = (store: Store, collection: string, sort: Record<string, 1>): Promise<object[]> =>
    store.find<object>(collection, { sort, projection: { _id: 0 } }).toArray();

  it('replaces a collection, keeping its indexes with all their options', async () => {
    await using store = open();
    await publish(store, [{ collection: 'prices', mode: 'replace', rows: [{ sku: 'a' }] }]);
    await store.createIndex('prices', { sku: 1 }, { unique: true });
    await db.collection('prices').createIndexes([{ key: { at: 1 }, expireAfterSeconds: 1_000_000, name: 'old' }]);
    await publish(store, [{ collection: 'prices', mode: 'replace', rows: [{ sku: 'b' }, { sku: 'c' }] }]);
    expect(await rows(store, 'prices', { sku: 1 })).toEqual([{ sku: 'b' }, { sku: 'c' }]);
    const indexes = await db.collection('prices').listIndexes().toArray();
    expect(indexes.map(({ name, unique, expireAfterSeconds }) => [name, unique, expireAfterSeconds] as unknown[])).toEqual([
      ['_id_', undefined, undefined],
      ['sku_1', true, undefined],
      ['old', undefined, 1_000_000],
    ]);
    expect(await left()).toEqual([]);
  });

  it('publishes several outputs, each in its mode', async () => {
    await using store = open();
    await store.insert('log', [{ n: 1 }]);
    await store.insert('stock', [
      { _id: 1, sku: 'a', n: 1 },
      { _id: 2, sku: 'b', n: 1 },
    ]);
    await publish(store, [
      { collection: 'log', mode: 'append', rows: [{ n: 2 }, { n: 3 }] },
      {
        collection: 'stock',
        mode: 'upsert',
        key: ['sku'],
        rows: [
          { sku: 'b', n: 2 },
          { sku: 'c', n: 1 },
          { sku: 'b', n: 3 },
        ],
      },
      { collection: 'empty', mode: 'replace', rows: [] },
      { collection: 'sparse', mode: 'replace', sparse: true, rows: [] },
    ]);
    expect(await rows(store, 'log', { n: 1 })).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(await store.find('stock', { sort: { sku: 1 } }).toArray()).toMatchObject([
      { _id: 1, sku: 'a', n: 1 },
      { _id: 2, sku: 'b', n: 3 },
      { sku: 'c', n: 1 },
    ]);
    expect(await store.collections()).toContain('empty');
    expect(await store.collections()).not.toContain('sparse');
    expect(await left()).toEqual([]);
  });

  it('upserts into a collection that is not there, and by several keys', async () => {
    await using store = open();
    const one = { collection: 'fresh', mode: 'upsert', key: ['a', 'b'] } as const;
    await publish(store, [
      {
        ...one,
        rows: [
          { a: 1, b: 1, n: 1 },
          { a: 1, b: 2, n: 2 },
          { a: 1, b: 1, n: 3 },
        ],
      },
    ]);
    expect(await rows(store, 'fresh', { b: 1 })).toEqual([
      { a: 1, b: 1, n: 3 },
      { a: 1, b: 2, n: 2 },
    ]);
    expect(await store.indexes('fresh')).toEqual([]);
    await publish(store, [{ ...one, plain: true, rows: [{ a: 1, b: 2, n: 4 }] }]);
    expect(await rows(store, 'fresh', { b: 1 })).toEqual([
      { a: 1, b: 1, n: 3 },
      { a: 1, b: 2, n: 4 },
    ]);
  });

  it('finds equal keys of an upsert over many batches', async () => {
    await using store = open();
    const stage = await store.stage({ id: 'many', runId: 'run' });
    const output = { collection: 'many', mode: 'upsert', key: ['k'] } as const;
    for (let pass = 0; pass < 3; pass++)
      await stage.insert(
        'many',
        Array.from({ length: 1500 }, (_, k) => ({ k, pass })),
        output,
      );
    await stage.prepare([output]);
    await stage.commit();
    await stage.publish();
    await stage.finish();
    expect(await store.count('many')).toBe(1500);
    expect(await store.count('many', { pass: 2 })).toBe(1500);
    expect(await left()).toEqual([]);
  });

  it('refuses to replace what no run has published', async () => {
    await using store = open();
    await store.insert('theirs', [{ n: 1 }]);
    await expect(publish(store, [{ collection: 'theirs', mode: 'replace', rows: [{ n: 2 }] }])).rejects.toMatchObject({
      code: 'COLLECTION_NOT_OURS',
    });
    expect(await rows(store, 'theirs', { n: 1 })).toEqual([{ n: 1 }]);
    await publish(store, [{ collection: 'theirs', mode: 'replace', overwrite: true, rows: [{ n: 2 }] }]);
    await publish(store, [{ collection: 'theirs', mode: 'replace', rows: [{ n: 3 }] }]);
    expect(await rows(store, 'theirs', { n: 1 })).toEqual([{ n: 3 }]);
    expect(await left()).toEqual([]);
  });

  it.each(['replace', 'append', 'upsert'] as const)('checks unique indexes before the commit (%s)', async (mode) => {
    await using store = open();
    const collection = `unique-${mode}`;
    await publish(store, [
      {
        collection,
        mode: 'append',
        rows: [
          { _id: 1, sku: 'a', code: 'x' },
          { _id: 2, sku: 'b', code: 'y' },
        ],
      },
    ]);
    await store.createIndex(collection, { code: 1 }, { unique: true });
    const output = { collection, mode, key: ['sku'] };
    const before = await store.find(collection, { sort: { _id: 1 } }).toArray();
    await expect(
      publish(store, [
        {
          ...output,
          rows: [
            { sku: 'c', code: 'z' },
            { sku: 'd', code: 'z' },
          ],
        },
      ]),
    ).rejects.toMatchObject({ code: 'KEY_DUPLICATE', message: expect.stringMatching(/code: "z"/) as string });
    if (mode !== 'replace') {
      await expect(publish(store, [{ ...output, rows: [{ sku: 'c', code: 'x' }] }])).rejects.toMatchObject({
        code: 'KEY_DUPLICATE',
        message: expect.stringMatching(/code: "x"/) as string,
      });
      await expect(publish(store, [{ ...output, rows: [{ _id: 2, sku: 'e', code: 'q' }] }])).rejects.toMatchObject({
        code: 'KEY_DUPLICATE',
        message: expect.stringMatching(/_id: 2/) as string,
      });
    }
    expect(await store.find(collection, { sort: { _id: 1 } }).toArray()).toEqual(before);
    expect(await left()).toEqual([]);
  });

  it('lets an upsert swap the values of a unique index', async () => {
    await using store = open();
    await publish(store, [
      {
        collection: 'swap',
        mode: 'append',
        rows: [
          { _id: 1, sku: 'a', code: 'x' },
          { _id: 2, sku: 'b', code: 'y' },
        ],
      },
    ]);
    await store.createIndex('swap', { code: 1 }, { unique: true });
    await publish(store, [
      {
        collection: 'swap',
        mode: 'upsert',
        key: ['sku'],
        rows: [
          { sku: 'a', code: 'y' },
          { sku: 'b', code: 'x' },
        ],
      },
    ]);
    expect(await store.find('swap', { sort: { _id: 1 } }).toArray()).toEqual([
      { _id: 1, sku: 'a', code: 'y' },
      { _id: 2, sku: 'b', code: 'x' },
    ]);
  });

  it('tells whose rows it replaced that published while it was under way', async () => {
    await using store = open();
    const slow = await store.stage({ id: 'slow', runId: 'slow' });
    await slow.insert('race', [{ by: 'slow' }]);
    expect(await publish(store, [{ collection: 'race', mode: 'replace', rows: [{ by: 'fast' }] }], 'fast')).toEqual([]);
    await slow.prepare([{ collection: 'race', mode: 'replace' }]);
    await slow.commit();
    await slow.publish();
    await slow.publish();
    expect(slow.superseded).toEqual([{ collection: 'race', runId: 'fast' }]);
    await slow.finish();
    expect(await rows(store, 'race', { by: 1 })).toEqual([{ by: 'slow' }]);
    expect(await publish(store, [{ collection: 'race', mode: 'replace', rows: [] }], 'later')).toEqual([]);
  });

  it('leaves nothing of a stage that is aborted, and nothing is taken by it afterwards', async () => {
    await using store = open();
    const stage = await store.stage({ id: 'aborted', runId: 'run' });
    await stage.insert('never', [{ n: 1 }]);
    await stage.prepare([{ collection: 'never', mode: 'replace' }]);
    await stage.abort();
    await stage.abort();
    await expect(stage.insert('never', [{ n: 2 }])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(stage.commit()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await store.collections()).not.toContain('never');
    expect(await left()).toEqual([]);
  });

  it('finishes what was committed by a store whose lease has run out, and drops what was not; the late owner does no harm', async () => {
    const paused = open({ lease: 3_600_000 });
    const committed = await paused.stage({ id: 'committed', runId: 'one' });
    await committed.insert('late', [{ run: 1 }]);
    await committed.prepare([{ collection: 'late', mode: 'replace' }]);
    await committed.commit();
    const appending = await paused.stage({ id: 'appending', runId: 'two' });
    await appending.insert('late-log', [{ run: 2 }]);
    await appending.prepare([{ collection: 'late-log', mode: 'append' }]);
    await appending.commit();
    const dropped = await paused.stage({ id: 'dropped', runId: 'three' });
    await dropped.insert('late-never', [{ run: 3 }]);
    await dropped.prepare([{ collection: 'late-never', mode: 'replace' }]);
    await db.collection('_millrace_stages').updateMany({}, { $set: { lease: new Date(0) } }); // as if the process had stood still

    await using store = open();
    expect(await rows(store, 'late', { run: 1 })).toEqual([{ run: 1 }]);
    expect(await rows(store, 'late-log', { run: 1 })).toEqual([{ run: 2 }]);
    expect(await left()).toEqual([]);
    await publish(store, [
      { collection: 'late', mode: 'replace', rows: [{ run: 4 }] },
      { collection: 'late-log', mode: 'replace', rows: [{ run: 4 }] },
    ]);

    await committed.publish();
    await committed.finish();
    await appending.publish();
    await appending.finish();
    await expect(dropped.commit()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/Nothing was published/) as string,
    });
    await dropped.abort();
    expect(await rows(store, 'late', { run: 1 })).toEqual([{ run: 4 }]);
    expect(await rows(store, 'late-log', { run: 1 })).toEqual([{ run: 4 }]);
    expect(await left()).toEqual([]);
    await paused.close();
  });
});
