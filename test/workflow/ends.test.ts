import 'reflect-metadata';
import fc from 'fast-check';
import {
  createApp,
  Depends,
  Input,
  Output,
  Params,
  Processor,
  resource,
  Scope,
  workflow,
  WorkflowError,
  type Link,
  type Reader,
  type Resource,
  type StepOptions,
  type StepRef,
  type Store,
  type TaskContext,
  type Workflow,
  type WorkflowBuilder,
  type WorkflowResult,
  type WorkflowRunOptions,
  type Writer,
} from 'millrace';
import { IsInt } from 'class-validator';
import { expect, it } from 'vitest';
import { describeStores, type StoreKind } from './stores.js';

interface Item {
  n: number;
}
/** What one step does: how much of each input it reads, how much it writes, and whether it fails. */
interface Doing {
  /** Batches read of the left input, then of the right one; Infinity: all. */
  readonly left: number;
  readonly right: number;
  readonly rightFirst: boolean;
  /** Rows written to each output before anything is read; what is read is written on besides. */
  readonly rows: number;
  readonly fails: 'never' | 'first' | 'last' | 'always';
  readonly idles: boolean;
  /** Waits a moment after each batch that it reads. */
  readonly slow: boolean;
  /** Goes on for ever when it has done all else: until its signal is aborted, or for good. */
  readonly stays: 'no' | 'signal' | 'ignores';
  /** Fails when it is set up, or when it is closed. */
  readonly scope: 'fine' | 'fails' | 'late' | 'unclosed';
}

let doings: readonly Doing[] = [];
let held = 0;
const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
/** One for each way to be set up and closed. */
const scoped = (how: Doing['scope']): Resource<object> =>
  resource(async function* scoped(): AsyncGenerator<object> {
    if (how === 'fails') throw new Error('not set up');
    if (how === 'late') await moment();
    held++;
    try {
      yield {};
      await moment();
      if (how === 'unclosed') throw new Error('not closed');
    } finally {
      held--;
    }
  });

class Which {
  @IsInt() step!: number;
}

class Doer {
  readonly params!: Which;
  readonly left!: Reader<Item>;
  readonly right!: Reader<Item>;
  readonly to!: Writer<Item>;
  async run({ attempt, signal }: TaskContext): Promise<void> {
    const doing = doings[this.params.step]!;
    if (doing.fails === 'always' || (doing.fails === 'first' && attempt === 1)) throw new Error('fails at once');
    if (doing.idles) await new Promise<void>((resolve) => setTimeout(resolve, 1));
    await this.to.write(Array.from({ length: doing.rows }, (_, n) => ({ n })));
    const passes = [
      [this.left, doing.left],
      [this.right, doing.right],
    ] as const;
    for (const [reader, batches] of doing.rightFirst ? [...passes].reverse() : passes) await this.#pass(reader, batches);
    if (doing.stays === 'signal') await new Promise((resolve) => signal.addEventListener('abort', resolve));
    if (doing.stays === 'ignores') await new Promise(() => undefined);
    signal.throwIfAborted();
    if (doing.fails === 'last') throw new Error('fails at last');
  }
  async #pass(reader: Reader<Item>, batches: number): Promise<void> {
    const { slow } = doings[this.params.step]!;
    let read = 0;
    if (batches === 0) return;
    for await (const batch of reader.batches()) {
      await this.to.write([...batch]);
      if (slow) await moment();
      if (++read >= batches) return;
    }
  }
}
const ways = ['fine', 'fails', 'late', 'unclosed'] as const;
/** By what their scope does, and whether they read their left input again. */
const processors = Object.fromEntries(
  ways.flatMap((how) =>
    [false, true].map((rereads) => {
      const provider = scoped(how);
      @Processor({ name: `Doer_${how}_${String(rereads)}` })
      class Scoped extends Doer {
        @Params({ schema: Which }) declare readonly params: Which;
        @Input({ optional: true, rereads }) declare readonly left: Reader<Item>;
        @Input({ optional: true }) declare readonly right: Reader<Item>;
        @Output({ optional: true }) declare readonly to: Writer<Item>;
        @Depends(Scope.Task, provider) readonly scoped!: object;
      }
      return [`${how} ${String(rereads)}`, Scoped] as const;
    }),
  ),
);

