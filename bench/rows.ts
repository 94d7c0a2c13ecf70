import { createApp, memoryStore, type Class } from 'millrace';
import { validate } from 'class-validator';
import { CopyBatches, CopyChecked, CopyRows, Sale, sales } from './fixtures.js';
import { against, best, times, type Line } from './measure.js';

const count = 1_000_000;

/** Rows through one processor, memory to memory. */
export async function rows(): Promise<Line[]> {
  await using app = await createApp({ stores: { default: memoryStore() }, log: 'silent' });
  const data = [...sales(count)];
  const through = (processor: Class<CopyBatches>) => () => app.task(processor).bind({ from: data, to: [] }).run();
  const rate = async (processor: Class<CopyBatches>): Promise<number> => count / (await best(5, through(processor))) / 1000;
  const [batches, single] = [await rate(CopyBatches), await rate(CopyRows)];
  return [
    {
      what: 'rows through a processor in memory, by batches',
      measured: `${batches.toFixed(1)} M rows/s`,
      bar: '≥ 1 M rows/s',
      holds: batches >= 1,
    },
    {
      what: 'rows through a processor in memory, row by row',
      measured: `${single.toFixed(1)} M rows/s`,
      bar: '≥ 0.5 M rows/s',
      holds: single >= 0.5,
    },
  ];
}

/** What checks add to a run, against class-validator's own `validate` on the same rows. */
export async function validation(): Promise<Line[]> {
  await using app = await createApp({ stores: { default: memoryStore() }, log: 'silent' });
  const data = Array.from(sales(count), (sale) => Object.assign(new Sale(), sale));
  const some = data.slice(0, 20_000);
  const run = (processor: Class<CopyBatches>) => () => app.task(processor).bind({ from: data, to: [] }).run();
  const { ours: checked, theirs: unchecked } = await against(7, run(CopyChecked), run(CopyBatches));
  const theirs =
    (await best(3, async () => {
      for (const row of some) if ((await validate(row)).length > 0) throw new Error('a row is invalid');
    })) *
    (count / some.length);
  const faster = theirs / Math.max(checked - unchecked, 1);
  const rate = count / Math.max(checked - unchecked, 1) / 1000;
  return [
    {
      what: `row checks of a run (${rate.toFixed(1)} M rows/s), against class-validator's validate`,
      measured: `${times(faster)} faster`,
      bar: '≥ 20 ×',
      holds: faster >= 20,
    },
  ];
}
