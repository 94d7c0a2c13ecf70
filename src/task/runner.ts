import { describeBindings, type GivenBindings } from '../binding/ports.js';
import { aRetry, aTimeout } from '../decorators/option.js';
import { MillraceError, TaskError, toError } from '../errors.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { EventListeners, Log, Retry, TaskEvent, TaskResult } from '../types.js';
import { runAttempt, type AttemptEnd } from './attempt.js';
import { newId } from './id.js';
import { describeDuration, describeTask, silentLog } from './log.js';
import { Monitor } from './monitor.js';
import { describeInputs, prepareTask, type PreparedTask } from './prepare.js';
import { retryDelay, systemClock } from './retry.js';
import type { RunRecord, TaskRecord } from './recorder.js';
import type { Runtime } from './runtime.js';
import { Masker } from './secrets.js';

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

function checkOptions({ name }: ProcessorSpec, { timeout, retry }: RunOptions): void {
  if (timeout === undefined && retry === undefined) return;
  const wrong = Object.entries({ timeout: aTimeout(timeout), retry: aRetry(retry) }).find(([, problem]) => problem !== undefined);
  if (wrong !== undefined) throw new MillraceError('CONFIG_INVALID', `Processor '${name}' run option '${wrong[0]}' ${wrong[1] ?? ''}`);
}

class TaskRun {
  readonly #runtime: Runtime;
  readonly #task: PreparedTask;
  readonly #given: GivenBindings;
  readonly #params: object | undefined;
  readonly #options: RunOptions;
  readonly #runId = newId();
  readonly #taskId = newId();
  readonly #metrics = new Map<string, number>();
  readonly #masker: Masker;
  readonly #log: Log;
  readonly #events: Runtime['events'];

  constructor(runtime: Runtime, task: PreparedTask, given: GivenBindings, params: object | undefined, options: RunOptions) {
    this.#runtime = runtime;
    this.#task = task;
    this.#given = given;
    this.#params = params;
    this.#options = options;
    this.#masker = new Masker(task.spec.params?.schema, params);
    this.#log = runtime.log === silentLog ? silentLog : this.#masker.log(runtime.log);
    this.#events = options.on === undefined ? runtime.events : runtime.events.extend(options.on);
  }

