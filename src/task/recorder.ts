import { execFile } from 'node:child_process';
import { hostname } from 'node:os';
import type { Store, Superseded } from '../storage/store.js';
import type { Log, PortCount, RunStatus, StepStatus, TaskMonitor } from '../types.js';

export const runsCollection = '_millrace_runs';
export const tasksCollection = '_millrace_tasks';
/** Which runs' outputs were taken the place of by runs that were under way at the same time. */
const supersededCollection = '_millrace_superseded';
/** Runs of workflows that are under way, or did not end well. */
export const unfinishedCollection = '_millrace_unfinished';
/** What their steps have done. */
export const journalCollection = '_millrace_journal';

/** How a run went, as it is kept in the default store. */
export interface RunRecord {
  readonly _id: string;
  readonly kind: 'task' | 'workflow';
  /** Of the processor or workflow. */
  readonly name: string;
  readonly status: RunStatus;
  readonly started: Date;
  readonly finished: Date;
  readonly ms: number;
  /** The message of the error, secrets masked. */
  readonly error?: string;
  /** Outputs that another run published at the same time, after this one: what this run wrote is gone from them. */
  readonly superseded?: readonly { readonly collection: string; readonly by: string }[];
}

interface SupersededRecord {
  readonly runId: string;
  readonly collection: string;
  readonly by: string;
  readonly at: Date;
}

/** How a task went. Ports by their own names. */
export interface TaskRecord {
  readonly _id: string;
  readonly runId: string;
  readonly processor: string;
  readonly step?: string;
  readonly status: StepStatus;
  readonly attempts: number;
  readonly started: Date;
  readonly finished: Date;
  readonly ms: number;
  readonly bindings: { readonly inputs: Readonly<Record<string, string>>; readonly outputs: Readonly<Record<string, string>> };
  readonly inputs: Readonly<Record<string, PortCount>>;
  readonly outputs: Readonly<Record<string, PortCount>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly monitor: TaskMonitor;
  readonly error?: { readonly code: string; readonly message: string };
  /** What a later run needs to know to use what this step wrote. */
  readonly journal?: object;
}

/** Records are sent when there are so many, or after so many milliseconds. */
const most = 200;
const latest = 1000;
/** How many are kept; the oldest beyond them are dropped when as many new ones have come. */
const keptRuns = 5000;
const keptTasks = 50_000;

/** Where the records of runs go. */
export interface Recorder {
  task(record: TaskRecord): void;
  run(record: RunRecord): void;
  /** Notes on other runs' records that this one's outputs took the place of theirs. */
  superseded(by: string, runs: readonly Superseded[]): void;
  /** Stores soon what was recorded so far, rather than when it is worth a batch. */
  hurry(): void;
  /** Resolves when everything recorded so far is stored. */
  flush(): Promise<void>;
}

/** For unit tests: nothing is kept. */
export const noRecorder: Recorder = Object.freeze({
  task: nothing,
  run: nothing,
  superseded: nothing,
  hurry: nothing,
  flush: () => Promise.resolve(),
});

/** Writes records in batches, beside the work: a record that cannot be written is a warning, never a failed run. */
export class StoreRecorder implements Recorder {
  readonly #store: () => Store;
  readonly #log: Log;
  #runs: RunRecord[] = [];
  #tasks: TaskRecord[] = [];
  #superseded: SupersededRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #hurried: NodeJS.Immediate | undefined;
  readonly #sinceTrim = { runs: 0, tasks: 0 };

  constructor(store: () => Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  task(record: TaskRecord): void {
    this.#tasks.push(record);
    this.#schedule();
  }

  run(record: RunRecord): void {
    this.#runs.push(record);
    this.#schedule();
  }

  superseded(by: string, runs: readonly Superseded[]): void {
    const at = new Date();
    for (const { collection, runId } of runs) this.#superseded.push({ runId, collection, by, at });
    this.#schedule();
  }

  hurry(): void {
    this.#hurried ??= setImmediate(() => {
      this.#hurried = undefined;
      void this.flush();
    });
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [runs, tasks, superseded] = [this.#runs, this.#tasks, this.#superseded];
    this.#runs = [];
    this.#tasks = [];
    this.#superseded = [];
    if (runs.length + tasks.length + superseded.length > 0) this.#sending = this.#sending.then(() => this.#send(runs, tasks, superseded));
    return this.#sending;
  }

