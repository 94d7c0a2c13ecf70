import { createApp, memoryStore } from 'millrace';
import { NoOp } from './fixtures.js';
import { grow, times, type Line } from './measure.js';

/** One no-op task with one TASK resource, its events heard and its record kept in memory. */
export async function task(): Promise<Line[]> {
  await using app = await createApp({ processors: [NoOp], stores: { default: memoryStore() }, log: 'silent' });
  let heard = 0;
  app.on('task:start', () => heard++);
  app.on('task:end', () => heard++);
  const runs = async (count: number): Promise<void> => {
    for (let run = 0; run < count; run++) await app.task(NoOp).run();
  };
  const loop = async (count: number): Promise<void> => {
    const records: object[] = [];
    for (let run = 0; run < count; run++) records.push(await handWritten(`run ${String(run)}`));
  };
  await runs(5000);
  await loop(5000);
  const { each, growth, ratio } = await grow(7, 1000, runs, loop);
  if (heard === 0) throw new Error('no event was heard');
  return [
    {
      what: 'no-op task, 10,000 single runs',
      measured: `${each.toFixed(1)} µs each (${ratio.toFixed(1)} × by hand)`,
      bar: '≤ 10 µs',
      holds: each <= 10,
    },
    { what: '  its growth from 1,000, against a hand-written loop', measured: times(growth), bar: '≤ 1.2 ×', holds: growth <= 1.2 },
  ];
}

/** What someone would write instead: open, act, close, keep a record. */
export async function handWritten(id: string): Promise<object> {
  const started = new Date();
  const session = await Promise.resolve({ open: true });
  await Promise.resolve(session);
  session.open = false;
  return { id, started, finished: new Date(), status: 'succeeded' };
}
