import { hostname } from 'node:os';
import { journalCollection, runsCollection, tasksCollection, type RunRecord, type TaskRecord } from '../task/recorder.js';
import type { Runtime } from '../task/runtime.js';
import type { RunStatus } from '../types.js';
import type { KeptOutput } from './plan.js';
import type { Slices } from './slice.js';

/** Milliseconds for which a run is known to be alive after a sign of life. */
const lease = 30_000;
/** Milliseconds between signs of life. */
const beat = 10_000;

/** The record of a workflow's run. */
export interface WorkflowRecord extends RunRecord {
  readonly kind: 'workflow';
  /** Until when nobody else may go on with it. */
  readonly lease: { readonly host: string; readonly pid: number; readonly until: Date };
  /** Which steps were asked for. */
  readonly slices: Slices;
  /** The run that it went on with. */
  readonly resumes?: string;
  /** Collections of Millrace's own that it may have written. */
  readonly spools: readonly string[];
}

/** What is kept of a step that has succeeded, for later runs. */
export interface StepJournal {
  readonly runId: string;
  readonly step: string;
  /** What it is and what it read, all the way up. */
  readonly lineage: string;
  readonly outputs: Readonly<Record<string, KeptOutput>>;
}

/** Runs of this process that have not ended. */
const living = new Set<string>();

/** Keeps the record of one run: written when it starts, renewed while it lives, closed when it ends. */
export class RunJournal {
  readonly #runtime: Runtime;
  #record: WorkflowRecord;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    runtime: Runtime,
    facts: Pick<WorkflowRecord, '_id' | 'name' | 'slices' | 'spools'> & { readonly resumes?: string; readonly started: Date },
  ) {
    this.#runtime = runtime;
    this.#record = { ...facts, kind: 'workflow', status: 'running', finished: facts.started, ms: 0, lease: this.#lease() };
  }

  /** Resolves when the record is stored: from then on the run can be gone on with. */
  async open(): Promise<void> {
    living.add(this.#record._id);
    this.#write({});
    await this.#runtime.recorder.flush();
    this.#timer = setInterval(() => {
      this.#write({ finished: new Date(), lease: this.#lease() });
    }, beat).unref();
  }

  /** Resolves when everything about the run is stored. */
  async close(status: RunStatus, ms: number, error?: string): Promise<void> {
    clearInterval(this.#timer);
    this.#write({
      status,
      finished: this.#runtime.clock?.now() ?? new Date(),
      ms,
      lease: { ...this.#lease(), until: new Date(0) },
      ...(error === undefined ? {} : { error }),
    });
    await this.#runtime.recorder.flush();
    living.delete(this.#record._id);
  }

  #write(change: Partial<WorkflowRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#runtime.recorder.run(this.#record);
  }

  #lease(): WorkflowRecord['lease'] {
    return { host: hostname(), pid: process.pid, until: new Date(Date.now() + lease) };
  }
}

/** Whether a run may still be under way: in this process, in one of this machine that lives, or elsewhere for as long as its lease holds. */
export function isLive({ _id, status, lease: { host, pid, until } }: WorkflowRecord): boolean {
  if (status !== 'running' || until.getTime() < Date.now()) return living.has(_id);
  if (host !== hostname()) return true;
  return pid === process.pid ? living.has(_id) : lives(pid);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives, and is somebody else's
  }
}

/** Runs of a workflow, the last first. */
export async function loadRuns(runtime: Runtime, name: string): Promise<WorkflowRecord[]> {
  await runtime.recorder.flush();
  const runs = await runtime.stores
    .get('default')
    .find<WorkflowRecord>(runsCollection, { filter: { kind: 'workflow', name } })
    .toArray();
  return runs.sort((a, b) => b.started.getTime() - a.started.getTime() || (a._id < b._id ? 1 : -1));
}

/** What steps of a run have done that succeeded. */
export async function loadJournal(runtime: Runtime, runId: string): Promise<StepJournal[]> {
  const store = runtime.stores.get('default');
  const staged = await store.find<StepJournal>(journalCollection, { filter: { runId } }).toArray();
  const tasks = await store.find<TaskRecord>(tasksCollection, { filter: { runId, status: 'succeeded' } }).toArray();
  const recorded = tasks.flatMap(({ journal }) => (journal === undefined ? [] : [journal as StepJournal]));
  return [...recorded, ...staged];
}

/** Drops what runs have kept for one that would go on with them. */
export async function dropKept(runtime: Runtime, runIds: readonly string[], spools: readonly string[]): Promise<void> {
  const store = runtime.stores.get('default');
  for (const spool of spools) await store.drop(spool);
  if (runIds.length > 0) await store.delete(journalCollection, { runId: { $in: runIds } });
}
