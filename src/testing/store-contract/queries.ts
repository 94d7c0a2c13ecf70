import assert from 'node:assert/strict';

import { loadBson } from '../../storage/ids.js';
import type { Store } from '../../storage/store.js';
import type { Filter, Query, Row } from '../../types.js';
import { assertRejects, assertRows, type Case } from './check.js';

/** Rows by `_id`, each there for something that stores get wrong. */
async function zoo(): Promise<readonly Row[]> {
  const { Binary, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp } = await loadBson();
  return [
    { _id: 1, v: 1, s: 'apple', tags: ['red', 'fruit'], o: { k: 1, l: 'x' }, at: new Date(1000) },
    { _id: 2, v: 2.5, s: 'Banana', tags: ['yellow'], o: { k: 2 }, at: new Date(2000) },
    { _id: 3, v: Long.fromNumber(3), s: 'cherry', tags: [], o: { k: null } },
    { _id: 4, v: Decimal128.fromString('3.5'), s: 'äpfel', tags: 'red', o: {} },
    { _id: 5, v: '3', s: null, o: 5 },
    { _id: 6, v: null, tags: null, o: null },
    { _id: 7 },
    { _id: 8, v: true, s: 'Ω\u{1f600}', o: [{ k: 1 }, { k: 5 }, { m: 1 }] },
    { _id: 9, v: [1, 5], s: ['apple', 'b'], o: [{ k: 9 }] },
    { _id: 10, v: [[1, 5], 7], o: [1, 2] },
    { _id: 11, v: [], o: [] },
    { _id: 12, v: NaN },
    { _id: 13, v: Infinity },
    { _id: 14, v: Long.fromString('9007199254740993') },
    { _id: 15, v: 9007199254740992 },
    { _id: 16, v: { a: 1, b: 2 } },
    { _id: 17, v: { b: 2, a: 1 } },
    { _id: 18, v: new ObjectId('65f000000000000000000001') },
    { _id: 19, v: new Binary(Buffer.from([7, 8])) },
    { _id: 20, v: /^ap/i },
    { _id: 21, v: new Timestamp({ t: 1, i: 1 }) },
    { _id: 22, v: new MinKey() },
    { _id: 23, v: new MaxKey() },
    { _id: 24, v: new Date(5) },
    { _id: 25, v: -0, o: { k: [1, 2, { z: 1 }] } },
    { _id: 26, v: [null], o: [{ k: [3] }, null] },
    { _id: 27, v: false, deep: { list: [{ list: [{ n: 1 }, { n: 2 }] }, { list: [{ n: 3 }] }] } },
    {
      _id: 28,
      v: Decimal128.fromString('0.1'),
      deep: {
        list: [
          { n: 1, m: 1 },
          { n: 2, m: 2 },
        ],
      },
    },
    {
      _id: 29,
      v: 0.1,
      deep: {
        list: [
          { n: 1, m: 2 },
          { n: 2, m: 1 },
        ],
      },
    },
  ];
}

/** A filter and the `_id`s of the rows it means. */
type Expectation = readonly [filter: Filter<unknown>, ids: readonly number[]];