interface Drawn {
  readonly doing: Doing;
  readonly rereads: boolean;
  readonly left: number;
  readonly right: number;
  readonly after: number;
  readonly bound: boolean;
  readonly keep: boolean;
  readonly skip: boolean;
  readonly retry: boolean;
  readonly timeout: boolean;
  readonly when: 'none' | 'true' | 'false' | 'throws' | 'never';
  /** Begins a workflow within, which the steps after it are part of until one ends it. */
  readonly nests: boolean;
}
/** The first of them, but for one time in twenty each. */
const rare = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> => fc.integer({ min: 0, max: 19 }).map((n) => others[n] ?? usual);
const seldom = fc.integer({ min: 0, max: 9 }).map((n) => n === 9);
const batches = fc.constantFrom(Infinity, Infinity, Infinity, Infinity, 0, 1, 3);
const fails = fc
  .integer({ min: 0, max: 29 })
  .map((n): Doing['fails'] => (n === 0 ? 'first' : n === 1 ? 'last' : n === 2 ? 'always' : 'never'));
const drawn: fc.Arbitrary<Drawn> = fc.record({
  doing: fc.record({
    left: batches,
    right: batches,
    rightFirst: fc.boolean(),
    rows: fc.constantFrom(0, 0, 10, 1000, 7000),
    fails,
    idles: seldom,
    slow: seldom,
    stays: rare('no' as const, 'signal' as const, 'ignores' as const),
    scope: rare('fine' as const, 'fails' as const, 'late' as const, 'unclosed' as const),
  }),
  rereads: seldom,
  left: fc.integer({ min: -2, max: 12 }),
  right: fc.integer({ min: -12, max: 12 }),
  after: fc.integer({ min: -20, max: 12 }),
  bound: seldom,
  keep: seldom,
  skip: seldom,
  retry: seldom,
  timeout: seldom,
  when: rare('none' as const, 'true' as const, 'false' as const, 'throws' as const, 'never' as const),
  nests: seldom,
});

function build(steps: readonly Drawn[]): Workflow {
  return workflow('drawn', (w) => addSteps(w, steps, 0));
}

/** Adds the steps from the one numbered `first` on; those after one that nests become a workflow of their own. */
function addSteps(w: WorkflowBuilder, steps: readonly Drawn[], first: number): { last: Link<Item> } {
  const refs: StepRef<Doer>[] = [];
  let last: Link<Item> | undefined;
  for (let index = first; index < steps.length; index++) {
    const step = steps[index]!;
    const to = (drawn: number): StepRef<Doer> | undefined => (drawn < 0 || refs.length === 0 ? undefined : refs[drawn % refs.length]);
    const [left, right, after] = [to(step.left)?.output('to'), to(step.right)?.output('to'), to(step.after)];
    const ref = w.step(processors[`${step.doing.scope} ${String(step.rereads)}`]!, {
      name: `s${String(index)}`,
      bind: {
        params: { step: index },
        ...(left === undefined ? {} : { left }),
        ...(right === undefined ? {} : { right }),
        ...(step.bound ? { to: `out${String(index)}` } : {}),
      },
      ...(after === undefined ? {} : { after: [after] }),
      keep: step.keep,
      onError: step.skip ? 'skip' : 'stop',
      ...(step.retry ? { retry: { attempts: 2, delay: index % 3 } } : {}),
      ...(step.timeout || step.doing.stays !== 'no' ? { timeout: 20 } : {}),
      ...(step.when === 'none' ? {} : { when: whens[step.when] }),
    });
    refs.push(ref);
    last = ref.output('to');
    if (!step.nests || index + 1 === steps.length) continue;
    const within = workflow(`within${String(index)}`, (inner) => addSteps(inner, steps, index + 1));
    return { last: w.workflow(within, { after: [ref] }).output('last') };
  }
  return { last: last! };
}

const whens: Readonly<Record<Exclude<Drawn['when'], 'none'>, NonNullable<StepOptions<Doer>['when']>>> = {
  true: () => true,
  false: () => Promise.resolve(false),
  throws: () => {
    throw new Error('cannot tell');
  },
  never: () => new Promise(() => undefined),
};

const finals = ['succeeded', 'failed', 'cancelled', 'skipped'];

