import { MillraceError, suggestName } from '../../errors.js';
import type { Store } from '../../storage/store.js';
import { describeCount, describeDuration, toJson as toJsonLine } from '../../task/log.js';
import { runsCollection, tasksCollection, unfinishedCollection, type RunRecord, type TaskRecord } from '../../task/recorder.js';
import type { PortCount } from '../../types.js';
import { isLive, type UnfinishedRun } from '../../workflow/record.js';
import type { Cli } from '../command.js';
import { exitCode } from '../failure.js';
import type { Output } from '../output.js';
import { printTable } from '../table.js';
import { countOf, toLocalTime } from '../text.js';
import { isAbsent, openStores } from '../workspace.js';

export interface RunsOptions {
  readonly id?: string;
  readonly store?: string;
  readonly limit?: number;
}

/** A record as it is stored: where it came from is added when it is written. */
type StoredRun = RunRecord & { readonly host?: string; readonly pid?: number; readonly commit?: string };

/** One that has not come to an end: its process is at it, or died. */
type OpenRun = Pick<StoredRun, '_id' | 'kind' | 'name' | 'started' | 'host' | 'pid' | 'commit' | 'error'> & {
  readonly status: 'running' | 'interrupted';
  readonly ms?: undefined;
};

/** A run with its tasks. */
type RunFacts = (StoredRun | OpenRun) & { readonly tasks: readonly TaskRecord[] };

/** `millrace runs [ID]`. */
export async function runs({ id, store: given, limit = 20 }: RunsOptions, cli: Cli): Promise<number> {
  const { out, err, json, quiet } = cli;
  const stores = await openStores(cli, given);
  try {
    const store = stores.get('default');
    if (id !== undefined) {
      const facts = await getRun(store, id);
      if (json) out.line(toText(facts));
      else printRun(facts, out);
      return exitCode.done;
    }
    const found = isAbsent(store) ? [] : await findRuns(store, {}, limit);
    if (json) out.line(toText(found));
    else if (found.length > 0) await printRuns(found, out);
    else if (!quiet) err.line(`No run has been recorded in ${store.url} yet.`);
    return exitCode.done;
  } finally {
    await stores.close();
  }
}

async function findRuns(store: Store, filter: Readonly<Record<string, unknown>>, limit: number): Promise<readonly RunFacts[]> {
  const newest = { sort: { started: -1, _id: -1 }, limit } as const;
  const ended = await store.find<StoredRun>(runsCollection, { filter, ...newest }).toArray();
  const unfinished = await store
    .find<UnfinishedRun>(unfinishedCollection, { filter: { ...filter, status: 'running' }, ...newest })
    .toArray();
  const recorded = new Set(ended.map(({ _id }) => _id));
  const open = unfinished.filter(({ _id }) => !recorded.has(_id)).map(toOpenRun);
  const records = [...open, ...ended].sort((a, b) => b.started.getTime() - a.started.getTime()).slice(0, limit);
  const tasks = await store
    .find<TaskRecord>(tasksCollection, { filter: { runId: { $in: records.map(({ _id }) => _id) } }, sort: { started: 1 } })
    .toArray();
  const byRun = new Map<string, TaskRecord[]>(records.map(({ _id }) => [_id, []]));
  for (const task of tasks) byRun.get(task.runId)?.push(task);
  return records.map((run) => ({ ...run, tasks: byRun.get(run._id) ?? [] }));
}

function toOpenRun(run: UnfinishedRun): OpenRun {
  const { _id, name, started, lease } = run;
  const facts = { _id, kind: 'workflow', name, started, host: lease.host, pid: lease.pid } as const;
  if (isLive(run)) return { ...facts, status: 'running' };
  return { ...facts, status: 'interrupted', error: `its process ended before it did: go on with 'millrace run ${name} --resume'` };
}

async function getRun(store: Store, id: string): Promise<RunFacts> {
  const found = isAbsent(store) ? [] : await findRuns(store, { _id: { $gte: id, $lt: `${id}\uffff` } }, 11);
  const [first, second] = found;
  if (first !== undefined && (second === undefined || first._id === id)) return first;
  if (second !== undefined) {
    throw new MillraceError(
      'RUN_UNKNOWN',
      `several runs begin with '${id}': ${found
        .slice(0, 10)
        .map((run) => run._id)
        .join(', ')}${found.length > 10 ? ', …' : ''}. Write more of its id.`,
    );
  }
  const known = isAbsent(store) ? [] : (await findRuns(store, {}, 100)).map((run) => run._id);
  throw new MillraceError('RUN_UNKNOWN', `no run '${id}' is recorded in ${store.url}. ${suggestName(id, known)}`);
}

