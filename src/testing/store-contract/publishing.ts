import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { assertData, assertRejects, output, publish, range, stageOutputs, type Case } from './check.js';

export const publishingCases: readonly Case[] = [
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
        assert.equal((error as { readonly code?: string }).code, 'COLLECTION_REPLACED');
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