/** Runs to the end; the result of a run that failed too. */
async function finish(
  drawnWorkflow: Workflow,
  options: WorkflowRunOptions,
  { store, closeTimeout }: { readonly store: Store; readonly closeTimeout: number },
): Promise<Omit<WorkflowResult, 'status'> & { readonly status: string }> {
  const app = await createApp({ stores: { default: store }, log: 'silent', closeTimeout });
  const ended = await Promise.race([
    app
      .workflow(drawnWorkflow)
      .run(options)
      .then(
        (result) => result,
        (error: unknown) => {
          if (error instanceof WorkflowError) return error.result;
          throw error;
        },
      ),
    new Promise<'hangs'>((resolve) => setTimeout(resolve, 20_000, 'hangs').unref()),
  ]);
  if (ended === 'hangs') throw new Error('the run does not end');
  for (let waited = 0; held > 0 && waited < 1000; waited++) await moment(); // closers that were given up end all the same
  expect(held).toBe(0);
  await app.close().catch(() => undefined); // what could not be closed is drawn so
  return ended;
}

/** How many rows each step writes and reads, were all of them to run to the end undisturbed. */
function expectedRows(steps: readonly Drawn[]): { readonly written: number; readonly left: number; readonly right: number }[] {
  const all: { written: number; left: number; right: number }[] = [];
  for (const { doing, left, right } of steps) {
    const from = (drawn: number): number => (drawn < 0 || all.length === 0 ? 0 : all[drawn % all.length]!.written);
    all.push({ left: from(left), right: from(right), written: doing.rows + from(left) + from(right) });
  }
  return all;
}

const graphs = Number(process.env['MILLRACE_GRAPHS'] ?? 60);
/** What a run costs on it, in runs on the store in memory. */
const costs: Readonly<Record<StoreKind, number>> = { memory: 1, embedded: 6, MongoDB: 20 };

describeStores('a run', (open, kind) => {
  const runs = Math.ceil(graphs / costs[kind]);
  it(
    'always ends, with every step in a final state and every scope closed',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(drawn, { minLength: 1, maxLength: 12 }),
          fc.record({
            timeout: fc.option(fc.integer({ min: 1, max: 20 }), { freq: 4 }),
            concurrency: fc.integer({ min: 1, max: 3 }),
            onFailure: fc.constantFrom('stop' as const, 'finish-branches' as const),
            cancelled: fc.option(fc.integer({ min: 0, max: 20 }), { freq: 3 }),
          }),
          async (steps, { concurrency, onFailure, cancelled, timeout }) => {
            doings = steps.map(({ doing }) => doing);
            held = 0;
            const stop = new AbortController();
            const timer = cancelled === null ? undefined : setTimeout(() => stop.abort(new Error('enough')), cancelled);
            // who asks for ever, or waits for ever, needs a bound
            const bound = timeout ?? (steps.some(({ when }) => when === 'never') ? 50 : undefined);
            const given = { concurrency, onFailure, signal: stop.signal, ...(bound === undefined ? {} : { timeout: bound }) };
            const { status, steps: ended } = await finish(build(steps), given, { store: open(), closeTimeout: 10 });
            clearTimeout(timer);
            expect(Object.keys(ended)).toHaveLength(steps.length);
            for (const step of Object.values(ended)) expect(finals).toContain(step.status);
            const counts = new Set(Object.values(ended).map((step) => step.status));
            if (status === 'succeeded') expect(counts.has('failed') || counts.has('cancelled')).toBe(false);
            if (status === 'failed' && bound === undefined) expect(counts.has('failed')).toBe(true);
          },
        ),
        { numRuns: runs },
      );
    },
    runs * 10_000,
  );

  it(
    'gives every reader all rows of every link, however they come',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(drawn, { minLength: 1, maxLength: 8 }),
          fc.integer({ min: 1, max: 3 }),
          async (drawnSteps, concurrency) => {
            const steps = drawnSteps.map((step): Drawn => ({
              ...step,
              when: 'none',
              nests: false,
              timeout: false,
              doing: {
                ...step.doing,
                ...{ left: Infinity, right: Infinity, fails: 'never', stays: 'no', scope: 'fine' },
                rows: Math.min(step.doing.rows, 1500),
              },
            }));
            doings = steps.map(({ doing }) => doing);
            const { steps: ended } = await finish(build(steps), { concurrency }, { store: open(), closeTimeout: 10_000 });
            for (const [index, expected] of expectedRows(steps).entries()) {
              const { inputs, outputs } = ended[`s${String(index)}`]?.result ?? {};
              expect([inputs?.['left']?.rows, inputs?.['right']?.rows, outputs?.['to']?.rows]).toEqual([
                expected.left,
                expected.right,
                expected.written,
              ]);
            }
          },
        ),
        { numRuns: Math.ceil(runs / 2) },
      );
    },
    runs * 10_000,
  );
});
