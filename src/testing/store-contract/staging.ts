import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Row, WriteMode } from '../../types.js';
import { assertData, assertRejects, assertRows, publish, range, stageOutputs, withoutIds, type Case } from './check.js';

const modes: readonly WriteMode[] = ['replace', 'append', 'upsert'];

function output(
  collection: string,
  mode: WriteMode,
  rows: readonly Row[],
  more: object = {},
): { collection: string; mode: WriteMode; rows: readonly Row[]; key?: readonly string[] } {
  return { collection, mode, rows, ...(mode === 'upsert' ? { key: ['k'] } : {}), ...more };
}

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
      await assertRows(store.find(name), [
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
  {
    name: 'does not replace rows that no run has published, unless told to',
    async run(store, named) {
      const name = named('ours');
      await store.insert(name, [{ k: 1 }, { k: 2 }]);
      await assertRejects(publish(store, output(name, 'replace', [{ k: 3 }])), 'COLLECTION_NOT_OURS', /2 rows.*overwrite/s);
      await assertData(store.find(name), [{ k: 1 }, { k: 2 }]);
      await publish(store, output(name, 'replace', [{ k: 3 }], { overwrite: true }));
      await publish(store, output(name, 'replace', [{ k: 4 }]));
      await assertData(store.find(name), [{ k: 4 }]);
      await store.drop(name);
      await store.insert(name, [{ k: 5 }]);
      await assertRejects(publish(store, output(name, 'replace', [{ k: 6 }])), 'COLLECTION_NOT_OURS', /1 row /);
      await publish(store, output(name, 'append', [{ k: 6 }]));
      await publish(store, output(name, 'replace', [{ k: 7 }]));
      await store.insert(named('emptied'), [{ k: 1 }]);
      await store.delete(named('emptied'), {});
      await publish(store, output(named('emptied'), 'replace', [{ k: 1 }]));
    },
  },
  {
    name: 'stages many rows, and frozen ones',
    async run(store, named) {
      const rows = range(25_000).map((n) => Object.freeze({ k: n, text: `row ${n}` }));
      const stage = await stageOutputs(store, []);
      for (let at = 0; at < rows.length; at += 1000) await stage.insert(named('many'), rows.slice(at, at + 1000));
      const outputs = [output(named('many'), 'replace', [])];
      await stage.prepare(outputs);
      await stage.commit();
      await stage.publish();
      await stage.finish();
      assert.equal(await store.count(named('many')), 25_000);
      await assertData(store.find(named('many'), { skip: 24_998 }), rows.slice(24_998));
      await publish(store, output(named('many'), 'append', rows.slice(0, 3000)));
      await publish(store, output(named('many'), 'upsert', rows.slice(24_000)));
      assert.equal(await store.count(named('many')), 28_000);
    },
  },
  {
    name: 'lets a reader finish with the rows it began with, or tells it that they are gone',
    async run(store, named) {
      const name = named('read');
      await publish(
        store,
        output(
          name,
          'replace',
          range(5000).map((k) => ({ k, run: 1 })),
        ),
      );
      const seen = new Set<number>();
      let rows = 0;
      try {
        for await (const batch of store.find<{ run: number }>(name).batches(500)) {
          rows += batch.length;
          for (const { run } of batch) seen.add(run);
          if (rows === 500)
            await publish(
              store,
              output(
                name,
                'replace',
                range(5000).map((k) => ({ k, run: 2 })),
              ),
            );
        }
        assert.equal(rows, 5000);
      } catch (error) {
        assert.equal((error as { readonly code?: string }).code, 'STORE_UNAVAILABLE');
      }
      assert.deepEqual([...seen], [1]);
      assert.equal(await store.count(name, { run: 2 }), 5000);
    },
  },
  {
    name: 'puts files into place with the collections, and removes what was held for a dropped stage',
    async run(store, named) {
      const folder = await mkdtemp(join(tmpdir(), 'millrace-contract-'));
      try {
        const [from, to] = [join(folder, 'out.csv.tmp'), join(folder, 'out.csv')];
        await writeFile(to, 'old');
        for (const ending of ['abort', 'commit']) {
          const outputs = [output(named('files'), 'replace', [{ k: 1 }])];
          const stage = await stageOutputs(store, outputs);
          await stage.holdFile(from);
          await writeFile(from, 'new');
          await stage.prepare(outputs);
          if (ending === 'abort') await stage.abort();
          else {
            await stage.commit({ files: [{ from, to }] });
            await stage.publish();
            await stage.publish();
            await stage.finish();
          }
          await assert.rejects(access(from));
          assert.equal(await readFile(to, 'utf8'), ending === 'abort' ? 'old' : 'new');
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  },
  {
    name: 'publishes in two stores by one commit',
    async run(store, named, open) {
      const other = await open();
      try {
        const name = named('both');
        const outputs = [output(name, 'append', [{ k: 1 }])];
        const id = `both-${Date.now()}-${Math.random()}`;
        for (const ending of ['commit', 'abort']) {
          const ours = await store.stage({ id: id + ending, runId: id });
          const theirs = other.url === store.url ? undefined : await other.stage({ id: id + ending, runId: id });
          for (const stage of [ours, theirs]) await stage?.insert(name, [{ k: 1 }]);
          await theirs?.prepare(outputs, store.url);
          await ours.prepare(outputs);
          if (ending === 'commit') {
            await ours.commit({ participants: theirs ? [{ url: other.url, id: theirs.id }] : [] });
            await theirs?.publish();
            await ours.publish();
            await ours.finish();
          } else for (const stage of [ours, theirs]) await stage?.abort();
        }
        await assertData(store.find(name), [{ k: 1 }]);
        if (other.url !== store.url) await assertData(other.find(name), [{ k: 1 }]);
      } finally {
        await other.drop(named('both'));
        await other.close();
      }
    },
  },
  {
    name: 'has one run whole, whoever publishes at once',
    async run(store, named) {
      const name = named('race');
      await Promise.all(
        range(6).map((run) =>
          publish(
            store,
            output(
              name,
              'replace',
              range(300).map((k) => ({ k, run })),
            ),
          ),
        ),
      );
      const runs = new Set((await store.find<{ run: number }>(name).toArray()).map(({ run }) => run));
      assert.equal(runs.size, 1);
      assert.equal(await store.count(name), 300);
      await Promise.all(range(6).map((run) => publish(store, output(name, 'append', [{ k: run, run: 'more' }]))));
      assert.equal(await store.count(name, { run: 'more' }), 6);
    },
  },
  {
    name: 'drops open stages when it closes',
    async run(store, named, open) {
      const folder = await mkdtemp(join(tmpdir(), 'millrace-contract-'));
      try {
        const other = await open();
        const stage = await stageOutputs(other, [output(named('left'), 'replace', [{ k: 1 }])]);
        const held = join(folder, 'held.tmp');
        await stage.holdFile(held);
        await writeFile(held, 'x');
        await other.close();
        await assert.rejects(access(held));
        assert.ok(!(await store.collections()).includes(named('left')));
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  },
];
