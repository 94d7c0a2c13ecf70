import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { embeddedStore } from '../../../src/storage/open.js';
import { mongoStore } from '../../../src/storage/open.js';
import type { Store } from '../../../src/storage/store.js';
import { describeMongo } from './server.js';

describeMongo('Outputs in two stores, one of them on MongoDB', ({ open, db, database, url }) => {
  const output = { collection: 'out', mode: 'replace' } as const;
  const count = async (store: Store): Promise<number> => store.count('out');
  /** The owners of all records end, as far as anyone can tell. */
  const expire = (): Promise<unknown> =>
    db.collection('_millrace_stages').updateMany({}, { $set: { lease: new Date(0), 'owner.machine': 'another' } });

  async function withFolder(body: (path: string) => Promise<void>): Promise<void> {
    const path = await mkdtemp(join(tmpdir(), 'millrace-'));
    await body(path).finally(() => rm(path, { recursive: true, force: true }));
  }

  it.each(['committed', 'not committed'])('a participant asks an embedded coordinator, and does as it says (%s)', (how) =>
    withFolder(async (path) => {
      const committed = how === 'committed';
      const mongo = open({ lease: 3_600_000 });
      await mongo.drop('out');
      const embedded = embeddedStore({ path });
      const [coordinator, participant] = [await embedded.stage({ id: how, runId: 'r' }), await mongo.stage({ id: how, runId: 'r' })];
      await coordinator.insert('out', [{ n: 1 }]);
      await participant.insert('out', [{ n: 1 }]);
      await participant.prepare([output], embedded.url);
      await coordinator.prepare([output]);
      if (committed) await coordinator.commit({ participants: [{ url: mongo.url, id: how }] });
      await expire();

      await using next = open();
      expect(await count(next)).toBe(committed ? 1 : 0);
      expect(await db.collection('_millrace_stages').countDocuments()).toBe(0);
      await using again = embeddedStore({ path });
      expect(await count(again)).toBe(committed ? 1 : 0);
      await expect(participant.publish()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await embedded.close();
      await mongo.close();
    }),
  );

  it.each(['committed', 'not committed'])('a coordinator finishes its participants (%s)', async (how) => {
    const committed = how === 'committed';
    const second = mongoStore({ url, database: `${database}-2`, lease: 3_600_000 });
    const first = open({ lease: 3_600_000 });
    await first.drop('out');
    await second.drop('out');
    const [coordinator, participant] = [await first.stage({ id: how, runId: 'r' }), await second.stage({ id: how, runId: 'r' })];
    await coordinator.insert('out', [{ n: 1 }]);
    await participant.insert('out', [{ n: 1 }]);
    await participant.prepare([output], first.url);
    await coordinator.prepare([output]);
    if (committed) await coordinator.commit({ participants: [{ url: second.url, id: how }] });
    await expire();

    await using next = open();
    expect(await count(next)).toBe(committed ? 1 : 0);
    const other = db.client.db(`${database}-2`);
    expect(await other.collection('out').countDocuments()).toBe(committed ? 1 : 0);
    expect(await db.collection('_millrace_stages').countDocuments()).toBe(0);
    await first.close();
    await second.close();
    await other.dropDatabase();
  });
});
