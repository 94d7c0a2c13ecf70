import { OpenPorts, type OpenOptions } from '../binding/open-ports.js';
import type { Note } from '../binding/publication.js';
import { MillraceError, ScopeCloseError } from '../errors.js';
import type { ScopeCore } from '../container/types.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { ConcreteClass, Log, TaskEvent } from '../types.js';
import type { Cancellation } from './canceller.js';
import { AttemptContext } from './context.js';
import type { EventHub } from './event-hub.js';
import { Interrupt } from './interrupt.js';
import type { PreparedTask } from './prepare.js';
import type { Runtime } from './runtime.js';

/** What one attempt works with. */
export interface AttemptOptions {
  readonly runtime: Runtime;
  readonly events: EventHub;
  readonly task: PreparedTask;
  readonly params: object | undefined;
  readonly runId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly log: Log;
  readonly signal: Cancellation | undefined;
  /** Milliseconds. */
  readonly timeout: number | undefined;
  readonly owner: AttemptOwner;
}

/** The task that an attempt is made for. */
export interface AttemptOwner {
  /** What every event of the task says. */
  facts(): TaskEvent;
  metric(name: string, value: number): void;
  /** Resolves when what was written may be published; undefined where it may be at once. */
  mayPublish(): Promise<void> | undefined;
  /** A row that is published along with the outputs, where these outlast the process. */
  note(ports: OpenPorts): Note | undefined;
}

/** How an attempt ended. `error` is what the action, a dependency, a port or the publish threw, as it was thrown. */
export interface AttemptEnd {
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly code?: 'TASK_FAILED' | 'TASK_TIMEOUT' | 'TASK_CANCELLED';
  readonly error?: unknown;
  /** What failed, outermost first. */
  readonly path?: readonly string[];
  /** Closers that failed besides. */
  readonly teardown?: ScopeCloseError;
  /** Whether the action was still running when it was given up. */
  readonly abandoned?: boolean;
  readonly ports: OpenPorts;
}

interface Action {
  run?(context: AttemptContext): unknown;
}

/**
 * One attempt: opens a TASK scope, sets up, constructs, runs the action, flushes, closes the scope, publishes. Never throws: how it
 * went is the answer.
 */
export async function runAttempt(options: AttemptOptions): Promise<AttemptEnd> {
  const work = new Work(options);
  const { ports } = work;
  try {
    work.throwIfInterrupted();
    const built = work.build();
    const action = work.start(built instanceof Promise ? await work.wait(built, 'set-up') : built);
    if (isThenable(action)) await work.wait(Promise.resolve(action), 'action');
    work.throwIfInterrupted();
    if (ports.hasOutputs) await work.wait(ports.flush(), 'outputs');
  } catch (error) {
    return work.fail(error);
  }
  ports.close('the task had ended');
  try {
    await work.scope?.close();
    const wait = options.owner.mayPublish();
    if (wait !== undefined) await work.wait(wait, 'outputs');
    work.throwIfInterrupted();
    if (ports.hasOutputs) await publish(options, ports);
    return { status: 'succeeded', ports };
  } catch (error) {
    await ports.abort();
    return { ...work.failure(error), ports };
  } finally {
    work.release();
  }
}

/** What the ports of an attempt are told of it. A class, since a function made for each attempt costs more than a short task can bear. */
class PortOptions implements OpenOptions {
  readonly #options: AttemptOptions;
  readonly id: string;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.id = `${options.taskId}-${String(options.attempt)}`;
  }

  get processor(): ProcessorSpec {
    return this.#options.task.spec;
  }

  get runId(): string {
    return this.#options.runId;
  }

  get freeze(): boolean {
    return this.#options.runtime.freeze;
  }

  get onRows(): OpenOptions['onRows'] {
    const { events, owner } = this.#options;
    return events.has('port:rows') ? (port, rows) => events.emit('port:rows', { ...owner.facts(), port, rows }) : undefined;
  }

  get onReject(): OpenOptions['onReject'] {
    const { runtime, attempt } = this.#options;
    return runtime.onReject === undefined ? undefined : (property, reject) => runtime.onReject?.(attempt, property, reject);
  }

  warn(message: string): void {
    this.#options.log.warn(message);
  }

  debug(message: string): void {
    this.#options.log.debug(message);
  }
}

async function publish({ events, owner, runtime, runId }: AttemptOptions, ports: OpenPorts): Promise<void> {
  const outputs = await ports.publish(owner.note(ports));
  if (ports.superseded.length > 0) runtime.recorder.superseded(runId, ports.superseded);
  if (outputs.length > 0 && events.has('publish')) events.emit('publish', { ...owner.facts(), outputs });
}

async function closeFailed(
  scope: { close(cause: unknown): Promise<void> } | undefined,
  cause: unknown,
): Promise<ScopeCloseError | undefined> {
  try {
    await scope?.close(cause);
    return undefined;
  } catch (error) {
    if (error instanceof ScopeCloseError) return error;
    throw error;
  }
}

