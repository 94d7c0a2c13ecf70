import 'reflect-metadata';
import { Input, Output, Processor, workflow, type Reader, type StepRef, type Workflow, type Writer } from '../../../src/index.js';

interface Item {
  n: number;
}
/** How the rows of a step outlast it: published, kept for the readers of its links, or not at all. */
export type Kind = 'bound' | 'kept' | 'streamed';
export interface DrawnStep {
  readonly kind: Kind;
  /** Steps that it reads from, by number. */
  readonly reads: readonly number[];
  readonly rows: number;
}

@Processor()
class Work {
  @Input({ optional: true }) readonly a!: Reader<Item>;
  @Input({ optional: true }) readonly b!: Reader<Item>;
  @Output() readonly to!: Writer<Item>;
  async run(): Promise<void> {
    for (const reader of [this.a, this.b]) {
      for await (const batch of reader.batches()) await this.to.write(batch.map(({ n }) => ({ n: n + 1 })));
    }
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}
@Processor()
class Source {
  @Output() readonly to!: Writer<Item>;
  @Input({ optional: true }) readonly rows!: Reader<Item>;
  async run(): Promise<void> {
    await this.to.write(this.rows);
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}

/** The same steps for the same seed, whatever process asks. */
export function drawSteps(seed: number): DrawnStep[] {
  let state = seed * 2654435761 + 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const count = 3 + random(6);
  const reads = Array.from({ length: count }, (_, step) => [
    ...new Set(Array.from({ length: step === 0 ? 0 : random(3) }, () => random(step))),
  ]);
  const isRead = (step: number): boolean => reads.some((from) => from.includes(step));
  return reads.map((from, step) => ({
    reads: from,
    rows: 1 + random(50),
    kind: isRead(step) ? (['bound', 'kept', 'streamed', 'streamed'] as const)[random(4)]! : 'bound',
  }));
}

export function drawWorkflow(steps: readonly DrawnStep[]): Workflow {
  return workflow('drawn', (w) => {
    const refs: StepRef<Source>[] = [];
    for (const [index, { kind, reads, rows }] of steps.entries()) {
      const [a, b] = reads.map((from) => refs[from]!.output('to'));
      const out = kind === 'bound' ? { to: `out${String(index)}` } : {};
      const options = { name: `s${String(index)}`, keep: kind === 'kept' };
      const ref =
        a === undefined
          ? w.step(Source, { ...options, bind: { rows: Array.from({ length: rows }, (_, n) => ({ n })), ...out } })
          : w.step(Work, { ...options, bind: { a, ...(b === undefined ? {} : { b }), ...out } });
      refs.push(ref as unknown as StepRef<Source>);
    }
  });
}
