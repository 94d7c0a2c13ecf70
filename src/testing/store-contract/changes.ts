import assert from 'node:assert/strict';

import type { Row } from '../../types.js';
import { assertData, assertRejects, assertRows, range, type Case } from './check.js';

export const changeCases: readonly Case[] = [
  {
    name: 'replaces by key keeping the _id, inserts what is new, and lets the last of equal keys win',
    async run(store, named) {
      const name = named('upsert');
      await store.insert(name, [
        { _id: 1, sku: 'a', size: 1, n: 1 },
        { _id: 2, sku: 'a', size: 2, n: 2 },
        { _id: 3, sku: 'b', size: 1, n: 3, old: true },
      ]);
      const rows = [
        { sku: 'b', size: 1, n: 30 },
        { sku: 'c', size: 1, n: 4 },
        { sku: 'a', size: 2, n: 20 },
        { sku: 'c', size: 1, n: 40 },
      ];
      assert.equal(await store.upsert(name, ['sku', 'size'], rows), 4);
      await assertRows(store.find(name, { filter: { _id: { $in: [1, 2, 3] } } }), [
        { _id: 1, sku: 'a', size: 1, n: 1 },
        { _id: 2, sku: 'a', size: 2, n: 20 },
        { _id: 3, sku: 'b', size: 1, n: 30 },
      ]);
      await assertData(store.find(name, { filter: { sku: 'c' } }), [{ sku: 'c', size: 1, n: 40 }]);
      await store.upsert(name, ['_id'], [{ _id: 2, only: true }]);
      await assertRows(store.find(name, { filter: { _id: 2 } }), [{ _id: 2, only: true }]);
      assert.deepEqual(await store.indexes(name), []);
    },
  },
  {
    name: 'keeps rows that are replaced in their places',
    async run(store, named) {
      const name = named('places');
      const made = (size: number) => (n: number) => ({ _id: n, text: 'x'.repeat((n * size) % 4000) });
      await store.insert(name, range(300).map(made(37)));
      await store.upsert(name, ['_id'], [3, 150, 299].map(made(1511)));
      const ids = (await store.find<{ readonly _id: number }>(name).toArray()).map(({ _id }) => _id);
      assert.deepEqual(ids, range(300));
    },
  },
  {
    name: 'upserts by a nested property, by dates and by what is not there',
    async run(store, named) {
      const name = named('keys');
      await store.upsert(name, ['at.day'], [{ at: { day: new Date(5) }, n: 1 }, { at: { day: new Date(6) }, n: 2 }, { n: 3 }]);
      await store.upsert(name, ['at.day'], [{ at: { day: new Date(6) }, n: 20 }, { n: 30 }]);
      const rows = await store.find<{ n: number }>(name, { sort: { n: 1 } }).toArray();
      assert.deepEqual(
        rows.map(({ n }) => n),
        [1, 20, 30],
      );
      await assertRejects(store.upsert(name, [], [{ n: 1 }]), 'QUERY_INVALID', /upsert/);
    },
  },
  {
    name: 'upserts many rows twice into the same collection',
    async run(store, named) {
      const name = named('twice');
      const rows = (factor: number): Row[] => range(2500).map((n) => ({ key: (n * 7919) % 2500, value: n * factor }));
      await store.upsert(name, ['key'], rows(1));
      await store.upsert(name, ['key'], rows(2));
      assert.equal(await store.count(name), 2500);
      await assertData(
        store.find(name, { filter: { key: 1234 } }),
        rows(2).filter((row) => (row as { key: number }).key === 1234),
      );
    },
  },
  {
    name: 'deletes what a filter means, and nothing else',
    async run(store, named) {
      const name = named('delete');
      await store.insert(
        name,
        range(500).map((n) => ({ _id: n, third: n % 3 })),
      );
      assert.equal(await store.delete(name, { third: 1 }), 167);
      assert.equal(await store.delete(name, { _id: { $in: [0, 1, 2] } }), 2);
      assert.equal(await store.count(name), 331);
      await assertRows(store.find(name, { limit: 2 }), [
        { _id: 3, third: 0 },
        { _id: 5, third: 2 },
      ]);
      await assertRows(store.find(name, { filter: { _id: 499 } }), []);
      await assertRows(store.find(name, { filter: { _id: 498 } }), [{ _id: 498, third: 0 }]);
      await store.insert(name, [{ _id: 1, third: 'again' }]);
      await assertRejects(store.delete(name, undefined as never), 'QUERY_INVALID', /object/);
      assert.equal(await store.delete(name, {}), 332);
      assert.equal(await store.count(name), 0);
      await store.insert(name, [{ _id: 3 }]);
      await assertRows(store.find(name), [{ _id: 3 }]);
    },
  },
  {
    name: 'lists collections by name, its own excepted, and forgets those dropped',
    async run(store, named) {
      const names = ['b', 'a', 'ä', 'B'].map((name) => named(`list-${name}`));
      for (const name of names) await store.insert(name, [{ a: 1 }]);
      const own = `_millrace_${named('own')}`;
      await store.insert(own, [{ a: 1 }]);
      const listed = (await store.collections()).filter((name) => names.includes(name));
      assert.deepEqual(
        listed,
        [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      assert.ok(!(await store.collections()).includes(own));
      await assertData(store.find(own), [{ a: 1 }]);
      await store.drop(own);
      await store.drop(names[0] as string);
      assert.ok(!(await store.collections()).includes(names[0] as string));
      assert.equal(await store.count(names[0] as string), 0);
    },
  },
  {
    name: 'shows an iteration the rows that were there when it began',
    async run(store, named) {
      const name = named('snapshot');
      await store.insert(
        name,
        range(3000).map((n) => ({ n })),
      );
      let seen = 0;
      for await (const batch of store.find(name).batches(100)) {
        seen += batch.length;
        if (seen === 100) await store.insert(name, [{ n: -1 }]);
      }
      assert.ok(seen === 3000 || seen === 3001, `${seen} rows`);
    },
  },
  {
    name: 'takes writes side by side',
    async run(store, named) {
      const name = named('parallel');
      await Promise.all(
        range(8).map((writer) =>
          store.insert(
            name,
            range(200).map((n) => ({ writer, n })),
          ),
        ),
      );
      assert.equal(await store.count(name), 1600);
      for (const writer of range(8)) assert.equal(await store.count(name, { writer }), 200);
    },
  },
  {
    name: 'closes once, and answers nothing afterwards',
    async run(store, named, open) {
      const other = await open();
      await other.insert(named('closed'), [{ a: 1 }]);
      const rows = other.find(named('closed'));
      await Promise.all([other.close(), other.close()]);
      await other.close();
      await assertRejects(rows.toArray(), 'STORE_UNAVAILABLE', /closed/);
      await assertRejects(other.count(named('closed')), 'STORE_UNAVAILABLE');
      await assertRejects(other.insert(named('closed'), [{ a: 2 }]), 'STORE_UNAVAILABLE');
      await assertRejects(other.stage({ id: 'late', runId: 'late' }), 'STORE_UNAVAILABLE');
    },
  },
];
