import assert from 'node:assert/strict';

import { assertRejects, assertRows, range, type Case } from './check.js';

export const indexCases: readonly Case[] = [
  {
    name: 'names and lists indexes',
    async run(store, named) {
      const name = named('indexes');
      assert.equal(await store.createIndex(name, { a: 1 }), 'a_1');
      assert.equal(await store.createIndex(name, { a: 1 }), 'a_1');
      assert.equal(await store.createIndex(name, { b: -1, 'c.d': 1 }, { unique: true }), 'b_-1_c.d_1');
      assert.deepEqual(await store.indexes(name), [
        { name: 'a_1', keys: { a: 1 }, unique: false },
        { name: 'b_-1_c.d_1', keys: { b: -1, 'c.d': 1 }, unique: true },
      ]);
      assert.ok((await store.collections()).includes(name));
      await store.insert(name, [{ a: 1 }]);
      await store.delete(name, {});
      assert.equal((await store.indexes(name)).length, 2);
      await store.drop(name);
      assert.deepEqual(await store.indexes(name), []);
      await assertRejects(store.createIndex(name, {}), 'QUERY_INVALID');
      await assertRejects(store.createIndex(name, { a: 2 as 1 }), 'QUERY_INVALID', /a/);
    },
  },
  {
    name: 'holds unique rules: for what is there, what is inserted and what is upserted',
    async run(store, named) {
      const name = named('unique');
      await store.insert(name, [
        { _id: 1, a: 1 },
        { _id: 2, a: 2 },
        { _id: 3, a: 1 },
      ]);
      await assertRejects(store.createIndex(name, { a: 1 }, { unique: true }), 'KEY_DUPLICATE', /a_1/);
      assert.deepEqual(await store.indexes(name), []);
      await store.delete(name, { _id: 3 });
      await store.createIndex(name, { a: 1 }, { unique: true });
      await assertRejects(
        store.insert(name, [
          { _id: 4, a: 3 },
          { _id: 5, a: 2 },
          { _id: 6, a: 4 },
        ]),
        'KEY_DUPLICATE',
        /a_1.*1 row /s,
      );
      await assertRows(store.find(name), [
        { _id: 1, a: 1 },
        { _id: 2, a: 2 },
        { _id: 4, a: 3 },
      ]);
      await assertRejects(store.upsert(name, ['_id'], [{ _id: 1, a: 2 }]), 'KEY_DUPLICATE', /a_1/);
      await store.upsert(name, ['_id'], [{ _id: 1, a: 10 }]);
      await store.insert(name, [{ _id: 7, a: 1 }]);
      await assertRejects(store.insert(name, [{ _id: 8, a: 10 }]), 'KEY_DUPLICATE');
      await store.delete(name, { a: 2 });
      await store.insert(name, [{ _id: 9, a: 2 }]);
      await assertRows(store.find(name, { filter: { a: 2 } }), [{ _id: 9, a: 2 }]);
    },
  },
  {
    name: 'counts what is missing as null in a unique index, and each element of an array',
    async run(store, named) {
      const name = named('missing');
      await store.createIndex(name, { a: 1 }, { unique: true });
      await store.insert(name, [{ _id: 1 }]);
      await assertRejects(store.insert(name, [{ _id: 2, a: null }]), 'KEY_DUPLICATE');
      await store.insert(name, [{ _id: 3, a: [1, 2, 2] }]);
      await assertRejects(store.insert(name, [{ _id: 4, a: 2 }]), 'KEY_DUPLICATE');
      await assertRejects(store.insert(name, [{ _id: 5, a: [7, 1] }]), 'KEY_DUPLICATE');
      await store.insert(name, [{ _id: 6, a: 7 }]);
      assert.equal(await store.count(name), 3);
    },
  },
  {
    name: 'finds long strings, mixed kinds and compound keys by index',
    async run(store, named) {
      const name = named('keys');
      const long = 'x'.repeat(3000);
      const rows = [
        ...range(300).map((n) => ({ _id: n, a: n % 10, b: `${n % 7}`, t: n % 2 === 0 ? `${long}${n}` : n })),
        { _id: 'null\0zero', a: 'a\0b', b: '\0' },
      ];
      await store.createIndex(name, { a: 1, b: -1 });
      await store.createIndex(name, { t: 1 });
      await store.insert(name, rows);
      const expect = async (filter: Readonly<Record<string, unknown>>, holds: (row: (typeof rows)[number]) => boolean): Promise<void> => {
        await assertRows(store.find(name, { filter }), rows.filter(holds), JSON.stringify(filter).slice(0, 80));
      };
      await expect({ a: 3 }, (row) => row.a === 3);
      await expect({ a: 3, b: '4' }, (row) => row.a === 3 && row.b === '4');
      await expect({ a: 3, b: { $gt: '4' } }, (row) => row.a === 3 && row.b > '4');
      await expect({ a: 3, b: { $lte: '4' } }, (row) => row.a === 3 && row.b <= '4');
      await expect({ a: { $in: [1, 2] }, b: '1' }, (row) => (row.a === 1 || row.a === 2) && row.b === '1');
      await expect({ a: { $gte: 8 } }, (row) => typeof row.a === 'number' && row.a >= 8);
      await expect({ a: 'a\0b' }, (row) => row.a === 'a\0b');
      await expect({ t: `${long}120` }, (row) => row._id === 120);
      await expect({ t: { $gt: `${long}29` } }, (row) => 't' in row && typeof row.t === 'string' && row.t > `${long}29`);
      await expect({ t: { $gt: 295 } }, (row) => 't' in row && typeof row.t === 'number' && row.t > 295);
      const sorted = await store.find<{ t?: unknown }>(name, { sort: { t: -1 }, limit: 3, projection: { _id: 0, t: 1 } }).toArray();
      assert.deepEqual(
        sorted.map(({ t }) => t),
        [`${long}98`, `${long}96`, `${long}94`],
      );
    },
  },
  {
    name: 'keeps indexes true through upserts and deletes',
    async run(store, named) {
      const name = named('true');
      await store.createIndex(name, { group: 1, n: 1 });
      await store.createIndex(name, { list: 1 });
      await store.insert(
        name,
        range(600).map((n) => ({ _id: n, group: n % 5, n, list: [n % 3, 'x'] })),
      );
      await store.upsert(
        name,
        ['_id'],
        range(300).map((n) => ({ _id: n * 2, group: 'moved', n: -n, list: [`y${n % 4}`] })),
      );
      await store.delete(name, { group: 1 });
      for (const group of [0, 1, 2, 3, 4, 'moved']) {
        const found = await store.find<{ _id: number }>(name, { filter: { group }, sort: { n: 1 } }).toArray();
        const all = await store.find<{ _id: number; group: unknown; n: number }>(name).toArray();
        const expected = all.filter((row) => row.group === group).sort((a, b) => a.n - b.n);
        assert.deepEqual(
          found.map(({ _id }) => _id),
          expected.map(({ _id }) => _id),
        );
      }
      assert.equal(await store.count(name, { list: 'y1' }), 75);
      assert.equal(await store.count(name, { list: 'x' }), 240);
    },
  },
];
