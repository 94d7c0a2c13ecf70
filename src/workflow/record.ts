import { journalCollection, tasksCollection, unfinishedCollection, type TaskRecord } from '../task/recorder.js';
import type { Runtime } from '../task/runtime.js';
import type { RunStatus } from '../types.js';
import type { KeptOutput } from './fate.js';
import { forgetBindings, type KeptBindings } from './kept-bindings.js';
import type { KeptVariables } from './kept-variables.js';
import { beat, holds, living, newLease, type Lease } from './lease.js';
import { dropClaims } from './claim.js';
import type { Slices } from './slice.js';

/** A run of a workflow that is under way, or did not end well: what another one that goes on with it has to know. */
export interface UnfinishedRun {
  readonly _id: string;
  readonly name: string;
  readonly status: RunStatus | 'running';
  readonly started: Date;
  /** Until when nobody else may go on with it. */
  readonly lease: Lease;
  /** Which steps were asked for. */
  readonly slices: Slices;
  /** The time that `{now}` stands for in its definition: that of the first run, for those that go on with it. */
  readonly asOf: Date;
  /** What it was given. */
  readonly variables?: KeptVariables;
  readonly bind?: KeptBindings;
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

/** Keeps a run known while it is unfinished: noted when it starts, renewed while it lives, forgotten when it has succeeded. */
export class RunJournal {
  readonly #runtime: Runtime;
  #run: UnfinishedRun;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(runtime: Runtime, run: Omit<UnfinishedRun, 'status' | 'lease'>) {
    this.#runtime = runtime;
    this.#run = { ...run, status: 'running', lease: newLease() };
  }

  /** Resolves when the run is noted: from then on it can be gone on with. */
  async open(): Promise<void> {
    living.add(this.#run._id);
    try {
      await this.#store.insert(unfinishedCollection, [this.#run]);
    } catch (error) {
      living.delete(this.#run._id);
      throw error;
    }
    this.#timer = setInterval(() => {
      this.#write({ lease: newLease() });
    }, beat).unref();
  }

  /** Resolves when everything about the run is stored. */
  async close(status: RunStatus, ms: number, error?: string): Promise<void> {
    clearInterval(this.#timer);
    const { _id, name, started } = this.#run;
    const finished = this.#runtime.clock?.now() ?? new Date();
    this.#runtime.recorder.run({ _id, kind: 'workflow', name, status, started, finished, ms, ...(error === undefined ? {} : { error }) });
    if (status !== 'succeeded') this.#write({ status, lease: { ...newLease(), until: new Date(0) } });
    await this.#writing;
    await this.#runtime.recorder.flush();
    living.delete(_id);
  }

  get #store(): ReturnType<Runtime['stores']['get']> {
    return this.#runtime.stores.get('default');
  }

  #write(change: Partial<UnfinishedRun>): void {
    this.#run = { ...this.#run, ...change };
    const run = this.#run;
    this.#writing = this.#writing
      .then(() => this.#store.upsert(unfinishedCollection, ['_id'], [run]))
      .catch((error: unknown) => this.#runtime.log.warn(`the state of run ${run._id} could not be written: ${(error as Error).message}`));
  }
}

export function isLive({ _id, status, lease }: UnfinishedRun): boolean {
  return status === 'running' ? holds(_id, lease) : living.has(_id);
}

/** Unfinished runs of a workflow, the last first. */
export async function loadUnfinished(runtime: Runtime, name: string): Promise<UnfinishedRun[]> {
  const runs = await runtime.stores.get('default').find<UnfinishedRun>(unfinishedCollection, { filter: { name } }).toArray();
  return runs.sort((a, b) => b.started.getTime() - a.started.getTime() || (a._id < b._id ? 1 : -1));
}

/** What steps of a run have done that succeeded. */
export async function loadJournal(runtime: Runtime, runId: string): Promise<StepJournal[]> {
  await runtime.recorder.flush();
  const store = runtime.stores.get('default');
  const staged = await store.find<StepJournal>(journalCollection, { filter: { runId } }).toArray();
  const tasks = await store.find<TaskRecord>(tasksCollection, { filter: { runId, status: 'succeeded' } }).toArray();
  const recorded = tasks.flatMap(({ journal }) => (journal === undefined ? [] : [journal as StepJournal]));
  return [...recorded, ...staged];
}

/** Drops what runs have kept for one that would go on with them. */
export async function forgetRuns(runtime: Runtime, runs: readonly UnfinishedRun[]): Promise<void> {
  const store = runtime.stores.get('default');
  for (const { spools } of runs) for (const spool of spools) await store.drop(spool);
  const ids = runs.map(({ _id }) => _id);
  forgetBindings(ids);
  await dropClaims(store, ids);
  await store.delete(journalCollection, { runId: { $in: ids } });
  await store.delete(unfinishedCollection, { _id: { $in: ids } });
}
