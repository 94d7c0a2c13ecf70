import assert from 'node:assert/strict';

import { loadBson } from '../../storage/ids.js';
import type { Row } from '../../types.js';
import { assertData, assertRejects, assertRows, range, type Case } from './check.js';

/** One row with a value of every type that BSON has and JavaScript programs use. */
export async function everyType(): Promise<Readonly<Record<string, unknown>>> {
  const { Binary, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } = await loadBson();
  return {
    text: 'grüße, 世界 \u{1f600} \u0000 end',
    empty: '',
    int: 42,
    negative: -7,
    double: 1.5,
    huge: 1e300,
    infinity: Infinity,
    yes: true,
    no: false,
    nothing: null,
    date: new Date('2024-02-29T12:34:56.789Z'),
    early: new Date(-1),
    id: new ObjectId('65f000000000000000000001'),
    long: Long.fromString('9007199254740993'),
    small: Long.fromNumber(5),
    decimal: Decimal128.fromString('0.10'),
    bytes: new Binary(Buffer.from([0, 1, 255])),
    uuid: new UUID('0f9a4c5e-7d51-4c65-9c1b-3a4f6f2f9a11'),
    pattern: /^a.b$/i,
    timestamp: new Timestamp({ t: 7, i: 3 }),
    least: new MinKey(),
    most: new MaxKey(),
    list: [1, 'two', [3, [4]], { five: 5 }, null],
    none: [],
    nested: { a: { b: { c: [{}] } } },
    'with.dot': 'kept',
  };
}