/** The action under way: started, waited for, and given up when it is interrupted and does not end. */
class Work {
  readonly ports: OpenPorts;
  /** Undefined where nothing is to be set up or closed. */
  readonly scope: ScopeCore | undefined;
  readonly #options: AttemptOptions;
  readonly #interrupt: Interrupt | undefined;
  #abandoned = false;

  constructor(options: AttemptOptions) {
    const { runtime, task, signal, timeout } = options;
    const { name, class: processor } = task.spec;
    this.#options = options;
    this.ports = new OpenPorts(task.ports, new PortOptions(options));
    this.#interrupt =
      signal === undefined && timeout === undefined ? undefined : new Interrupt(`Processor '${name}'`, signal, timeout, runtime.clock);
    this.scope = runtime.container.hasDependencies(processor) ? runtime.container.open('TASK') : undefined;
  }

  build(): Action | Promise<Action> {
    const processor = this.#options.task.spec.class as ConcreteClass<Action>;
    return this.scope === undefined ? new processor() : this.scope.make<Action>(processor);
  }

  /** Closes and drops everything. */
  async fail(error: unknown): Promise<AttemptEnd> {
    const { ports } = this;
    ports.close(this.#interrupt?.kind === undefined ? 'the task had failed' : 'the task was cancelled');
    const teardown = await closeFailed(this.scope, error);
    if (ports.arrived !== undefined) await this.#endsInTime(ports.arrived);
    await ports.abort();
    this.release();
    return { ...this.failure(error), ...(teardown === undefined ? {} : { teardown }), ports };
  }

  release(): void {
    this.#interrupt?.release();
  }

  start(instance: Action): unknown {
    const { task, params, runId, taskId, attempt, log, owner } = this.#options;
    this.throwIfInterrupted();
    this.ports.assignTo(instance);
    if (task.spec.params !== undefined) {
      Object.defineProperty(instance, task.spec.params.property, { value: params, enumerable: true, configurable: true, writable: true });
    }
    if (typeof instance.run !== 'function') {
      log.warn(`Processor ${task.spec.name} has no action defined`);
      return undefined;
    }
    return instance.run(
      new AttemptContext({ runId, taskId, attempt, log, interrupt: this.#interrupt, ports: this.ports, owner, work: this }),
    );
  }

  progress(done: number, total?: number): void {
    const { events, owner } = this.#options;
    if (events.has('task:progress')) events.emit('task:progress', { ...owner.facts(), done, ...(total === undefined ? {} : { total }) });
  }

  /** Waits; interrupted, closes the ports and waits `closeTimeout` more for what ignores its signal. */
  async wait<T>(promise: Promise<T>, what: 'set-up' | 'action' | 'outputs'): Promise<T> {
    const interrupt = this.#interrupt;
    if (interrupt === undefined) return promise;
    try {
      return await Promise.race([promise, interrupt.promise]);
    } catch (error) {
      if (interrupt.kind === undefined) throw error;
      this.ports.close('the task was cancelled');
      if (what !== 'action') {
        promise.catch(() => undefined); // closing the scope, or dropping the outputs, ends it
        throw error;
      }
      if (!(await this.#endsInTime(promise))) this.#abandoned = true;
      throw error;
    }
  }

  /** Whether something ends within `closeTimeout`; how it ends is of no interest, since the outcome stands already. */
  async #endsInTime(promise: Promise<unknown>): Promise<boolean> {
    const { closeTimeout, clock } = this.#options.runtime;
    const stop = new AbortController();
    const ended = promise.then(yes, yes);
    const inTime = await Promise.race([ended, sleep(closeTimeout, stop.signal, clock)]);
    stop.abort();
    return inTime;
  }

  throwIfInterrupted(): void {
    if (this.#interrupt?.kind !== undefined) throw this.#interrupt.reason;
  }

  failure(error: unknown): Omit<AttemptEnd, 'ports'> {
    const kind = this.#interrupt?.kind;
    const name = this.#options.task.spec.name;
    if (kind !== undefined) {
      const abandoned = this.#abandoned ? { abandoned: true } : {};
      return { status: kind === 'TASK_CANCELLED' ? 'cancelled' : 'failed', code: kind, error, path: [name], ...abandoned };
    }
    const failed = { status: 'failed', code: 'TASK_FAILED' } as const;
    if (error instanceof MillraceError && error.code === 'DEPENDENCY_FAILED') return { ...failed, error: error.cause, path: error.path };
    return { ...failed, error, path: error instanceof MillraceError && error.path.length > 0 ? error.path : [name] };
  }
}

function sleep(ms: number, signal: AbortSignal, clock: AttemptOptions['runtime']['clock']): Promise<false> {
  if (clock !== undefined) return clock.sleep(ms, signal).then(no, no);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, false);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  });
}

function yes(): true {
  return true;
}

function no(): false {
  return false;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
