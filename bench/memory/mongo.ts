import { randomBytes } from 'node:crypto';
import { createApp, mongoStore, rows as rowsFrom, type Store } from 'millrace';
import { CopyBatches, reprice, Reprice, sale, sales } from '../fixtures.js';

// mongo.js ROWS: writes so many rows to the server of MONGODB_URI, then reads, processes and writes them.
const count = Number(process.argv[2]);
const url = process.env['MONGODB_URI'] ?? '';
const store = mongoStore({ url, database: `millrace-memory-${randomBytes(4).toString('hex')}` });
const app = await createApp({ stores: { default: store }, log: 'silent' });
try {
  await app
    .task(CopyBatches)
    .bind({ from: rowsFrom(() => sales(count)), to: 'sales' })
    .run();
  await app.task(Reprice).bind({ from: 'sales', to: 'repriced' }).run();
  await check(store);
} finally {
  await store.drop('sales');
  await store.drop('repriced');
  await app.close();
}

/** Every row arrived, once and processed. */
async function check(at: Store): Promise<void> {
  const totals = [{ $group: { _id: null, rows: { $sum: 1 }, ids: { $sum: '$id' }, last: { $max: '$id' }, prices: { $sum: '$price' } } }];
  const [found] = await at.aggregate<{ rows: number; ids: unknown; last: number; prices: number }>('repriced', totals).toArray();
  let prices = 0;
  for (let id = 0; id < count; id++) prices += reprice(sale(id)).price;
  const right =
    found?.rows === count &&
    Number(found.ids) === (count * (count - 1)) / 2 &&
    found.last === count - 1 &&
    Math.abs(found.prices / prices - 1) < 1e-9;
  if (!right) throw new Error(`${JSON.stringify(found)} arrived instead of ${String(count)} rows with prices of ${String(prices)}`);
}
