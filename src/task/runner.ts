import { describeBindings } from '../binding/describe.js';
import type { GivenBindings } from '../binding/resolved.js';
import { aRetry, aTimeout } from '../decorators/option.js';
import { MillraceError, toError, type TaskError } from '../errors.js';
import type { OpenPorts } from '../binding/open-ports.js';
import type { Note } from '../binding/publication.js';
import type { Store } from '../storage/store.js';
import type { Canceller } from './canceller.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { EventListeners, Log, Retry, TaskEvent, TaskResult } from '../types.js';
import { runAttempt, type AttemptEnd, type AttemptOwner } from './attempt.js';
import { newId } from './id.js';
import { describeDuration, describeTask, silentLog } from './log.js';
import { Monitor } from './monitor.js';
import { describeInputs, prepareTask, type PreparedTask } from './prepare.js';
import { retryDelay, systemClock } from './retry.js';
import { journalCollection, type TaskRecord } from './recorder.js';
import type { Runtime } from './runtime.js';
import { Masker } from './secrets.js';
import { messageOf, toTaskError } from './task-error.js';
import { toRunRecord, toTaskRecord, type EndStatus } from './task-record.js';

/** What one run does otherwise than its processor says. */
export interface RunOptions {
  /** Cancels the run. */
  readonly signal?: AbortSignal;
  /** Milliseconds for one attempt; default the processor's. */
  readonly timeout?: number;
  /** Default the processor's. */
  readonly retry?: Retry;
  /** Listeners for this run alone, besides the app's. */
  readonly on?: Omit<EventListeners, 'dependency:setup' | 'dependency:close'>;
}

/**
 * Runs one task: checks its bindings, makes its attempts, publishes, and writes its record.
 *
 * @throws BindingError where its bindings or parameters are at fault.
 * @throws TaskError where it failed, took too long, or was cancelled.
 */
export async function runTask(runtime: Runtime, spec: ProcessorSpec, given: GivenBindings, options: RunOptions): Promise<TaskResult> {
  checkOptions(spec, options);
  const task = await prepareTask(runtime, spec, given);
  const params = spec.params === undefined ? undefined : await task.params();
  return new TaskRun(runtime, task, given, params, options).run();
}

/** A task's place in the run of a workflow. */
export interface StepPlace {
  readonly runId: string;
  readonly step: string;
  /** Of the run. */
  readonly events: Runtime['events'];
  readonly canceller: Canceller;
  /** How a step that was cancelled is recorded. */
  readonly cancelledAs: 'cancelled' | 'skipped';
  /** Resolves when its outputs may be published. */
  mayPublish(): Promise<void> | undefined;
  /** What is kept of it for later runs. */
  journal(outputs: TaskResult['outputs']): object;
  /** Where that is noted along with what it publishes; undefined where nothing outlasts this process. */
  readonly journalStore: Store | undefined;
}

/**
 * Runs one task as a step of a workflow, whose run has a record and events of its own.
 *
 * @throws TaskError where it failed, took too long, or was cancelled.
 */
export function runStep(
  runtime: Runtime,
  task: PreparedTask,
  given: GivenBindings,
  options: RunOptions,
  place: StepPlace,
): Promise<TaskResult> {
  if (task.spec.params === undefined) return new TaskRun(runtime, task, given, undefined, options, place).run();
  return task.params().then((params) => new TaskRun(runtime, task, given, params, options, place).run());
}

function checkOptions({ name }: ProcessorSpec, { timeout, retry }: RunOptions): void {
  if (timeout === undefined && retry === undefined) return;
  const wrong = Object.entries({ timeout: aTimeout(timeout), retry: aRetry(retry) }).find(([, problem]) => problem !== undefined);
  if (wrong !== undefined) throw new MillraceError('CONFIG_INVALID', `Processor '${name}' run option '${wrong[0]}' ${wrong[1] ?? ''}`);
}

class TaskRun implements AttemptOwner {
  readonly #runtime: Runtime;
  readonly #task: PreparedTask;
  readonly #given: GivenBindings;
  readonly #params: object | undefined;
  readonly #options: RunOptions;
  readonly #place: StepPlace | undefined;
  readonly #runId: string;
  readonly #taskId = newId();
  readonly #started: Date;
  readonly #begun = performance.now();
  readonly #monitor = new Monitor();
  /** Of the attempt that is under way. */
  #metrics: Map<string, number> | undefined;
  readonly #masker: Masker;
  readonly #log: Log;
  readonly #events: Runtime['events'];

