import { createApp, memoryStore, rows, sink, workflow } from 'millrace';
import { setTimeout as wait } from 'node:timers/promises';
import { CopyBatches, sales, type Sale } from '../fixtures.js';

// readers.js ROWS: through ten linked processors, the fifth of which has two readers: one is slow, and waits
// a millisecond for every eighth batch.
const count = Number(process.argv[2]);
let taken = 0;
let takenSlowly = 0;
const twoReaders = workflow('two readers', (w) => {
  let last = w.step(CopyBatches, { name: 'step 1', bind: { from: rows(() => sales(count)) } });
  for (let step = 2; step < 10; step++) {
    last = w.step(CopyBatches, { name: `step ${String(step)}`, bind: { from: last.output('to') } });
    if (step !== 5) continue;
    let batches = 0;
    const slow = sink<Sale>(async (batch) => {
      if (++batches % 8 === 0) await wait(1);
      takenSlowly += batch.length;
    });
    w.step(CopyBatches, { name: 'slow', bind: { from: last.output('to'), to: slow } });
  }
  w.step(CopyBatches, { name: 'step 10', bind: { from: last.output('to'), to: sink((batch) => void (taken += batch.length)) } });
});
await using app = await createApp({ stores: { default: memoryStore() }, log: 'silent' });
await app.workflow(twoReaders).run({ concurrency: 1 });
if (taken !== count || takenSlowly !== count)
  throw new Error(`${String(taken)} and ${String(takenSlowly)} of ${String(count)} rows arrived`);
