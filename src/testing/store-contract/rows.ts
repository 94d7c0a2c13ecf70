import assert from 'node:assert/strict';

import { loadBson } from '../../storage/ids.js';
import type { Row } from '../../types.js';
import { everyType } from './every-type.js';
import { assertData, assertRejects, assertRows, range, type Case } from './check.js';

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
];
