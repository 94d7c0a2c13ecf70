import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { embeddedStore } from '../../../src/storage/open.js';
import { thisProcess } from '../../../src/storage/embedded/owner.js';
import { temporaryFolder } from '../temporary.js';
import { runChild } from './fixture/run-child.js';
import { changeStages, ownRecords } from './records.js';

describe('several processes on one embedded store', () => {
  it('write side by side', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const writers = ['a', 'b', 'c'];
    const children = await Promise.all(writers.map((writer) => runChild(['write', folder, writer, '20'])));
    for (const child of children) {
      expect(await child.lines()).toEqual(['done']);
      expect(await child.ended).toBe(0);
    }
    await using store = embeddedStore({ path: join(folder, 'data') });
    expect(await store.count('inserted')).toBe(60);
    expect(await store.count('appended')).toBe(3000);
    const runs = await store
      .aggregate('replaced', [{ $group: { _id: { writer: '$writer', time: '$time' }, rows: { $sum: 1 } } }])
      .toArray();
    expect(runs).toHaveLength(1);
    expect(runs[0].rows).toBe(50);
  });

  it('leave the stage of a living one alone, and drop that of a dead one', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'data');
    const [living, dead] = [await runChild(['wait', folder]), await runChild(['wait', folder])];
    await living.line();
    await dead.line();
    dead.process.kill('SIGKILL');
    await dead.ended;
    await using store = embeddedStore({ path });
    expect(await store.collections()).toEqual([]);
    expect((await ownRecords(path)).stages).toEqual([`waiting-${String(living.process.pid)}`]);
    living.process.stdin?.write('go\n');
    expect(await living.line()).toBe('committed');
    expect(await living.ended).toBe(0);
    expect(await store.count('waited')).toBe(1);
  });
});

describe('a stage of another host', () => {
  const elsewhere = { ...thisProcess(), host: 'elsewhere' };

  it('is its own while its lease lasts', async () => {
    const path = temporaryFolder();
    await using store = embeddedStore({ path });
    const stage = await store.stage({ id: 'far', runId: 'far' });
    await stage.insert('out', [{ a: 1 }]);
    await stage.prepare([{ collection: 'out', mode: 'replace' }], store.url);
    await changeStages(path, { owner: elsewhere, lease: Date.now() + 60_000 });
    await using other = embeddedStore({ path });
    expect(await other.collections()).toEqual([]);
    await stage.commit();
    expect(await other.count('out')).toBe(1);
  });

  it('is dropped when it has run out, and then does no harm', async () => {
    const path = temporaryFolder();
    const held = join(temporaryFolder(), 'held.tmp');
    await using store = embeddedStore({ path });
    const stage = await store.stage({ id: 'late', runId: 'late' });
    await stage.holdFile(held);
    writeFileSync(held, 'x');
    await stage.insert('out', [{ a: 1 }]);
    await stage.prepare([{ collection: 'out', mode: 'replace' }]);
    await changeStages(path, { owner: elsewhere, lease: Date.now() - 1 });
    await using other = embeddedStore({ path });
    expect(await other.collections()).toEqual([]);
    expect(await ownRecords(path)).toEqual({ stages: [], commits: [] });
    expect(existsSync(held)).toBe(false);
    await expect(stage.commit()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/lease/) as string });
    await expect(stage.holdFile(held)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await stage.abort();
    expect(await other.collections()).toEqual([]);
  });

  it('is dropped at once where its host has started again', async () => {
    const path = temporaryFolder();
    await using store = embeddedStore({ path });
    const stage = await store.stage({ id: 'boot', runId: 'boot' });
    await stage.holdFile(join(path, 'none'));
    await changeStages(path, { owner: { ...thisProcess(), boot: 'before' } });
    await using other = embeddedStore({ path });
    await other.collections();
    expect((await ownRecords(path)).stages).toEqual([]);
  });
});

describe('a stage that another store has committed', () => {
  it('is published over what others have written since it was prepared', async () => {
    await using store = embeddedStore({ path: temporaryFolder() });
    await store.createIndex('append', { u: 1 }, { unique: true });
    const stage = await store.stage({ id: 'certain', runId: 'certain' });
    await stage.insert('append', [
      { _id: 1, u: 1 },
      { _id: 2, u: 2 },
      { _id: 3, u: 3 },
    ]);
    await stage.insert('replace', [{ _id: 1 }]);
    await stage.prepare(
      [
        { collection: 'append', mode: 'append' },
        { collection: 'replace', mode: 'replace' },
      ],
      'memory:',
    );
    await store.insert('append', [
      { _id: 3, u: 30 },
      { _id: 4, u: 2 },
      { _id: 5, u: 5 },
    ]);
    await store.insert('replace', [{ _id: 9 }]);
    await stage.publish();
    expect(await store.find('append', { sort: { _id: 1 } }).toArray()).toEqual([
      { _id: 1, u: 1 },
      { _id: 2, u: 2 },
      { _id: 3, u: 3 },
      { _id: 5, u: 5 },
    ]);
    expect(await store.find('replace').toArray()).toEqual([{ _id: 1 }]);
  });
});

describe('a publish in two stores that stops dead', () => {
  const steps = ['staged', 'participant prepared', 'coordinator prepared', 'committed', 'participant published', 'published', 'finished'];
  const order = [
    ['a', 'b'],
    ['b', 'a'],
  ] as const;

  for (const [at, step] of steps.entries()) {
    for (const [first, second] of order) {
      const expected = at < steps.indexOf('committed') ? 0 : 1;
      it(
        `after '${step}' is ${expected === 1 ? 'finished' : 'undone'} by whoever opens ${first}, then ${second}`,
        { timeout: 30_000 },
        async () => {
          const folder = temporaryFolder();
          const child = await runChild(['stop', folder, step]);
          expect(await child.ended).toBe('SIGKILL');
          for (const name of [first, second]) {
            await using store = embeddedStore({ path: join(folder, name) });
            expect(await store.count('out')).toBe(expected);
          }
          // The participant asked for itself: what the coordinator has noted goes when it is opened next.
          await using coordinator = embeddedStore({ path: join(folder, 'a') });
          await coordinator.count('out');
          for (const name of ['a', 'b']) expect(await ownRecords(join(folder, name))).toEqual({ stages: [], commits: [] });
          expect(existsSync(join(folder, 'out.tmp'))).toBe(false);
          expect(existsSync(join(folder, 'out'))).toBe(expected === 1);
          if (expected === 1) expect(readFileSync(join(folder, 'out'), 'utf8')).toBe(step);
        },
      );
    }
  }
});