async function expectations(): Promise<readonly Expectation[]> {
  const { Decimal128, Long, MaxKey, MinKey, ObjectId } = await loadBson();
  const numbers = [1, 2, 3, 4, 9, 10, 12, 13, 14, 15, 25, 28, 29];
  return [
    // equality
    [{ v: 1 }, [1, 9]],
    [{ v: Long.fromNumber(1) }, [1, 9]],
    [{ v: Decimal128.fromString('2.5') }, [2]],
    [{ v: 3 }, [3]],
    [{ v: '3' }, [5]],
    [{ v: 0 }, [25]],
    [{ v: 0.1 }, [29]],
    [{ v: Decimal128.fromString('0.1') }, [28]],
    [{ v: Long.fromString('9007199254740993') }, [14]],
    [{ v: 9007199254740992 }, [15]],
    [{ v: [1, 5] }, [9, 10]],
    [{ v: [5, 1] }, []],
    [{ v: [] }, [11]],
    [{ v: { a: 1, b: 2 } }, [16]],
    [{ v: NaN }, [12]],
    [{ v: new ObjectId('65f000000000000000000001') }, [18]],
    [{ v: new Date(5) }, [24]],
    [{ v: true }, [8]],
    [{ tags: 'red' }, [1, 4]],
    [{ s: 'apple', v: 1 }, [1, 9]],
    [{ v: { $eq: /^ap/i } }, [20]],
    // null and missing
    [{ v: null }, [6, 7, 26]],
    [{ v: undefined }, [6, 7, 26]],
    [{ $or: [{ v: undefined }, { v: { $in: [undefined, 1] } }] }, [1, 6, 7, 9, 26]],
    [{ v: { $ne: undefined }, _id: { $lte: 8 } }, [1, 2, 3, 4, 5, 8]],
    [{ v: { $in: [null, 1] } }, [1, 6, 7, 9, 26]],
    [{ v: { $ne: null }, _id: { $lte: 8 } }, [1, 2, 3, 4, 5, 8]],
    [{ v: { $exists: false } }, [7]],
    [{ v: { $exists: true }, _id: { $gte: 6, $lte: 8 } }, [6, 8]],
    [{ 'o.k': null }, [3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 27, 28, 29]],
    [{ 'o.k': { $exists: true } }, [1, 2, 3, 8, 9, 25, 26]],
    [{ v: { $gte: null }, _id: { $lte: 8 } }, [6, 7]],
    [{ v: { $gt: null } }, []],
    // comparison, within the kind of the operand
    [{ v: { $gt: 2 } }, [2, 3, 4, 9, 10, 13, 14, 15]],
    [{ v: { $gte: 2.5, $lte: 3 } }, [2, 3, 9]],
    [{ v: { $lt: 1 } }, [25, 28, 29]],
    [{ v: { $lte: NaN } }, [12]],
    [{ v: { $gt: 9007199254740992 } }, [13, 14]],
    [{ v: { $lt: Decimal128.fromString('0.1') } }, [25]],
    [{ v: { $gt: Decimal128.fromString('0.1'), $lt: 0.2 }, _id: { $gt: 27 } }, [29]],
    [{ s: { $gt: 'b' } }, [3, 4, 8]],
    [{ s: { $lt: 'b' } }, [1, 2, 9]],
    [{ s: { $gte: 'apple', $lt: 'b' } }, [1, 9]],
    [{ v: { $gt: '1' } }, [5]],
    [{ v: { $gte: false } }, [8, 27]],
    [{ v: { $gt: [1] } }, [9, 10]],
    [{ v: { $gt: { a: 1 } } }, [16, 17]],
    [{ at: { $gt: new Date(1000) } }, [2]],
    [{ v: { $lt: new Date(6) } }, [24]],
    [{ v: { $gt: new ObjectId('000000000000000000000000') } }, [18]],
    [{ v: { $gt: new MinKey() }, _id: { $gte: 22, $lte: 24 } }, [23, 24]],
    [{ v: { $lt: new MaxKey() }, _id: { $gte: 22, $lte: 24 } }, [22, 24]],
    // lists
    [{ v: { $in: ['3', 2.5, true] } }, [2, 5, 8]],
    [{ v: { $in: [] } }, []],
    [{ s: { $in: [/^b/i, 'cherry'] } }, [2, 3, 9]],
    [{ v: { $nin: [1, null] }, _id: { $lte: 9 } }, [2, 3, 4, 5, 8]],
    [{ v: { $ne: 1 }, _id: { $lte: 9 } }, [2, 3, 4, 5, 6, 7, 8]],
    [{ tags: { $all: ['red'] } }, [1, 4]],
    [{ tags: { $all: ['fruit', 'red'] } }, [1]],
    [{ tags: { $all: [] } }, []],
    [{ v: { $all: [[1, 5]] } }, [9, 10]],
    [{ tags: { $size: 0 } }, [3]],
    [{ tags: { $size: 2 } }, [1]],
    [{ v: { $elemMatch: { $gt: 2, $lt: 6 } } }, [9]],
    [{ v: { $gt: 2, $lt: 2 } }, [9]],
    [{ v: { $gt: 4, $lt: 2 } }, [9]],
    [{ o: { $elemMatch: { k: 5 } } }, [8]],
    [{ v: { $elemMatch: { $elemMatch: { $eq: 5 } } } }, [10]],
    [{ v: { $elemMatch: { $exists: true } } }, [9, 10, 26]],
    [{ 'deep.list': { $elemMatch: { n: 1, m: 1 } } }, [28]],
    [{ 'deep.list': { $all: [{ $elemMatch: { n: 1 } }, { $elemMatch: { m: 1 } }] } }, [28, 29]],
    // paths
    [{ 'o.k': 1 }, [1, 8, 25]],
    [{ 'o.k': { $gt: 4 } }, [8, 9]],
    [{ 'o.k.z': 1 }, [25]],
    [{ 'o.0': 1 }, [10]],
    [{ 'o.1.k': 5 }, [8]],
    [{ 'v.0': 1 }, [9]],
    [{ 'v.0.1': 5 }, [10]],
    [{ 'deep.list.n': 2 }, [28, 29]],
    [{ 'deep.list.list.n': 3 }, [27]],
    [{ 'deep.list.n': 1, 'deep.list.m': 2 }, [28, 29]],
    [{ 'o.nowhere': { $ne: 1 }, _id: { $lt: 3 } }, [1, 2]],
    // logic
    [{ $or: [{ v: 1 }, { s: 'cherry' }] }, [1, 3, 9]],
    [{ $and: [{ v: { $gt: 1 } }, { v: { $lt: 4 } }] }, [2, 3, 4, 9]],
    [{ $nor: [{ v: { $exists: true } }, { o: { $exists: true } }] }, [7]],
    [{ v: { $not: { $gt: 1 } }, _id: { $lte: 7 } }, [1, 5, 6, 7]],
    [{ s: { $not: /^a/ }, _id: { $lte: 4 } }, [2, 3, 4]],
    [{ $or: [{ $and: [{ _id: 1 }, { v: 1 }] }, { _id: 2 }], s: { $exists: true } }, [1, 2]],
    [{ $comment: 'said', _id: 1 }, [1]],
    [{}, Array.from({ length: 29 }, (_, at) => at + 1)],
    // types
    [{ v: { $type: 'number' } }, numbers],
    [{ v: { $type: 'long' } }, [3, 14]],
    [{ v: { $type: 'decimal' } }, [4, 28]],
    [{ v: { $type: 'string' } }, [5]],
    [{ v: { $type: 2 } }, [5]],
    [{ v: { $type: 'array' } }, [9, 10, 11, 26]],
    [{ v: { $type: 'object' } }, [16, 17]],
    [{ v: { $type: ['bool', 'date'] } }, [8, 24, 27]],
    [{ v: { $type: 'null' } }, [6, 26]],
    [{ v: { $type: 'objectId' } }, [18]],
    [{ v: { $type: 'binData' } }, [19]],
    [{ v: { $type: 'regex' } }, [20]],
    [{ v: { $type: 'timestamp' } }, [21]],
    [{ v: { $type: 'minKey' } }, [22]],
    // others
    [{ s: /^a/i }, [1, 9]],
    [{ s: { $regex: 'AN', $options: 'i' } }, [2]],
    [{ s: { $regex: /^ch/ } }, [3]],
    [{ s: { $regex: '^\u03a9' } }, [8]],
    [{ v: /^ap/i }, [20]],
    [{ v: { $mod: [2, 1] } }, [1, 3, 4, 9, 10, 14]],
    [{ v: { $mod: [2, 0] } }, [2, 15, 25, 28, 29]],
    [{ v: { $bitsAllSet: 1 } }, [1, 3, 4, 9, 10, 14, 19]],
    [{ v: { $bitsAnySet: [1, 2] } }, [3, 4, 9, 10, 19]],
    [{ v: { $bitsAllClear: 7 } }, [15, 25, 28]],
    [{ v: { $bitsAnyClear: [0] } }, [15, 25, 28]],
    [{ v: { $bitsAnyClear: [3, 8] } }, [1, 3, 4, 9, 10, 14, 15, 19, 25, 28]],
    [{ $expr: { $gt: ['$v', '$_id'] }, _id: { $lte: 4 } }, [2]],
    [{ $expr: { $eq: ['$o.k', 2] } }, [2]],
  ];
}

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
