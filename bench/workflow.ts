import { createApp, memoryStore, workflow, type StepRef, type WorkflowBuilder } from 'millrace';
import { NoOp } from './fixtures.js';
import { grow, times, type Line } from './measure.js';
import { handWritten } from './task.js';

type Shape = (w: WorkflowBuilder, count: number) => void;

/** Each step after the one before it. */
const chain: Shape = (w, count) => {
  let last: StepRef<NoOp> | undefined;
  for (let step = 0; step < count; step++) last = add(w, step, last === undefined ? [] : [last]);
};
/** All steps after the first. */
const fan: Shape = (w, count) => {
  const first = add(w, 0, []);
  for (let step = 1; step < count; step++) add(w, step, [first]);
};
/** One step, two side by side, one that joins them, two side by side, … */
const ladder: Shape = (w, count) => {
  let rung: StepRef<NoOp>[] = [];
  for (let step = 0; step < count;) {
    const width = rung.length === 1 ? Math.min(2, count - step) : 1;
    const before = rung;
    rung = Array.from({ length: width }, () => add(w, step++, before));
  }
};
const shapes = { chain, fan, 'diamond ladder': ladder };

function add(w: WorkflowBuilder, step: number, after: readonly StepRef<NoOp>[]): StepRef<NoOp> {
  return w.step(NoOp, { name: `step ${String(step)}`, after });
}

/** No-op steps with one TASK resource each: built, planned and run, their events heard and their records kept in memory. */
async function run(shape: Shape, count: number): Promise<void> {
  await using app = await createApp({ processors: [NoOp], stores: { default: memoryStore() }, log: 'silent' });
  let heard = 0;
  app.on('task:start', () => heard++);
  app.on('task:end', () => heard++);
  await app.workflow(workflow('bench', (w) => shape(w, count))).run();
  const recorded = await app.store().count('_millrace_tasks');
  if (heard !== 2 * count || recorded !== count)
    throw new Error(`${String(heard)} events and ${String(recorded)} records of ${String(count)} steps`);
}

export async function workflows(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [name, shape] of Object.entries(shapes)) {
    for (let round = 0; round < 3; round++) await run(shape, 5000);
    await byHand(shape, 5000);
    const { each, growth, ratio } = await grow(
      7,
      1000,
      (count) => run(shape, count),
      (count) => byHand(shape, count),
    );
    lines.push(
      {
        what: `${name} of 10,000 no-op steps`,
        measured: `${each.toFixed(1)} µs a step (${ratio.toFixed(1)} × by hand)`,
        bar: '≤ 10 µs',
        holds: each <= 10,
      },
      { what: '  its growth from 1,000, against a loop by hand', measured: times(growth), bar: '≤ 1.2 ×', holds: growth <= 1.2 },
    );
  }
  return lines;
}

/** What someone would write instead: steps with what they come after, run as soon as that has ended. */
async function byHand(shape: Shape, count: number): Promise<void> {
  interface Step {
    readonly name: string;
    readonly next: Step[];
    waiting: number;
  }
  const steps: Step[] = [];
  const byName = new Map<string, Step>();
  const builder = {
    step: (_processor: unknown, { name = '', after = [] }: { readonly name?: string; readonly after?: readonly { name: string }[] }) => {
      const step: Step = { name, next: [], waiting: after.length };
      for (const before of after) byName.get(before.name)?.next.push(step);
      steps.push(step);
      byName.set(name, step);
      return step;
    },
  };
  shape(builder as unknown as WorkflowBuilder, count);
  const records: object[] = [];
  const ready = steps.filter(({ waiting }) => waiting === 0);
  for (const step of ready) {
    records.push(await handWritten(step.name));
    for (const next of step.next) if (--next.waiting === 0) ready.push(next);
  }
  if (records.length !== count) throw new Error(`${String(records.length)} steps of ${String(count)} ran`);
}
