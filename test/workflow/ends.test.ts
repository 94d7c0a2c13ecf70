import 'reflect-metadata';
import fc from 'fast-check';
import {
  Depends,
  Input,
  memoryStore,
  Output,
  Params,
  Processor,
  resource,
  Scope,
  workflow,
  WorkflowError,
  type Link,
  type Reader,
  type StepOptions,
  type StepRef,
  type TaskContext,
  type Workflow,
  type WorkflowResult,
  type WorkflowRunOptions,
  type Writer,
} from 'millrace';
import { createTestApp } from 'millrace/testing';
import { IsInt } from 'class-validator';
import { describe, expect, it } from 'vitest';

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
}

let doings: readonly Doing[] = [];
let open = 0;
const scoped = resource(async function* scoped(): AsyncGenerator<object> {
  open++;
  try {
    yield {};
  } finally {
    open--;
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
    signal.throwIfAborted();
    if (doing.fails === 'last') throw new Error('fails at last');
  }
  async #pass(reader: Reader<Item>, batches: number): Promise<void> {
    let read = 0;
    if (batches === 0) return;
    for await (const batch of reader.batches()) {
      await this.to.write([...batch]);
      if (++read >= batches) return;
    }
  }
}
@Processor()
class Streaming extends Doer {
  @Params({ schema: Which }) declare readonly params: Which;
  @Input({ optional: true }) declare readonly left: Reader<Item>;
  @Input({ optional: true }) declare readonly right: Reader<Item>;
  @Output({ optional: true }) declare readonly to: Writer<Item>;
  @Depends(Scope.Task, scoped) readonly scoped!: object;
}
@Processor()
class Rereading extends Doer {
  @Params({ schema: Which }) declare readonly params: Which;
  @Input({ optional: true, rereads: true }) declare readonly left: Reader<Item>;
  @Input({ optional: true }) declare readonly right: Reader<Item>;
  @Output({ optional: true }) declare readonly to: Writer<Item>;
}

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
  readonly when: 'none' | 'true' | 'false';
}
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
  }),
  rereads: seldom,
  left: fc.integer({ min: -2, max: 12 }),
  right: fc.integer({ min: -12, max: 12 }),
  after: fc.integer({ min: -20, max: 12 }),
  bound: seldom,
  keep: seldom,
  skip: seldom,
  retry: seldom,
  when: fc.constantFrom('none', 'none', 'none', 'none', 'none', 'true', 'false'),
});

function build(steps: readonly Drawn[]): Workflow {
  return workflow('drawn', (w) => {
    const refs: StepRef<Doer>[] = [];
    for (const [index, step] of steps.entries()) {
      const to = (drawn: number): StepRef<Doer> | undefined => (drawn < 0 || refs.length === 0 ? undefined : refs[drawn % refs.length]);
      const link = (drawn: number): Link<Item> | undefined => to(drawn)?.output('to');
      const [left, right, after] = [link(step.left), link(step.right), to(step.after)];
      const bind = {
        params: { step: index },
        ...(left === undefined ? {} : { left }),
        ...(right === undefined ? {} : { right }),
        ...(step.bound ? { to: `out${String(index)}` } : {}),
      };
      const options: StepOptions<Doer> = {
        name: `s${String(index)}`,
        bind,
        ...(after === undefined ? {} : { after: [after] }),
        keep: step.keep,
        onError: step.skip ? 'skip' : 'stop',
        ...(step.retry ? { retry: { attempts: 2 } } : {}),
        ...(step.when === 'none' ? {} : { when: () => step.when === 'true' }),
      };
      refs.push(w.step(step.rereads ? Rereading : Streaming, options));
    }
  });
}

const finals = ['succeeded', 'failed', 'cancelled', 'skipped'];

/** Runs to the end; the result of a run that failed too. */
async function finish(
  drawnWorkflow: Workflow,
  options: WorkflowRunOptions,
): Promise<Omit<WorkflowResult, 'status'> & { readonly status: string }> {
  await using app = await createTestApp({ stores: { default: memoryStore() }, log: 'silent', closeTimeout: 2000 });
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
    new Promise<'hangs'>((resolve) => setTimeout(resolve, 8000, 'hangs').unref()),
  ]);
  if (ended === 'hangs') throw new Error('the run does not end');
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

const runs = Number(process.env['MILLRACE_GRAPHS'] ?? 60);

describe('a run', () => {
  it(
    'always ends, with every step in a final state and every scope closed',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(drawn, { minLength: 1, maxLength: 12 }),
          fc.record({
            concurrency: fc.integer({ min: 1, max: 3 }),
            onFailure: fc.constantFrom('stop' as const, 'finish-branches' as const),
            cancelled: fc.option(fc.integer({ min: 0, max: 20 }), { freq: 3 }),
          }),
          async (steps, { concurrency, onFailure, cancelled }) => {
            doings = steps.map(({ doing }) => doing);
            open = 0;
            const stop = new AbortController();
            const timer = cancelled === null ? undefined : setTimeout(() => stop.abort(new Error('enough')), cancelled);
            const { status, steps: ended } = await finish(build(steps), { concurrency, onFailure, signal: stop.signal });
            clearTimeout(timer);
            expect(Object.keys(ended)).toHaveLength(steps.length);
            for (const step of Object.values(ended)) expect(finals).toContain(step.status);
            expect(open).toBe(0);
            const counts = new Set(Object.values(ended).map((step) => step.status));
            if (status === 'succeeded') expect(counts.has('failed') || counts.has('cancelled')).toBe(false);
            if (status === 'failed') expect(counts.has('failed')).toBe(true);
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
              doing: { ...step.doing, left: Infinity, right: Infinity, fails: 'never', rows: Math.min(step.doing.rows, 1500) },
            }));
            doings = steps.map(({ doing }) => doing);
            const { steps: ended } = await finish(build(steps), { concurrency });
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
