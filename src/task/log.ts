import type { Log, PortCount, RunStatus, StepStatus } from '../types.js';

type Level = keyof Log;

/** Nothing is written. */
export const silentLog: Log = Object.freeze({ debug: nothing, info: nothing, warn: nothing, error: nothing });

/** Lines on stderr: for people where that is a terminal, else one JSON object a line. Debug lines only with `MILLRACE_LOG=debug`. */
export function createLog(): Log {
  const write = process.stderr.isTTY ? writeHuman : writeJson;
  const debug = process.env['MILLRACE_LOG'] === 'debug';
  return Object.freeze({
    debug: debug ? (message: string, facts?: object) => write('debug', message, facts) : nothing,
    info: (message: string, facts?: object) => write('info', message, facts),
    warn: (message: string, facts?: object) => write('warn', message, facts),
    error: (message: string, facts?: object) => write('error', message, facts),
  });
}

/** `1,204 rows, 3 rejected`. */
export function describeCount({ rows, rejected }: PortCount): string {
  const count = `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`;
  return rejected === 0 ? count : `${count}, ${rejected.toLocaleString('en')} rejected`;
}

/** `420 ms`, `0.8 s`, `2 m 5 s`. */
export function describeDuration(ms: number): string {
  if (ms < 500) return `${String(Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${String(Math.floor(seconds / 60))} m ${String(Math.round(seconds % 60))} s`;
}

/** One line for a task: its name, each port with its binding and, where they are known, its counts, then how long it took. */
export function describeTask(task: {
  readonly name: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly counts?: { readonly inputs: Readonly<Record<string, PortCount>>; readonly outputs: Readonly<Record<string, PortCount>> };
  readonly end?: { readonly ms: number; readonly status: RunStatus | StepStatus };
}): string {
  const side = (
    bindings: Readonly<Record<string, string>>,
    counts: Readonly<Record<string, PortCount>> | undefined,
    arrow: string,
  ): string[] =>
    Object.entries(bindings).map(([port, text]) => {
      const count = counts?.[port];
      return `${port} ${arrow} ${text}${count === undefined ? '' : ` (${describeCount(count)})`}`;
    });
  const end =
    task.end === undefined ? [] : [`${task.end.status === 'succeeded' ? '' : `${task.end.status} after `}${describeDuration(task.end.ms)}`];
  return [task.name, ...side(task.inputs, task.counts?.inputs, '←'), ...side(task.outputs, task.counts?.outputs, '→'), ...end].join('  ');
}

/** People are spared the id of the run: the records have it. */
function writeHuman(level: Level, message: string, facts: object = {}): void {
  const mark = level === 'info' ? '' : `${level}: `;
  const shown = Object.fromEntries(Object.entries(facts).filter(([name]) => name !== 'runId'));
  const rest = Object.keys(shown).length === 0 ? '' : `  ${toJson(shown)}`;
  process.stderr.write(`${mark}${message}${rest}\n`);
}

function writeJson(level: Level, message: string, facts: object | undefined): void {
  process.stderr.write(`${toJson({ time: new Date().toISOString(), level, message, ...facts })}\n`);
}

/** Facts are the user's: what JSON cannot hold is written as text rather than losing the line. */
export function toJson(facts: object): string {
  const seen = new WeakSet<object>();
  return JSON.stringify(facts, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return '[seen above]';
    seen.add(value);
    return value;
  });
}

function nothing(): void {
  // a level that is not shown
}