export const rowCases: readonly Case[] = [
  {
    name: 'gives rows back in the order in which they came, with an _id each',
    async run(store, named) {
      const { ObjectId } = await loadBson();
      const name = named('rows');
      assert.equal(await store.insert(name, [{ n: 3 }, { n: 1 }, { _id: 'own', n: 2 }]), 3);
      const rows = await store.find<{ readonly _id: unknown }>(name).toArray();
      await assertData(store.find(name), [{ n: 3 }, { n: 1 }, { n: 2 }]);
      assert.equal((rows[0]?._id as { readonly _bsontype?: string })._bsontype, new ObjectId()._bsontype);
      assert.equal(rows[2]?._id, 'own');
      await assertRows(store.find(name, { filter: { _id: rows[1]?._id } }), [rows[1]]);
      assert.equal(await store.count(name), 3);
    },
  },
  {
    name: 'has another version after every change of the rows, where it knows of versions',
    async run(store, named) {
      const name = named('versions');
      const version = async (): Promise<string> => (await store.version?.(name)) ?? '';
      const seen = [await version()];
      if (seen[0] === '') return;
      const changed = async (change: Promise<unknown>): Promise<void> => {
        await change;
        const now = await version();
        assert.ok(!seen.includes(now), `version ${now} comes again`);
        seen.push(now);
      };
      await changed(
        store.insert(name, [
          { _id: 1, n: 1 },
          { _id: 2, n: 2 },
        ]),
      );
      await changed(store.insert(name, [{ _id: 3, n: 3 }]));
      await changed(store.upsert(name, ['_id'], [{ _id: 2, n: 7 }]));
      await changed(store.delete(name, { n: 7 }));
      await changed(store.delete(name, {}));
      for (const mode of ['replace', 'append', 'upsert'] as const) {
        const stage = await store.stage({ id: `${name}-${mode}`, runId: name });
        const output = { collection: name, mode, key: ['n'], overwrite: true };
        await stage.insert(name, [{ n: 1 }], output);
        await stage.prepare([output]);
        await stage.commit();
        await changed(stage.publish());
        await stage.finish();
      }
      await store.find(name).toArray();
      assert.equal(await version(), seen.at(-1), 'reading changes nothing');
      await store.drop(name);
      assert.equal(await version(), seen[0]);
    },
  },
  {
    name: 'gives rows back in the order in which they came, whatever their size',
    async run(store, named) {
      const rows = Array.from({ length: 3000 }, (_, n) => ({ n, text: 'x'.repeat(n % 13 === 0 ? 1500 : n % 40) }));
      await store.insert(named('sizes'), rows);
      await assertData(store.find(named('sizes')), rows);
      await assertData(store.find(named('sizes'), { skip: 1000, limit: 50 }), rows.slice(1000, 1050));
    },
  },
  {
    name: 'has nothing where there is no collection',
    async run(store, named) {
      const name = named('nothing');
      await assertRows(store.find(name), []);
      assert.equal(await store.count(name), 0);
      assert.equal(await store.count(name, { a: 1 }), 0);
      assert.equal(await store.delete(name, {}), 0);
      assert.deepEqual(await store.indexes(name), []);
      await assertRows(store.aggregate(name, [{ $match: {} }]), []);
      assert.equal(await store.insert(name, []), 0);
      await store.drop(name);
      assert.ok(!(await store.collections()).includes(name));
    },
  },
  {
    name: 'keeps values of every type as they are',
    async run(store, named) {
      const row = { _id: 1, ...(await everyType()) };
      await store.insert(named('types'), [row]);
      await assertRows(store.find(named('types')), [row]);
    },
  },
  {
    name: 'leaves out properties that are undefined',
    async run(store, named) {
      await store.insert(named('undefined'), [{ _id: 1, a: undefined, b: 1 }]);
      const [row] = await store.find<{ a?: unknown; b: number }>(named('undefined')).toArray();
      assert.equal(row?.a, undefined);
      assert.equal(row?.b, 1);
      assert.equal(await store.count(named('undefined'), { a: { $exists: true } }), 0);
    },
  },
  {
    name: 'takes frozen rows, and changes none',
    async run(store, named) {
      const row = Object.freeze({ a: Object.freeze([1]) });
      await store.insert(named('frozen'), [row]);
      await store.upsert(named('frozen'), ['b'], [Object.freeze({ b: 1 })]);
      assert.deepEqual(Object.keys(row), ['a']);
      await assertData(store.find(named('frozen'), { sort: { b: 1 } }), [{ a: [1] }, { b: 1 }]);
    },
  },
  {
    name: 'takes rows from any iterable, many of them',
    async run(store, named) {
      const many = async function* (): AsyncGenerator<Row> {
        for (const n of range(2500)) yield { n };
      };
      assert.equal(await store.insert(named('many'), many()), 2500);
      assert.equal(await store.insert(named('many'), new Set([{ n: 2500 }])), 1);
      const rows = await store.find<{ n: number }>(named('many')).toArray();
      assert.deepEqual(
        rows.map(({ n }) => n),
        range(2501),
      );
    },
  },
  {
    name: 'takes a large row',
    async run(store, named) {
      const row = { _id: 1, text: 'x'.repeat(3_000_000), list: range(1000) };
      await store.insert(named('large'), [{ _id: 0 }, row, { _id: 2 }]);
      await assertRows(store.find(named('large')), [{ _id: 0 }, row, { _id: 2 }]);
    },
  },
  {
    name: 'gives rows in batches, and again for each pass',
    async run(store, named) {
      await store.insert(
        named('batches'),
        range(25).map((n) => ({ n })),
      );
      const found = store.find<{ n: number }>(named('batches'));
      for (const size of [10, 25, 100]) {
        const sizes: number[] = [];
        for await (const batch of found.batches(size)) sizes.push(batch.length);
        assert.equal(
          sizes.reduce((sum, one) => sum + one, 0),
          25,
        );
        assert.ok(sizes.every((one) => one <= size));
      }
      let first = 0;
      for await (const { n } of found) {
        first = n;
        break;
      }
      assert.equal(first, 0);
      assert.equal((await found.toArray()).length, 25);
    },
  },
  {
    name: 'refuses an _id that is there, and says how many rows went in',
    async run(store, named) {
      const name = named('same');
      await store.insert(name, [{ _id: 5 }]);
      await assertRejects(store.insert(name, [{ _id: 6 }, { _id: 7 }, { _id: 5 }, { _id: 8 }]), 'KEY_DUPLICATE', /5.*2 rows/s);
      await assertRows(store.find(name), [{ _id: 5 }, { _id: 6 }, { _id: 7 }]);
      const { Long } = await loadBson();
      await assertRejects(store.insert(name, [{ _id: Long.fromNumber(6) }]), 'KEY_DUPLICATE');
    },
  },
  {
    name: 'finds every _id, in whatever order the ids came',
    async run(store, named) {
      const name = named('ids');
      const ids = [10, 20, 30, 25, 5, 'b', 'a', 40, { x: 1 }, 15, null, new Date(5), false, 50, ''];
      for (const _id of ids) await store.insert(name, [{ _id }]);
      await store.insert(name, [{ _id: 60 }, { _id: 70 }, { _id: 65 }]);
      for (const _id of [...ids, 60, 70, 65]) {
        await assertRows(store.find(name, { filter: { _id } }), [{ _id }]);
        await assertRejects(store.insert(name, [{ _id }]), 'KEY_DUPLICATE');
      }
      await assertRows(store.find(name, { filter: { _id: { $in: [65, 5, 'zz'] } } }), [{ _id: 5 }, { _id: 65 }]);
      assert.equal(await store.count(name), 18);
      assert.equal((await store.find(name).toArray()).length, 18);
    },
  },
  {
    name: 'refuses what is no row, and names that are none',
    async run(store, named) {
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      for (const row of [null, undefined, 5, 'text', [1], new Date(), () => 1]) {
        await assertRejects(store.insert(named('bad'), [{ n: 1 }, row as unknown as Row]), 'ROW_INVALID', /row 1.*1 row went in/s);
      }
      assert.equal(await store.count(named('bad')), 7);
      await assertRejects(store.insert(named('worse'), [{ _id: [1] }]), 'ROW_INVALID', /_id/);
      assert.ok(!(await store.collections()).includes(named('worse')));
      for (const name of ['', 'a$b', 'a\0b', 'x'.repeat(201), 'system.a', '.a', 'a.', 'a..b'])
        await assertRejects(store.find(name).toArray(), 'QUERY_INVALID');
    },
  },
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
