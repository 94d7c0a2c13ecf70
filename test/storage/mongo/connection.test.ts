import { afterEach, expect, it, vi } from 'vitest';

import { Proxy } from './proxy.js';
import { describeMongo } from './server.js';

describeMongo('The connection of a store on MongoDB', ({ open, url, db }) => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('keeps the cursor of a reader that works long on its rows from being forgotten', async () => {
    await using proxy = new Proxy(url);
    await proxy.listen();
    await using store = open({ url: `mongodb://127.0.0.1:${String(proxy.port)}/` });
    await store.insert(
      'long',
      Array.from({ length: 5000 }, (_, n) => ({ n })),
    );
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let rows = 0;
    for await (const batch of store.find('long').batches()) {
      rows += batch.length;
      if (rows > 1000) continue;
      proxy.heard = '';
      vi.advanceTimersByTime(10 * 60_000);
      await vi.waitFor(() => expect(proxy.heard).toContain('refreshSessions'));
    }
    expect(rows).toBe(5000);
    proxy.heard = '';
    vi.advanceTimersByTime(60 * 60_000);
    await store.count('long');
    expect(proxy.heard).not.toContain('refreshSessions');
  });

  it('tells leases by the time of the server, though this machine has slept', async () => {
    await using store = open({ lease: 30_000 });
    await store.count('any');
    const steady = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => steady() - 3_600_000);
    const stage = await store.stage({ id: 'slept', runId: 'slept' });
    const record = await db.collection<{ _id: string; lease: Date }>('_millrace_stages').findOne({ _id: 'slept' });
    expect(Math.abs((record?.lease.getTime() ?? 0) - Date.now() - 30_000)).toBeLessThan(10_000); // the server is on this machine
    await stage.abort();
  });
});