  async run(): Promise<TaskResult> {
    const started = this.#now();
    const begun = performance.now();
    const monitor = new Monitor();
    if (this.#events.has('run:start')) this.#events.emit('run:start', { runId: this.#runId, at: started });
    if (this.#runtime.announce) this.#log.info(this.#describe(), { runId: this.#runId });
    const { end, attempts } = await this.#attempts();
    const { ports } = end;
    const { inputs, outputs } = ports.counts('property');
    const result: TaskResult = {
      id: this.#taskId,
      runId: this.#runId,
      processor: this.#task.spec.name,
      status: 'succeeded',
      attempts,
      started,
      finished: this.#now(),
      ms: performance.now() - begun,
      inputs,
      outputs,
      metrics: this.#metrics.size === 0 ? noMetrics : Object.fromEntries(this.#metrics),
      monitor: monitor.stop(ports.batches),
    };
    if (end.status === 'succeeded') return this.#succeed(result, end);
    throw this.#fail(result, end);
  }

  async #attempts(): Promise<{ readonly end: AttemptEnd; readonly attempts: number }> {
    const { spec } = this.#task;
    const { signal } = this.#options;
    const retry = this.#options.retry ?? spec.retry;
    for (let attempt = 1; ; attempt++) {
      const end = await this.#attempt(attempt);
      const delay = end.status === 'failed' ? retryDelay(retry, attempt, end.error) : undefined;
      if (delay === undefined) return { end, attempts: attempt };
      if (this.#events.has('task:retry')) this.#events.emit('task:retry', { ...this.#facts(), attempt, error: toError(end.error), delay });
      this.#log.warn(
        `${spec.name}  attempt ${String(attempt)} failed: ${messageOf(end.error)}; the next one in ${describeDuration(delay)}`,
      );
      try {
        if (delay > 0) await (this.#runtime.clock ?? systemClock).sleep(delay, signal);
      } catch {
        // the signal was aborted while waiting: the run is cancelled
        return {
          end: { ...end, status: 'cancelled', code: 'TASK_CANCELLED', error: signal?.reason, path: [spec.name] },
          attempts: attempt,
        };
      }
    }
  }

  #attempt(attempt: number): Promise<AttemptEnd> {
    const { spec } = this.#task;
    this.#metrics.clear();
    if (this.#events.has('task:start')) this.#events.emit('task:start', Object.assign(this.#facts(), { attempt }));
    return runAttempt({
      runtime: this.#runtime,
      events: this.#events,
      task: this.#task,
      params: this.#params,
      runId: this.#runId,
      taskId: this.#taskId,
      attempt,
      log: this.#log,
      metrics: this.#metrics,
      signal: this.#options.signal,
      timeout: this.#options.timeout ?? spec.timeout,
      facts: () => this.#facts(),
    });
  }

  #succeed(result: TaskResult, end: AttemptEnd): TaskResult {
    this.#record(result, 'succeeded', end);
    if (this.#runtime.announce) this.#log.info(this.#describe({ ms: result.ms, status: 'succeeded' }, end), { runId: this.#runId });
    this.#emitEnd('succeeded', { result });
    return result;
  }

  #fail(result: TaskResult, end: AttemptEnd): TaskError {
    const status = end.status === 'cancelled' ? 'cancelled' : 'failed';
    const error = this.#error(result.attempts, end);
    this.#record(result, status, end, error);
    if (this.#runtime.announce) {
      this.#log.error(this.#describe({ ms: result.ms, status }, end), { runId: this.#runId, error: error.message });
    }
    this.#emitEnd(status, { error });
    return error;
  }

  #error(attempts: number, end: AttemptEnd): TaskError {
    const { name } = this.#task.spec;
    const facts = {
      cause: end.error,
      path: end.path ?? [name],
      taskId: this.#taskId,
      processor: name,
      attempts,
      ...(end.teardown === undefined ? {} : { teardown: end.teardown }),
    };
    const ignored =
      end.abandoned === true
        ? `; it ignored its signal for ${describeDuration(this.#runtime.closeTimeout)} and was given up: pass the signal on, or check it between rows`
        : '';
    const teardown = end.teardown === undefined ? '' : `; besides, ${end.teardown.message}`;
    const tried = attempts > 1 ? ` after ${String(attempts)} attempts` : '';
    const text = {
      TASK_FAILED: `Processor '${name}' failed${tried}: ${messageOf(end.error)}`,
      TASK_TIMEOUT: `${messageOf(end.error)}${tried}${ignored}`,
      TASK_CANCELLED: `Processor '${name}' was cancelled: ${messageOf(end.error)}${ignored}`,
    }[end.code ?? 'TASK_FAILED'];
    return new TaskError(end.code ?? 'TASK_FAILED', this.#masker.text(`${text}${teardown}`), facts);
  }

  #record(result: TaskResult, status: EndStatus, end: AttemptEnd, error?: TaskError): void {
    const { spec } = this.#task;
    const { runId, attempts, started, finished, ms, metrics, monitor } = result;
    const { inputs, outputs } = end.ports.counts('port');
    const bindings = {
      inputs: describeInputs(spec, this.#given, 'name'),
      outputs: describeBindings(spec.outputs, this.#given.outputs, 'name'),
    };
    const task: TaskRecord = {
      _id: result.id,
      runId,
      processor: spec.name,
      status,
      attempts,
      started,
      finished,
      ms,
      bindings,
      inputs,
      outputs,
      metrics,
      monitor,
    };
    const run: RunRecord = { _id: runId, kind: 'task', name: spec.name, status, started, finished, ms };
    if (error === undefined) {
      this.#runtime.recorder.task(task);
      this.#runtime.recorder.run(run);
    } else {
      this.#runtime.recorder.task({ ...task, error: { code: codeOf(error), message: error.message } });
      this.#runtime.recorder.run({ ...run, error: error.message });
    }
  }

  #emitEnd(status: EndStatus, outcome: { readonly result: TaskResult } | { readonly error: Error }): void {
    if (this.#events.has('task:end')) this.#events.emit('task:end', Object.assign(this.#facts(), { status }, outcome));
    if (this.#events.has('run:end')) this.#events.emit('run:end', { runId: this.#runId, at: this.#now(), status });
  }

  /** By the ports' own names, as people know them. */
  #describe(end?: { readonly ms: number; readonly status: EndStatus }, attempt?: AttemptEnd): string {
    const { spec } = this.#task;
    return describeTask({
      name: spec.name,
      inputs: describeInputs(spec, this.#given, 'name'),
      outputs: describeBindings(spec.outputs, this.#given.outputs, 'name'),
      ...(end === undefined || attempt === undefined ? {} : { counts: attempt.ports.counts('port'), end }),
    });
  }

  #facts(): TaskEvent {
    return { runId: this.#runId, taskId: this.#taskId, processor: this.#task.spec.name, at: this.#now() };
  }

  #now(): Date {
    return this.#runtime.clock?.now() ?? new Date();
  }
}

type EndStatus = 'succeeded' | 'failed' | 'cancelled';
const noMetrics: TaskResult['metrics'] = Object.freeze({});

/** The code of what went wrong: that of Millrace's own error beneath, where there is one. */
function codeOf(error: TaskError): string {
  return error.cause instanceof MillraceError && error.code === 'TASK_FAILED' ? error.cause.code : error.code;
}

function messageOf(error: unknown): string {
  return toError(error).message;
}
