import { expect, it } from 'vitest';

import type { Store } from '../../../src/storage/store.js';
import { Proxy } from './proxy.js';
import { describeMongo } from './server.js';

const timeouts = 'serverSelectionTimeoutMS=1500&socketTimeoutMS=1000&heartbeatFrequencyMS=500';
const output = { collection: 'out', mode: 'replace' } as const;

describeMongo('A stage that its store lost hold of', ({ open, url, db }) => {
  async function publish(store: Store, id: string): Promise<void> {
    const stage = await store.stage({ id, runId: id });
    await stage.insert('out', [{ by: id }]);
    await stage.prepare([output]);
    await stage.commit();
    await stage.publish();
    await stage.finish();
  }
  const rows = (store: Store): Promise<object[]> => store.find<object>('out', { projection: { _id: 0 } }).toArray();
  const records = (): Promise<number> => db.collection('_millrace_stages').countDocuments({ _id: { $regex: '^lost' } as never });

  it.each(['of the same process', 'of another one'])(
    'is dropped by the next store that wants to publish, %s, while its process lives on',
    async (whose) => {
      await using proxy = new Proxy(url);
      await proxy.listen();
      const store = open({ url: `mongodb://127.0.0.1:${String(proxy.port)}/?${timeouts}`, lease: 1000 });
      const alive = await store.stage({ id: `alive ${whose}`, runId: 'alive' }); // its lease is renewed all the while
      const lost = await store.stage({ id: `lost ${whose}`, runId: 'lost' });
      await lost.insert('out', [{ by: 'lost' }]);
      await lost.prepare([output]); // and holds the lock
      await proxy.leave();
      await expect(lost.abort()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await proxy.listen();
      await publish(whose === 'of another one' ? open({ lease: 1000 }) : store, `next ${whose}`);
      expect(await rows(open())).toEqual([{ by: `next ${whose}` }]);
      expect(await records()).toBe(0);
      await alive.abort();
    },
  );

  it('is published by the next store where it was committed, and its run says so', async () => {
    await using proxy = new Proxy(url);
    await proxy.listen();
    const store = open({ url: `mongodb://127.0.0.1:${String(proxy.port)}/?${timeouts}`, lease: 1000 });
    const lost = await store.stage({ id: 'lost committed', runId: 'lost' });
    await lost.insert('out', [{ by: 'committed' }]);
    await lost.prepare([output]);
    await lost.commit();
    lost.leave?.(); // what its run does where another store of it fails to publish
    await store.count('out');
    expect(await rows(store)).toEqual([{ by: 'committed' }]);
    expect(await records()).toBe(0);
  });
});
