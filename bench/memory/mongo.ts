import { randomBytes } from 'node:crypto';
import { createApp, mongoStore, rows as rowsFrom } from 'millrace';
import { CopyBatches, Reprice, sales } from '../fixtures.js';

// mongo.js ROWS: writes so many rows to the server of MONGODB_URI, then reads, processes and writes them.
const count = Number(process.argv[2] ?? 5_000_000);
const url = process.env['MONGODB_URI'] ?? '';
const store = mongoStore({ url, database: `millrace-memory-${randomBytes(4).toString('hex')}` });
const app = await createApp({ stores: { default: store }, log: 'silent' });
const report = (what: string, start: number): void => {
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${what}: ${String(count)} rows in ${seconds.toFixed(0)} s, peak ${String(Math.round(process.resourceUsage().maxRSS / 1024))} MB resident`,
  );
};
try {
  let start = performance.now();
  await app
    .task(CopyBatches)
    .bind({ from: rowsFrom(() => sales(count)), to: 'sales' })
    .run();
  report('written', start);
  start = performance.now();
  await app.task(Reprice).bind({ from: 'sales', to: 'repriced' }).run();
  report('read, processed and written', start);
  const there = await store.count('repriced');
  if (there !== count) throw new Error(`${String(there)} rows instead of ${String(count)}`);
} finally {
  await store.drop('sales');
  await store.drop('repriced');
  await app.close();
}