  constructor(
    runtime: Runtime,
    task: PreparedTask,
    given: GivenBindings,
    params: object | undefined,
    options: RunOptions,
    place?: StepPlace,
  ) {
    this.#place = place;
    this.#runId = place?.runId ?? newId();
    this.#runtime = runtime;
    this.#started = this.#now();
    this.#task = task;
    this.#given = given;
    this.#params = params;
    this.#options = options;
    this.#masker = params === undefined ? noSecrets : new Masker(task.spec.params?.schema, params);
    this.#log = runtime.log === silentLog ? silentLog : this.#masker.log(runtime.log);
    const events = place?.events ?? runtime.events;
    this.#events = options.on === undefined ? events : events.extend(options.on);
  }

  async run(): Promise<TaskResult> {
    this.#begin();
    const first = await this.#attempt(1);
    return first.status === 'failed' ? this.#again(first) : this.#finish(first, 1);
  }

  #begin(): void {
    const started = this.#started;
    if (this.#place === undefined && this.#events.has('run:start')) this.#events.emit('run:start', { runId: this.#runId, at: started });
    if (this.#runtime.announce) this.#log.info(this.#describe(), { runId: this.#runId });
  }

  #finish(end: AttemptEnd, attempts: number): TaskResult {
    const { ports } = end;
    const { inputs, outputs } = ports.counts('property');
    const result: TaskResult = {
      id: this.#taskId,
      runId: this.#runId,
      processor: this.#task.spec.name,
      status: 'succeeded',
      attempts,
      started: this.#started,
      finished: this.#finished(),
      ms: performance.now() - this.#begun,
      inputs,
      outputs,
      metrics: this.#metrics === undefined ? noMetrics : Object.fromEntries(this.#metrics),
      monitor: this.#monitor.stop(ports.batches),
    };
    if (end.status === 'succeeded') return this.#succeed(result, end);
    throw this.#fail(result, end);
  }

  /** Makes further attempts after one that failed, while there are any to make. */
  async #again(first: AttemptEnd): Promise<TaskResult> {
    const { spec } = this.#task;
    const signal =
      this.#options.signal ?? (this.#options.retry === undefined && spec.retry === undefined ? undefined : this.#place?.canceller.signal);
    const retry = this.#options.retry ?? spec.retry;
    let end = first;
    for (let attempt = 1; ; attempt++) {
      const mayRetry = end.status === 'failed' && !end.ports.mayBePublished; // what is committed would be written twice
      const delay = mayRetry ? this.#retryDelay(retry, attempt, end.error) : undefined;
      if (delay === undefined) return this.#finish(end, attempt);
      if (this.#events.has('task:retry')) this.#events.emit('task:retry', { ...this.facts(), attempt, error: toError(end.error), delay });
      this.#log.warn(
        `${spec.name}  attempt ${String(attempt)} failed: ${messageOf(end.error)}; the next one in ${describeDuration(delay)}`,
      );
      try {
        if (delay > 0) await (this.#runtime.clock ?? systemClock).sleep(delay, signal);
      } catch {
        // the signal was aborted while waiting: the run is cancelled
        return this.#finish({ ...end, status: 'cancelled', code: 'TASK_CANCELLED', error: signal?.reason, path: [spec.name] }, attempt);
      }
      end = await this.#attempt(attempt + 1);
    }
  }