async function printRuns(found: readonly RunFacts[], out: Output): Promise<void> {
  const columns = [
    { title: 'RUN' },
    { title: 'NAME' },
    { title: 'STATUS' },
    { title: 'STARTED' },
    { title: 'TOOK', align: 'right' as const },
    { title: 'ROWS' },
    { title: 'ERROR' },
  ];
  await printTable(
    out,
    columns,
    found.map((run) => [
      run._id,
      run.name,
      run.status,
      toLocalTime(run.started),
      run.ms === undefined ? '' : describeDuration(run.ms),
      describeRows(run.tasks),
      run.error ?? '',
    ]),
  );
}

/** `8 → 6, 2 rejected`: rows read and written by all tasks. */
function describeRows(tasks: readonly TaskRecord[]): string {
  const read = total(tasks.flatMap(({ inputs }) => Object.values(inputs)));
  const written = total(tasks.flatMap(({ outputs }) => Object.values(outputs)));
  const rejected = read.rejected + written.rejected;
  return `${read.rows.toLocaleString('en')} → ${written.rows.toLocaleString('en')}${rejected === 0 ? '' : `, ${rejected.toLocaleString('en')} rejected`}`;
}

function total(counts: readonly PortCount[]): PortCount {
  return counts.reduce((sum, { rows, rejected }) => ({ rows: sum.rows + rows, rejected: sum.rejected + rejected }), {
    rows: 0,
    rejected: 0,
  });
}

function printRun({ _id, name, status, started, ms, host, pid, commit, error, tasks }: RunFacts, out: Output): void {
  const { colors } = out;
  const took = ms === undefined ? '' : ` in ${describeDuration(ms)}`;
  out.line(`${colors.bold(name)} ${colored(status, out)}${took}  ${colors.dim(`run ${_id}`)}`);
  const origin = [
    ...(host === undefined ? [] : [`on ${host}`]),
    ...(pid === undefined ? [] : [`process ${String(pid)}`]),
    ...(commit === undefined ? [] : [`commit ${commit.slice(0, 12)}`]),
  ];
  out.line(colors.dim([`started ${toLocalTime(started)}`, ...origin].join('  ')));
  for (const task of tasks) printTask(task, out, tasks.length > 1 || task.processor !== name);
  if (error !== undefined) out.line(`${colors.red('error')}: ${error}`);
}

function printTask(
  { processor, step, status, attempts, ms, bindings, inputs, outputs, metrics, monitor, error }: TaskRecord,
  out: Output,
  named: boolean,
): void {
  const label = step === undefined || step === processor ? processor : `${step} (${processor})`;
  if (named) out.line(`${label} ${status} in ${describeDuration(ms)}${error === undefined ? '' : `: ${error.message}`}`);
  for (const [port, count] of Object.entries(inputs))
    out.line(`  ${port} ← ${bindings.inputs[port] ?? 'nothing'}  ${describeCount(count)}`);
  for (const [port, count] of Object.entries(outputs))
    out.line(`  ${port} → ${bindings.outputs[port] ?? 'nowhere'}  ${describeCount(count)}`);
  for (const [metric, value] of Object.entries(metrics)) out.line(`  ${metric}: ${value.toLocaleString('en')}`);
  const cost = [
    countOf(attempts, 'attempt'),
    `${describeDuration(monitor.cpuMs)} of processor time`,
    `${Math.round(monitor.peakMemory / 1e6).toLocaleString('en')} MB`,
  ];
  out.line(out.colors.dim(`  ${cost.join('  ')}`));
}

function colored(status: RunFacts['status'], { colors }: Output): string {
  return status === 'succeeded'
    ? colors.green(status)
    : status === 'partial' || status === 'cancelled' || status === 'running'
      ? colors.yellow(status)
      : colors.red(status);
}

function toText(value: object): string {
  return JSON.stringify(JSON.parse(toJsonLine(value)), undefined, 2);
}
