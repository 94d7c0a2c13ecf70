import { isBinding, parseBinding } from '../binding/binding.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { App } from '../project/app.js';
import { describeDuration } from '../task/log.js';
import { portName } from './events.js';
import type { Output } from './output.js';

/** How often the bar is drawn: soon enough to look alive, seldom enough to cost nothing. */
const framesPerSecond = 8;
/** Milliseconds that a run may take before it gets a bar: a short one would see it flash. */
const patience = 400;
/** Characters of the bar itself. */
const barSize = 24;

/** What the bar is made for. */
export interface ProgressOptions {
  readonly app: App;
  readonly spec: ProcessorSpec;
  readonly err: Output;
  /** Rows that each input will give, by property, where that is known. */
  readonly totals: ReadonlyMap<string, number>;
}

/** Draws how far a run is, on one line of standard error, until what it answers is called. */
export async function drawProgress({ app, spec, err, totals }: ProgressOptions): Promise<() => void> {
  const { SingleBar } = (await import('cli-progress')).default;
  const state = new ProgressState(spec, totals);
  const bar = new SingleBar({
    stream: err.stream as NodeJS.WritableStream,
    fps: framesPerSecond,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    forceRedraw: true,
    format: () => state.line(err.width ?? 80),
  });
  const listeners = [
    app.on('port:rows', ({ port, rows }) => state.setRows(port, rows)),
    app.on('task:progress', ({ done, total }) => state.setProgress(done, total)),
    app.on('task:start', () => state.reset()),
  ];
  // What else is written takes the line of the bar, which is drawn anew below it.
  const start = setTimeout(() => {
    err.onLine(() => void err.stream.write('\r\u001b[2K'));
    bar.start(1, 0);
  }, patience);
  // A second Ctrl-C ends the process while the cursor is hidden and lines are not wrapped.
  const restore = (): void => void err.stream.write('\u001b[?7h\u001b[?25h');
  process.once('exit', restore);
  return () => {
    clearTimeout(start);
    process.off('exit', restore);
    for (const listener of listeners) listener[Symbol.dispose]();
    err.onLine(undefined);
    bar.stop();
  };
}

/** How far a run is, and how that reads. */
export class ProgressState {
  readonly #spec: ProcessorSpec;
  readonly #totals: ReadonlyMap<string, number>;
  readonly #rows = new Map<string, number>();
  #own: { readonly done: number; readonly total: number | undefined } | undefined;
  readonly #now: () => number;
  #started: number;

  /** @param now - milliseconds of any clock that only goes forward. */
  constructor(spec: ProcessorSpec, totals: ReadonlyMap<string, number>, now = () => performance.now()) {
    this.#spec = spec;
    this.#totals = totals;
    this.#now = now;
    this.#started = now();
  }

  setRows(property: string, rows: number): void {
    this.#rows.set(property, rows);
  }

  /** What the action itself says of its progress goes before what its ports tell. */
  setProgress(done: number, total: number | undefined): void {
    this.#own = { done, total };
  }

  /** Another attempt begins anew. */
  reset(): void {
    this.#rows.clear();
    this.#own = undefined;
    this.#started = this.#now();
  }

  /** `CleanPrices  raw 1,204 rows  512 rows/s  ███░░ 42%  3.1 s left`, no longer than a line of the terminal. */
  line(width: number): string {
    const { name, done, total, unit } = this.#measure();
    const seconds = (this.#now() - this.#started) / 1000;
    const rate = seconds > 0.2 ? done / seconds : 0;
    const parts = [
      this.#spec.name,
      `${name}${done.toLocaleString('en')}${unit}`,
      ...(rate > 0 ? [`${Math.round(rate).toLocaleString('en')}${unit}/s`] : []),
    ];
    if (total !== undefined) {
      const share = total > 0 ? Math.min(1, done / total) : 0;
      const filled = Math.round(share * barSize);
      parts.push(`${'█'.repeat(filled)}${'░'.repeat(barSize - filled)} ${String(Math.round(share * 100))}%`);
      if (rate > 0 && done < total) parts.push(`${describeDuration(((total - done) / rate) * 1000)} left`);
    } else {
      parts.push(describeDuration(seconds * 1000));
    }
    return parts.join('  ').slice(0, Math.max(1, width - 1));
  }

  #measure(): { readonly name: string; readonly done: number; readonly total: number | undefined; readonly unit: string } {
    if (this.#own !== undefined) return { name: '', ...this.#own, unit: '' };
    const port = this.#leading();
    if (port === undefined) return { name: '', done: 0, total: undefined, unit: ' rows' };
    return { name: `${portName(this.#spec, port)} `, done: this.#rows.get(port) ?? 0, total: this.#totals.get(port), unit: ' rows' };
  }

  /** The input with the most rows to come, else the port that moves most. */
  #leading(): string | undefined {
    const known = [...this.#rows.keys()].filter((port) => this.#totals.has(port));
    const by = known.length > 0 ? this.#totals : this.#rows;
    return (known.length > 0 ? known : [...this.#rows.keys()]).sort((a, b) => (by.get(b) ?? 0) - (by.get(a) ?? 0))[0];
  }
}

/** How many rows inputs will give, where a store can count them at once; a store that cannot says so when the run reads from it. */
export async function countInputs(
  app: App,
  spec: ProcessorSpec,
  given: ReadonlyMap<string, unknown>,
): Promise<ReadonlyMap<string, number>> {
  const totals = new Map<string, number>();
  for (const { property, binding: fallback } of spec.inputs) {
    const value = given.get(property) ?? fallback;
    const binding = typeof value === 'string' ? parseBinding(value) : value;
    if (Array.isArray(binding)) totals.set(property, binding.length);
    if (!isBinding(binding) || binding.kind !== 'collection') continue;
    const { pipeline, filter, skip = 0, limit = 0 } = binding.options;
    if (pipeline !== undefined || filter !== undefined) continue;
    const count = await app
      .store(binding.store)
      .count(binding.name)
      .catch(() => undefined);
    if (count !== undefined) totals.set(property, Math.min(Math.max(0, count - skip), limit === 0 ? Infinity : limit));
  }
  return totals;
}
