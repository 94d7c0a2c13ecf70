import assert from 'node:assert/strict';

import type { Store } from '../../storage/store.js';
import type { Query, Row } from '../../types.js';
import { assertRejects, assertRows, type Case } from './check.js';
import { expectations, zoo } from './zoo.js';

async function fill(store: Store, name: string): Promise<readonly Row[]> {
  const rows = await zoo();
  await store.insert(name, rows);
  return rows;
}

async function idsOf(store: Store, name: string, query: Query<unknown>): Promise<unknown[]> {
  const rows = await store.find<{ readonly _id: unknown }>(name, query).toArray();
  return rows.map(({ _id }) => _id);
}

export const queryCases: readonly Case[] = [
  {
    name: 'finds what a filter means',
    async run(store, named) {
      await fill(store, named('zoo'));
      for (const [filter, ids] of await expectations()) {
        assert.deepEqual(await idsOf(store, named('zoo'), { filter }), ids, JSON.stringify(filter));
        assert.equal(await store.count(named('zoo'), filter), ids.length, JSON.stringify(filter));
      }
    },
  },
  {
    name: 'finds the same with indexes',
    async run(store, named) {
      const name = named('zoo');
      await fill(store, name);
      for (const keys of [
        { v: 1 },
        { s: -1 },
        { tags: 1 },
        { 'o.k': 1 },
        { 'deep.list.n': 1, 'deep.list.m': -1 },
        { at: 1, v: 1 },
      ] as const) {
        await store.createIndex(name, keys);
      }
      for (const [filter, ids] of await expectations()) assert.deepEqual(await idsOf(store, name, { filter }), ids, JSON.stringify(filter));
    },
  },
  {
    name: 'sorts values of every type in the order of BSON',
    async run(store, named) {
      const name = named('order');
      await fill(store, name);
      const filter = { _id: { $ne: 11 } }; // servers do not agree where an empty list comes
      const ascending = [22, 6, 7, 26, 12, 25, 28, 29, 1, 9, 2, 3, 4, 10, 15, 14, 13, 5, 16, 17, 19, 18, 27, 8, 24, 21, 20, 23];
      assert.deepEqual(await idsOf(store, name, { filter, sort: { v: 1, _id: 1 } }), ascending);
      const descending = [23, 20, 21, 24, 8, 27, 18, 19, 10, 17, 16, 5, 13, 14, 15, 9, 4, 3, 2, 1, 29, 28, 25, 12, 6, 7, 26, 22];
      assert.deepEqual(await idsOf(store, name, { filter, sort: { v: -1, _id: 1 } }), descending);
      for (const limit of [1, 3, 10]) {
        assert.deepEqual(await idsOf(store, name, { filter, sort: { v: 1, _id: 1 }, limit, skip: 2 }), ascending.slice(2, 2 + limit));
      }
    },
  },
  {
    name: 'sorts by several properties, by nested ones, and strings by code point',
    async run(store, named) {
      const name = named('sort');
      const words = ['b', 'a', 'B', 'ä', '\uffee', '\u{1f600}', '', 'aa'];
      await store.insert(
        name,
        words.map((w, at) => ({ _id: at, w, half: at % 2, in: { n: -at } })),
      );
      assert.deepEqual(await idsOf(store, name, { sort: { w: 1 } }), [6, 2, 1, 7, 0, 3, 4, 5]);
      assert.deepEqual(await idsOf(store, name, { sort: { half: -1, w: 1 } }), [1, 7, 3, 5, 6, 2, 0, 4]);
      assert.deepEqual(await idsOf(store, name, { sort: { 'in.n': 1 }, limit: 3 }), [7, 6, 5]);
      assert.deepEqual(await idsOf(store, name, { sort: { _id: -1 }, limit: 2, filter: { half: 0 } }), [6, 4]);
      await store.createIndex(name, { half: 1, w: -1 });
      await store.createIndex(name, { w: 1 });
      assert.deepEqual(await idsOf(store, name, { sort: { w: 1 } }), [6, 2, 1, 7, 0, 3, 4, 5]);
      assert.deepEqual(await idsOf(store, name, { sort: { half: -1, w: 1 } }), [1, 7, 3, 5, 6, 2, 0, 4]);
      assert.deepEqual(await idsOf(store, name, { filter: { half: 1 }, sort: { w: -1 } }), [5, 3, 7, 1]);
    },
  },
  {
    name: 'skips and limits',
    async run(store, named) {
      const name = named('cut');
      await fill(store, name);
      assert.deepEqual(await idsOf(store, name, { skip: 2, limit: 3 }), [3, 4, 5]);
      assert.deepEqual(await idsOf(store, name, { skip: 27 }), [28, 29]);
      assert.deepEqual(await idsOf(store, name, { skip: 100 }), []);
      assert.deepEqual(await idsOf(store, name, { limit: 0, filter: { _id: { $lt: 3 } } }), [1, 2]);
      assert.deepEqual(await idsOf(store, name, { filter: { v: { $gt: 1 } }, skip: 1, limit: 2 }), [3, 4]);
    },
  },
  {
    name: 'projects, and leaves the rows as they are',
    async run(store, named) {
      const name = named('project');
      const row = { _id: 1, a: 1, b: { c: 1, d: { e: 2, f: 3 } }, l: [{ x: 1, y: 2 }, 5, [{ x: 3 }], { y: 4 }], n: null };
      await store.insert(name, [row]);
      const projections: readonly (readonly [Readonly<Record<string, 0 | 1>>, object])[] = [
        [{ a: 1 }, { _id: 1, a: 1 }],
        [{ a: 1, _id: 0 }, { a: 1 }],
        [{ _id: 1 }, { _id: 1 }],
        [
          { n: 1, a: 1, gone: 1, _id: 0 },
          { a: 1, n: null },
        ],
        [{ 'b.d.e': 1, _id: 0 }, { b: { d: { e: 2 } } }],
        [{ 'l.x': 1, _id: 0 }, { l: [{ x: 1 }, [{ x: 3 }], {}] }],
        [{ 'a.x': 1, _id: 0 }, {}],
        [
          { a: 0, l: 0, b: 0 },
          { _id: 1, n: null },
        ],
        [
          { _id: 0, l: 0, b: 0 },
          { a: 1, n: null },
        ],
        [
          { 'b.d.e': 0, l: 0 },
          { _id: 1, a: 1, b: { c: 1, d: { f: 3 } }, n: null },
        ],
        [
          { 'l.x': 0, a: 0, b: 0, n: 0 },
          { _id: 1, l: [{ y: 2 }, 5, [{}], { y: 4 }] },
        ],
        [{}, row],
      ];
      for (const [projection, expected] of projections)
        await assertRows(store.find(name, { projection }), [expected], JSON.stringify(projection));
      await assertRows(store.find(name), [row]);
    },
  },
  {
    name: 'refuses what it does not know, by name',
    async run(store, named) {
      const name = named('refused');
      await store.insert(name, [{ a: 1 }]);
      const wrong: readonly (readonly [Query<unknown>, RegExp])[] = [
        [{ filter: { a: { $gtt: 1 } } }, /\$gtt/],
        [{ filter: { $ors: [] } }, /\$ors/],
        [{ filter: { a: { $in: 5 } } }, /\$in/],
        [{ filter: { a: { $size: -1 } } }, /\$size/],
        [{ filter: { a: { $mod: [0, 1] } } }, /\$mod/],
        [{ filter: { a: { $type: 'strin' } } }, /strin/],
        [{ filter: { a: { $not: 5 } } }, /\$not/],
        [{ filter: { a: { $elemMatch: 5 } } }, /\$elemMatch/],
        [{ filter: { a: { $regex: '(' } } }, /\$regex/],
        [{ filter: { a: { $gt: 1, b: 2 } } }, /b/],
        [{ filter: { $and: [] } }, /\$and/],
        [{ projection: { a: 1, b: 0 } }, /b/],
        [{ projection: { a: 1, 'a.b': 1 } }, /a/],
        [{ projection: { a: 2 as 1 } }, /2/],
        [{ sort: { a: 2 as 1 } }, /a/],
        [{ skip: -1 }, /skip/],
        [{ limit: 1.5 }, /limit/],
        [{ filters: {} } as Query<unknown>, /filters/],
      ];
      for (const [query, message] of wrong) await assertRejects(store.find(name, query).toArray(), 'QUERY_INVALID', message);
      await assertRejects(store.count(name, { a: { $gtt: 1 } }), 'QUERY_INVALID', /\$gtt/);
      await assertRejects(store.delete(name, { a: { $gtt: 1 } }), 'QUERY_INVALID', /\$gtt/);
      assert.equal(await store.delete(name, { a: undefined }), 0, 'undefined is null, not whatever comes');
      assert.equal(await store.count(name), 1);
    },
  },
];
