import type { App } from '../project/app.js';
import { describeDuration } from '../task/log.js';
import type { StepStatus } from '../types.js';
import type { Colors, Output } from './output.js';

/** How often the steps are drawn: soon enough to look alive, seldom enough to cost nothing. */
const interval = 125;

interface StepState {
  readonly name: string;
  status: StepStatus | 'waiting' | 'running';
  /** By port: a step's count is that of its fullest. */
  rows: Map<string, number>;
  /** Rows that an input will give, where that is known. */
  readonly totals: Map<string, number>;
  started: number;
  ended: number;
  progress: { readonly done: number; readonly total: number | undefined } | undefined;
}

/** How far each step of a workflow is, and how that reads. */
export class StepsState {
  readonly #steps: ReadonlyMap<string, StepState>;
  readonly #now: () => number;

  /** @param now - milliseconds of any clock that only goes forward. */
  constructor(names: readonly string[], now = () => performance.now()) {
    this.#steps = new Map(
      names.map((name) => [
        name,
        { name, status: 'waiting', rows: new Map(), totals: new Map(), started: 0, ended: 0, progress: undefined },
      ]),
    );
    this.#now = now;
  }

  start(step: string): void {
    this.#change(step, (state) => {
      state.status = 'running';
      state.rows = new Map();
      state.progress = undefined;
      state.started = this.#now();
    });
  }

  setRows(step: string, port: string, rows: number): void {
    this.#change(step, (state) => state.rows.set(port, rows));
  }

  setTotal(step: string, port: string, total: number): void {
    this.#change(step, (state) => state.totals.set(port, total));
  }

  setProgress(step: string, done: number, total: number | undefined): void {
    this.#change(step, (state) => (state.progress = { done, total }));
  }

  end(step: string, status: StepStatus): void {
    this.#change(step, (state) => {
      state.status = status;
      state.ended = this.#now();
      if (state.started === 0) state.started = state.ended;
    });
  }

  /** A line a step, and one for the whole; where there is no room for all, those that run, and those that ended last. */
  lines(width: number, height: number, colors: Colors): readonly string[] {
    const steps = [...this.#steps.values()];
    const done = steps.filter(({ status }) => status !== 'waiting' && status !== 'running').length;
    const room = Math.max(1, height - 2);
    const shown = steps.length <= room ? steps : this.#foremost(steps, room);
    const size = Math.min(Math.max(0, ...shown.map(({ name }) => name.length)), Math.max(8, Math.floor(width / 2)));
    const left = steps.length > shown.length ? `, ${String(steps.length - shown.length)} not shown` : '';
    const lines = shown.map((step) => this.#line(step, size, width, colors));
    return [...lines, colors.dim(cut(`${String(done)} of ${String(steps.length)} steps${left}`, width))];
  }

  #foremost(steps: readonly StepState[], room: number): readonly StepState[] {
    const running = steps.filter(({ status }) => status === 'running');
    const ended = steps.filter(({ status }) => status !== 'running' && status !== 'waiting').sort((a, b) => b.ended - a.ended);
    const waiting = steps.filter(({ status }) => status === 'waiting');
    const chosen = new Set([...running, ...ended, ...waiting].slice(0, room));
    return steps.filter((step) => chosen.has(step));
  }

  #line(step: StepState, size: number, width: number, colors: Colors): string {
    const { name, status, started, ended } = step;
    const [mark, color] = marks[status];
    const rows = Math.max(0, ...step.rows.values());
    const ms = status === 'waiting' ? 0 : (status === 'running' ? this.#now() : ended) - started;
    const done = shareOf(step);
    const share = done === undefined ? [] : [`${String(Math.min(100, Math.floor(100 * done)))} %`];
    const facts = [
      ...(step.rows.size === 0 ? [] : [`${rows.toLocaleString('en')} rows`]),
      ...(status === 'running' && rows > 0 && ms > 0 ? [`${Math.round((rows * 1000) / ms).toLocaleString('en')}/s`] : []),
      ...(status === 'running' ? share : []),
      ...(ms > 0 ? [describeDuration(ms)] : []),
    ];
    const text = cut(`${mark} ${shorten(name, size).padEnd(size)}  ${status.padEnd(9)}  ${facts.join('  ')}`.trimEnd(), width);
    return colors[color](text);
  }

  #change(step: string, change: (state: StepState) => unknown): void {
    const state = this.#steps.get(step);
    if (state !== undefined) change(state);
  }
}

/** What the action says of itself, else how much of its largest input it has read. */
function shareOf({ progress, rows, totals }: StepState): number | undefined {
  if (progress !== undefined) return progress.total === undefined || progress.total === 0 ? undefined : progress.done / progress.total;
  const [largest] = [...totals].sort(([, a], [, b]) => b - a);
  return largest === undefined || largest[1] === 0 ? undefined : (rows.get(largest[0]) ?? 0) / largest[1];
}

const marks = {
  waiting: ['·', 'dim'],
  running: ['▶', 'cyan'],
  succeeded: ['✔', 'green'],
  reused: ['↻', 'green'],
  failed: ['✘', 'red'],
  cancelled: ['■', 'yellow'],
  skipped: ['–', 'dim'],
} as const satisfies Readonly<Record<StepState['status'], readonly [string, keyof Colors]>>;

/** Follows the events of an app. */
export function followSteps(app: App, state: StepsState): Disposable {
  const listeners = [
    app.on('task:start', ({ step }) => step !== undefined && state.start(step)),
    app.on('task:progress', ({ step, done, total }) => step !== undefined && state.setProgress(step, done, total)),
    app.on('port:rows', ({ step, port, rows }) => step !== undefined && state.setRows(step, port, rows)),
    app.on('task:end', ({ step, status }) => step !== undefined && state.end(step, status)),
  ];
  return {
    [Symbol.dispose]: () => {
      for (const listener of listeners) listener[Symbol.dispose]();
    },
  };
}

/**
 * Draws the steps on a terminal until what it answers is called: lines that are written meanwhile go above them.
 *
 * @param options - `leave`: whether they stay there at the end, as where the result goes elsewhere.
 */
export function drawSteps(state: StepsState, err: Output, { leave }: { readonly leave: boolean }): () => void {
  let drawn = 0;
  const clear = (): void => {
    if (drawn > 0) err.stream.write(`\r\u001b[${String(drawn)}A\u001b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    const lines = state.lines((err.width ?? 80) - 1, (err.stream as { readonly rows?: number }).rows || 24, err.colors);
    clear();
    err.stream.write(lines.map((line) => `${line}\n`).join(''));
    drawn = lines.length;
  };
  err.stream.write('\u001b[?25l');
  err.onLine(clear);
  // A second Ctrl-C ends the process while the cursor is hidden.
  const restore = (): void => void err.stream.write('\u001b[?25h');
  process.once('exit', restore);
  const timer = setInterval(draw, interval);
  draw();
  return () => {
    clearInterval(timer);
    process.off('exit', restore);
    if (leave) draw();
    else clear();
    err.onLine(undefined);
    restore();
  };
}

/** Names of many steps begin alike, and differ at their ends. */
function shorten(name: string, size: number): string {
  const end = Math.ceil((size - 1) / 2);
  return name.length <= size ? name : `${name.slice(0, size - 1 - end)}…${name.slice(-end)}`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`;
}