  #schedule(): void {
    if (this.#tasks.length >= most) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), latest).unref();
  }

  async #send(runs: readonly RunRecord[], tasks: readonly TaskRecord[], superseded: readonly SupersededRecord[]): Promise<void> {
    try {
      const store = this.#store();
      const from = await (origin ??= readOrigin());
      if (superseded.length > 0) await store.insert(supersededCollection, superseded);
      if (tasks.length > 0) await store.insert(tasksCollection, tasks);
      if (runs.length > 0) {
        await store.insert(
          runsCollection,
          runs.map((run) => Object.assign(run, from)),
        );
      }
      await markSuperseded(store, [...runs.map(({ _id }) => _id), ...superseded.map(({ runId }) => runId)]);
      await this.#trim(store, runs.length, tasks.length);
    } catch (error) {
      this.#log.warn(`run records could not be written: ${(error as Error).message}`);
    }
  }

  /** Drops the oldest beyond those that are kept: runs with their tasks, and tasks of runs of very many steps. */
  async #trim(store: Store, runs: number, tasks: number): Promise<void> {
    const since = this.#sinceTrim;
    since.runs += runs;
    since.tasks += tasks;
    if (since.runs >= keptRuns) {
      since.runs = 0;
      const before = await findOldestKept(store, runsCollection, keptRuns);
      if (before !== undefined) await store.delete(runsCollection, { started: { $lte: before } });
      if (before !== undefined) await store.delete(supersededCollection, { at: { $lte: before } });
      if (before !== undefined) await dropTasks(store, before);
    }
    if (since.tasks < keptTasks) return;
    since.tasks = 0;
    const before = await findOldestKept(store, tasksCollection, keptTasks);
    if (before !== undefined) await dropTasks(store, before);
  }
}

/**
 * Says on the records of runs what became of their outputs. Who took the place and who is told so are two processes, and either may
 * come first: each writes what it has to say before it looks for what the other has said, and looks again after it has put that
 * together.
 */
async function markSuperseded(store: Store, runIds: readonly string[]): Promise<void> {
  const look = (): Promise<SupersededRecord[]> =>
    store.find<SupersededRecord>(supersededCollection, { filter: { runId: { $in: runIds } } }).toArray();
  let marked = 0;
  for (let marks = await look(); marks.length > marked; marks = await look()) {
    await putMarks(store, marks);
    marked = marks.length;
  }
}

async function putMarks(store: Store, marks: readonly SupersededRecord[]): Promise<void> {
  const records = await store.find<RunRecord>(runsCollection, { filter: { _id: { $in: marks.map(({ runId }) => runId) } } }).toArray();
  const marked = records.map((run) => ({
    ...run,
    superseded: marks.filter(({ runId }) => runId === run._id).map(({ collection, by }) => ({ collection, by })),
  }));
  await store.upsert(runsCollection, ['_id'], marked);
}

/** When the newest of those began that are not kept any more; undefined where there are none, or hardly any. */
async function findOldestKept(store: Store, collection: string, kept: number): Promise<Date | undefined> {
  const excess = (await store.count(collection)) - kept;
  if (excess < kept / 2) return undefined;
  // they are stored in the order in which they ended, which is near enough to that in which they started
  const [oldest] = await store.find<RunRecord>(collection, { skip: excess - 1, limit: 1 }).toArray();
  return oldest?.started;
}

/** What a run that did not end well has done is known by the records of its tasks. */
async function dropTasks(store: Store, before: Date): Promise<void> {
  const unfinished = await store.find<{ _id: string }>(unfinishedCollection, { projection: { _id: 1 } }).toArray();
  await store.delete(tasksCollection, { started: { $lte: before }, runId: { $nin: unfinished.map(({ _id }) => _id) } });
}

let origin: Promise<object> | undefined;

/** Which machine and which commit of the working directory a run came from. */
async function readOrigin(): Promise<object> {
  const commit = await new Promise<string | undefined>((resolve) => {
    execFile('git', ['rev-parse', 'HEAD'], { timeout: 2000 }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : undefined); // no git, or no repository: the run has no commit
    });
  });
  return { host: hostname(), pid: process.pid, ...(commit === undefined ? {} : { commit }) };
}

function nothing(): void {
  // not recorded
}
