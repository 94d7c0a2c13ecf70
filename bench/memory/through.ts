import { createApp, memoryStore, rows, sink } from 'millrace';
import { CopyBatches, sales } from '../fixtures.js';

const count = Number(process.argv[2]);
await using app = await createApp({ stores: { default: memoryStore() }, log: 'silent' });
let taken = 0;
await app
  .task(CopyBatches)
  .bind({ from: rows(() => sales(count)), to: sink((batch) => void (taken += batch.length)) })
  .run();
if (taken !== count) throw new Error(`${String(taken)} of ${String(count)} rows arrived`);
