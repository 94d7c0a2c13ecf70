import assert from 'node:assert/strict';

import type { WriteMode } from '../../types.js';
import { assertData, assertRejects, assertRows, output, publish, stageOutputs, withoutIds, type Case } from './check.js';

const modes: readonly WriteMode[] = ['replace', 'append', 'upsert'];

export const stagingCases: readonly Case[] = [
  {
    name: 'shows staged rows to nobody before the commit',
    async run(store, named) {
      const name = named('hidden');
      const before = await store.collections();
      const outputs = [output(name, 'replace', [{ k: 1 }, { k: 2 }])];
      const stage = await stageOutputs(store, outputs);
      assert.equal(await store.count(name), 0);
      await stage.prepare(outputs);
      assert.deepEqual(await store.collections(), before);
      await stage.commit();
      await stage.publish();
      await stage.publish();
      await stage.finish();
      await assertData(store.find(name), [{ k: 1 }, { k: 2 }]);
    },
  },
  {
    name: 'replaces, appends and upserts at publish',
    async run(store, named) {
      const name = named('modes');
      await publish(
        store,
        output(name, 'replace', [
          { k: 1, v: 1 },
          { k: 2, v: 2 },
        ]),
      );
      await assertData(store.find(name), [
        { k: 1, v: 1 },
        { k: 2, v: 2 },
      ]);
      const [first] = await store.find<{ readonly _id: unknown }>(name).toArray();
      await publish(store, output(name, 'append', [{ k: 3, v: 3 }]));
      await publish(
        store,
        output(name, 'upsert', [
          { k: 4, v: 4 },
          { k: 1, v: 10 },
          { k: 4, v: 40 },
        ]),
      );
      const rows = await store.find<{ readonly _id: unknown; readonly k: number }>(name, { sort: { k: 1 } }).toArray();
      await assertRows(withoutIds(rows), [
        { k: 1, v: 10 },
        { k: 2, v: 2 },
        { k: 3, v: 3 },
        { k: 4, v: 40 },
      ]);
      await assertRows([{ _id: rows[0]?._id }], [{ _id: first?._id }]);
      await publish(store, output(name, 'replace', [{ k: 9 }]));
      await assertData(store.find(name), [{ k: 9 }]);
      assert.equal(await store.count(name), 1);
    },
  },
  {
    name: 'makes new collections in every mode, empty ones too, but no sparse one',
    async run(store, named) {
      for (const mode of modes) {
        await publish(store, output(named(mode), mode, [{ k: 1 }, { k: 2 }]));
        await assertData(store.find(named(mode)), [{ k: 1 }, { k: 2 }]);
        await publish(store, output(named(`${mode}-empty`), mode, []));
        assert.ok((await store.collections()).includes(named(`${mode}-empty`)));
        await publish(store, output(named(`${mode}-sparse`), mode, [], { sparse: true }));
        assert.ok(!(await store.collections()).includes(named(`${mode}-sparse`)));
      }
      await publish(store, output(named('replace'), 'replace', []));
      assert.equal(await store.count(named('replace')), 0);
    },
  },
  {
    name: 'leaves everything as it was when a stage is dropped',
    async run(store, named) {
      const name = named('dropped');
      await publish(store, output(name, 'replace', [{ k: 1 }]));
      const before = await store.collections();
      for (const mode of modes) {
        const outputs = [output(name, mode, [{ k: 1, v: 'new' }]), output(named('fresh'), mode, [{ k: 1 }])];
        const stage = await stageOutputs(store, outputs);
        if (mode !== 'append') await stage.prepare(outputs);
        await stage.abort();
        await stage.abort();
        await assertRejects(stage.insert(name, [{ k: 1 }]), 'STORE_UNAVAILABLE');
        await assertRejects(stage.commit(), 'STORE_UNAVAILABLE');
      }
      assert.deepEqual(await store.collections(), before);
      await assertData(store.find(name), [{ k: 1 }]);
    },
  },
  {
    name: 'publishes several outputs together',
    async run(store, named) {
      const [a, b, c] = [named('a'), named('b'), named('c')];
      await publish(store, output(a, 'replace', [{ k: 1 }]), output(b, 'append', [{ k: 1 }]), output(c, 'upsert', [{ k: 1 }]));
      const outputs = [output(a, 'replace', [{ k: 2 }]), output(b, 'append', [{ k: 2 }]), output(c, 'upsert', [{ k: 1, v: 2 }])];
      const stage = await stageOutputs(store, outputs);
      await stage.prepare(outputs);
      for (const name of [a, b, c]) await assertData(store.find(name), [{ k: 1 }]);
      await stage.commit();
      await stage.publish();
      await stage.finish();
      await assertData(store.find(a), [{ k: 2 }]);
      await assertData(store.find(b), [{ k: 1 }, { k: 2 }]);
      await assertData(store.find(c), [{ k: 1, v: 2 }]);
    },
  },
  {
    name: 'keeps the indexes of what it replaces, and checks unique ones in every mode',
    async run(store, named) {
      for (const mode of modes) {
        const name = named(mode);
        await publish(
          store,
          output(name, 'replace', [
            { k: 1, u: 1 },
            { k: 2, u: 2 },
          ]),
        );
        await store.createIndex(name, { u: 1 }, { unique: true });
        await store.createIndex(name, { k: 1 });
        const indexes = await store.indexes(name);
        const before = await store.find(name).toArray();
        const bad =
          mode === 'upsert'
            ? [{ k: 5, u: 1 }]
            : mode === 'append'
              ? [
                  { k: 3, u: 3 },
                  { k: 4, u: 2 },
                ]
              : [
                  { k: 3, u: 3 },
                  { k: 4, u: 3 },
                ];
        await assertRejects(publish(store, output(name, mode, bad)), 'KEY_DUPLICATE', /u_1/);
        await assertRows(store.find(name), before);
        await publish(store, output(name, mode, [{ k: 7, u: 7 }]));
        assert.deepEqual(await store.indexes(name), indexes);
        await assertRejects(store.insert(name, [{ u: 7 }]), 'KEY_DUPLICATE');
        await assertData(store.find(name, { filter: { u: 7 } }), [{ k: 7, u: 7 }]);
      }
    },
  },
  {
    name: 'refuses two staged rows of one _id, and one that the target has',
    async run(store, named) {
      const name = named('ids');
      await assertRejects(publish(store, output(name, 'replace', [{ _id: 1 }, { _id: 2 }, { _id: 1 }])), 'KEY_DUPLICATE', /1/);
      assert.ok(!(await store.collections()).includes(name));
      await publish(
        store,
        output(name, 'replace', [
          { _id: 1, k: 1 },
          { _id: 2, k: 2 },
        ]),
      );
      await assertRejects(
        publish(
          store,
          output(name, 'append', [
            { _id: 3, k: 3 },
            { _id: 2, k: 4 },
          ]),
        ),
        'KEY_DUPLICATE',
        /2/,
      );
      await assertRejects(publish(store, output(name, 'upsert', [{ _id: 2, k: 9 }])), 'KEY_DUPLICATE', /2/);
      await publish(store, output(name, 'upsert', [{ _id: 2, k: 1, v: 1 }]));
      await assertRows(store.find(name, { sort: { _id: 1 } }), [
        { _id: 1, k: 1, v: 1 },
        { _id: 2, k: 2 },
      ]);
      await publish(
        store,
        output(name, 'append', [
          { _id: 9, k: 3 },
          { _id: 5, k: 4 },
        ]),
      );
      await assertRows(store.find(name, { filter: { _id: 5 } }), [{ _id: 5, k: 4 }]);
    },
  },
];
