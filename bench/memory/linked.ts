import { createApp, memoryStore, rows, sink, workflow } from 'millrace';
import { CopyBatches, sales } from '../fixtures.js';

// linked.js ROWS: through ten linked processors.
const count = Number(process.argv[2]);
let taken = 0;
const tenSteps = workflow('ten steps', (w) => {
  let last = w.step(CopyBatches, { name: 'step 1', bind: { from: rows(() => sales(count)) } });
  for (let step = 2; step < 10; step++) last = w.step(CopyBatches, { name: `step ${String(step)}`, bind: { from: last.output('to') } });
  w.step(CopyBatches, { name: 'step 10', bind: { from: last.output('to'), to: sink((batch) => void (taken += batch.length)) } });
});
await using app = await createApp({ stores: { default: memoryStore() }, log: 'silent' });
await app.workflow(tenSteps).run({ concurrency: 1 });
if (taken !== count) throw new Error(`${String(taken)} of ${String(count)} rows arrived`);