  /** What the user's `on` throws must not take the place of why the attempt failed. */
  #retryDelay(retry: Retry | undefined, attempt: number, error: unknown): number | undefined {
    try {
      return retryDelay(retry, attempt, error);
    } catch (thrown) {
      this.#log.error(`${this.#task.spec.name}  retry.on failed, so there is no further attempt: ${messageOf(thrown)}`);
      return undefined;
    }
  }

  #attempt(attempt: number): Promise<AttemptEnd> {
    const { spec } = this.#task;
    this.#metrics = undefined;
    if (this.#events.has('task:start'))
      this.#events.emit('task:start', Object.assign(this.facts(attempt === 1 ? this.#started : undefined), { attempt }));
    return runAttempt({
      runtime: this.#runtime,
      events: this.#events,
      task: this.#task,
      params: this.#params,
      runId: this.#runId,
      taskId: this.#taskId,
      attempt,
      log: this.#log,
      signal: this.#place?.canceller ?? this.#options.signal,
      timeout: this.#options.timeout ?? spec.timeout,
      owner: this,
    });
  }

  #succeed(result: TaskResult, end: AttemptEnd): TaskResult {
    this.#record(result, 'succeeded', end);
    if (this.#runtime.announce) this.#log.info(this.#describe({ ms: result.ms, status: 'succeeded' }, end), { runId: this.#runId });
    this.#emitEnd('succeeded', result.finished, { result });
    return result;
  }

  #fail(result: TaskResult, end: AttemptEnd): TaskError {
    const status = end.status === 'cancelled' ? (this.#place?.cancelledAs ?? 'cancelled') : 'failed';
    const { closeTimeout } = this.#runtime;
    const facts = { processor: this.#task.spec.name, taskId: this.#taskId, attempts: result.attempts, closeTimeout };
    const error = toTaskError(end, facts, this.#masker);
    this.#record(result, status, end, error);
    if (this.#runtime.announce) {
      this.#log.error(this.#describe({ ms: result.ms, status }, end), { runId: this.#runId, error: error.message });
    }
    this.#emitEnd(status, result.finished, { error });
    return error;
  }

  #record(result: TaskResult, status: EndStatus, end: AttemptEnd, error?: TaskError): void {
    const { spec } = this.#task;
    const { recorder } = this.#runtime;
    const place = this.#place;
    const bindings = spec.inputs.length + spec.outputs.length === 0 && spec.params === undefined ? noBindings : this.#bindings();
    const task = toTaskRecord({ result, status, bindings, counts: end.ports.counts('port'), error });
    if (place === undefined) {
      recorder.task(task);
      recorder.run(toRunRecord(result, status, error));
    } else {
      recorder.task({ ...task, step: place.step, ...(status === 'succeeded' ? { journal: place.journal(result.outputs) } : {}) });
      recorder.hurry();
    }
  }

  #bindings(): TaskRecord['bindings'] {
    const { spec } = this.#task;
    return {
      inputs: describeInputs(spec, this.#given, 'name'),
      outputs: describeBindings(spec.outputs, this.#given.outputs, 'name'),
    };
  }

  metric(name: string, value: number): void {
    (this.#metrics ??= new Map()).set(name, value);
  }

  mayPublish(): Promise<void> | undefined {
    return this.#place?.mayPublish();
  }

  note(ports: OpenPorts): Note | undefined {
    const store = this.#place?.journalStore;
    const row = store === undefined ? undefined : this.#place?.journal(ports.counts('property').outputs);
    return row === undefined || store === undefined ? undefined : { store, collection: journalCollection, row };
  }

  #emitEnd(status: EndStatus, at: Date, outcome: { readonly result: TaskResult } | { readonly error: Error }): void {
    if (this.#events.has('task:end')) this.#events.emit('task:end', Object.assign(this.facts(at), { status }, outcome));
    if (this.#place === undefined && this.#events.has('run:end') && status !== 'skipped')
      this.#events.emit('run:end', { runId: this.#runId, at, status });
  }

  /** By the ports' own names, as people know them. */
  #describe(end?: { readonly ms: number; readonly status: EndStatus }, attempt?: AttemptEnd): string {
    const { spec } = this.#task;
    return describeTask({
      name: this.#place?.step ?? spec.name,
      inputs: describeInputs(spec, this.#given, 'name'),
      outputs: describeBindings(spec.outputs, this.#given.outputs, 'name'),
      ...(end === undefined || attempt === undefined ? {} : { counts: attempt.ports.counts('port'), end }),
    });
  }

  facts(at = this.#now()): TaskEvent {
    const processor = this.#task.spec.name;
    if (this.#place === undefined) return { runId: this.#runId, taskId: this.#taskId, processor, at };
    return { runId: this.#runId, taskId: this.#taskId, processor, step: this.#place.step, at };
  }

  /** Of a task that was over in the same millisecond: when it started, since a date takes more room than most else that is kept of it. */
  #finished(): Date {
    const { clock } = this.#runtime;
    return clock === undefined && Date.now() === this.#started.getTime() ? this.#started : this.#now();
  }

  #now(): Date {
    return this.#runtime.clock?.now() ?? new Date();
  }
}

const noSecrets = new Masker();
const noMetrics: TaskResult['metrics'] = Object.freeze({});
const noBindings: TaskRecord['bindings'] = Object.freeze({ inputs: Object.freeze({}), outputs: Object.freeze({}) });
