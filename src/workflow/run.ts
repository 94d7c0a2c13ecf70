import { availableParallelism } from 'node:os';
import { MillraceError, TaskError, toError, WorkflowError } from '../errors.js';
import { Canceller } from '../task/canceller.js';
import { newId } from '../task/id.js';
import { describeDuration } from '../task/log.js';
import { prepareTask } from '../task/prepare.js';
import { systemClock } from '../task/retry.js';
import { runStep, type StepPlace } from '../task/runner.js';
import type { Runtime } from '../task/runtime.js';
import type { RunStatus, StepResult, StepStatus, TaskResult, WorkflowResult } from '../types.js';
import { fingerprintOf, lineageOf, outerPlaces, stampOf } from './fingerprint.js';
import type { WorkflowRunOptions } from './options.js';
import type { KeptOutput, RunPlan, RunStep } from './plan.js';
import type { StepJournal } from './record.js';
import { createWhenContext } from './when.js';

/** A step while its workflow runs. */
interface State extends RunStep {
  /** How it ended. */
  end: StepResult | undefined;
  /** Set when it is started, or is skipped. */
  begun: boolean;
  canceller: Canceller | undefined;
  cancelledAs: 'cancelled' | 'skipped';
  /** What its inputs held, and it with all that it stands on, once it is known. */
  stamp: string;
  lineage: string | undefined;
  /** Why it will not run: something that it needs is not there. */
  blocked: Blocked | undefined;
  /** Waiting, before it publishes, for the steps that it reads streams of. */
  mayPublish: { readonly promise: Promise<void>; resolve(): void } | undefined;
}

interface Blocked {
  readonly reason: string;
  /** A failure that stops its branch, whatever leads on from here; else only readers are skipped. */
  readonly hard: boolean;
}

/** Steps that run together, since streams join them. */
interface Unit {
  readonly members: State[];
  /** Edges from other units whose step has not ended. */
  waiting: number;
  /** Members that have not ended. */
  left: number;
  holdsSlot: boolean;
}

export interface WorkflowRunFacts {
  readonly runtime: Runtime;
  readonly plan: RunPlan;
  readonly runId: string;
  readonly options: WorkflowRunOptions;
  /** Whether what steps wrote is noted along with it, for a run that goes on after this one was killed. */
  readonly durable: boolean;
}

/**
 * Runs the steps of a plan: each when all that comes before it has ended, as many units at once as `concurrency` says. Counters tell
 * what is ready; nothing is searched for, and nothing recurs.
 *
 * ```
 *  waiting ── ready ──┬── running ──┬── succeeded
 *     │         │     │             ├── failed
 *     │         │     │             └── cancelled, or skipped where a stream that it read broke off
 *     └─────────┴─────┴── skipped, reused
 * ```
 */
export class WorkflowRun {
  readonly #facts: WorkflowRunFacts;
  readonly #events: Runtime['events'];
  readonly #states: readonly State[];
  readonly #units = new Map<number, Unit>();
  readonly #concurrency: number;
  readonly #ready: Unit[] = [];
  #nextReady = 0;
  readonly #ended: State[] = [];
  #nextEnded = 0;
  #running = 0;
  #left: number;
  #pumping = false;
  /** Set when no further step is to start. */
  #stopped: { readonly status: 'failed' | 'cancelled'; readonly reason: unknown } | undefined;
  #failed: State | undefined;
  #partial = false;
  #finish: () => void = () => undefined;

  constructor(facts: WorkflowRunFacts) {
    const { plan, options, runtime } = facts;
    this.#facts = facts;
    this.#events = options.on === undefined ? runtime.events : runtime.events.extend(options.on);
    this.#concurrency = options.concurrency ?? availableParallelism();
    this.#states = plan.steps.map((step) => ({ ...step, end: undefined, begun: false, canceller: undefined, cancelledAs: 'cancelled', blocked: undefined, mayPublish: undefined, stamp: '', lineage: step.fate.lineage }));
    this.#left = this.#states.length;
    for (const state of this.#states) this.#join(state);
  }

  /** Resolves when every step has ended; how each did is in {@link results}. */
  async run(): Promise<RunStatus> {
    const { signal, timeout } = this.#facts.options;
    const stopTimer = new AbortController();
    const onAbort = (): void => this.#stop('cancelled', signal?.reason);
    const done = new Promise<void>((resolve) => (this.#finish = resolve));
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    if (timeout !== undefined) this.#limit(timeout, stopTimer.signal);
    for (const unit of this.#units.values()) if (unit.waiting === 0) this.#ready.push(unit);
    this.#pump();
    await done;
    stopTimer.abort();
    signal?.removeEventListener('abort', onAbort);
    return this.#status();
  }

  get results(): Readonly<Record<string, StepResult>> {
    return Object.fromEntries(this.#states.map(({ spec, end }) => [spec.name, end ?? { status: 'skipped' }]));
  }

  /** What a run that did not succeed rejects with. */
  error(status: 'failed' | 'cancelled', result: WorkflowResult): WorkflowError {
    const { name } = this.#facts.plan.workflow.spec;
    const facts = { path: [name, ...(this.#failed === undefined ? [] : [this.#failed.spec.name])], result: { ...result, status } };
    if (status === 'cancelled') {
      const reason = this.#stopped?.reason;
      return new WorkflowError('WORKFLOW_CANCELLED', `Workflow '${name}' was cancelled: ${toError(reason).message}`, { ...facts, cause: reason });
    }
    const error = this.#failed?.end?.error ?? toError(this.#stopped?.reason);
    const where = this.#failed === undefined ? '' : ` in step '${this.#failed.spec.name}'`;
    return new WorkflowError('WORKFLOW_FAILED', `Workflow '${name}' failed${where}: ${error.message}`, { ...facts, cause: error });
  }

  /** A step that waits for a stream has something to read, or will never have. */
  wake(index: number): void {
    const state = this.#states[index];
    if (state !== undefined && !state.begun && this.#units.get(state.unit)?.holdsSlot === true) this.#start(state);
  }

  #join(state: State): void {
    let unit = this.#units.get(state.unit);
    if (unit === undefined) this.#units.set(state.unit, (unit = { members: [], waiting: 0, left: 0, holdsSlot: false }));
    unit.members.push(state);
    unit.left++;
    for (const { from } of this.#graph.into[state.index]!) if (this.#states[from]?.unit !== state.unit) unit.waiting++;
  }

  get #graph(): RunPlan['workflow']['graph'] {
    return this.#facts.plan.workflow.graph;
  }

  #limit(timeout: number, signal: AbortSignal): void {
    const { clock = systemClock } = this.#facts.runtime;
    clock.sleep(timeout, signal).then(
      () => {
        const { name } = this.#facts.plan.workflow.spec;
        this.#stop('failed', new MillraceError('TASK_TIMEOUT', `Workflow '${name}' took longer than ${describeDuration(timeout)}`));
      },
      () => undefined, // the run ended in time
    );
  }

  /** Starts what is ready, and passes on what has ended, until there is neither. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (;;) {
      const ended = this.#ended[this.#nextEnded];
      if (ended !== undefined) {
        this.#nextEnded++;
        this.#passOn(ended);
        continue;
      }
      const unit = this.#ready[this.#nextReady];
      if (unit === undefined || (this.#running >= this.#concurrency && unit.members.some((state) => this.#willRun(state)))) break;
      this.#nextReady++;
      this.#startUnit(unit);
    }
    this.#pumping = false;
    if (this.#left === 0) this.#finish();
  }

  #willRun({ fate, blocked, end }: State): boolean {
    return end === undefined && fate.does === 'run' && blocked === undefined;
  }

  #startUnit(unit: Unit): void {
    if (unit.members.some((state) => this.#willRun(state))) {
      unit.holdsSlot = true;
      this.#running++;
    }
    for (const state of unit.members) {
      if (state.end !== undefined) continue;
      if (state.fate.does !== 'run') this.#end(state, { status: state.fate.does === 'reuse' ? 'reused' : 'skipped', reason: state.fate.reason });
      else if (state.blocked !== undefined) this.#skip(state, state.blocked.reason);
      else if (state.reads.length === 0) this.#start(state);
    }
  }

  #start(state: State): void {
    state.begun = true;
    state.canceller = new Canceller();
    this.#execute(state, state.canceller).then(
      (result) => {
        if (typeof result === 'string') this.#skip(state, result);
        else this.#end(state, { status: 'succeeded', result });
      },
      (error: unknown) => {
        this.#onError(state, error);
      },
    );
  }

  /** Answers why it did not run, where its `when` says so. */
  async #execute(state: State, canceller: Canceller): Promise<TaskResult | string> {
    const { runtime } = this.#facts;
    const { spec, given } = state;
    const { when, on } = spec.behaviour;
    if (when !== undefined && !(await this.#asks(when, canceller))) return 'its `when` is false';
    const task = state.task ?? (await prepareTask(runtime, spec.processor, given));
    const places = outerPlaces(this.#graph, this.#facts.plan.workflow.steps, state.index);
    if (places.length > 0) state.stamp = await stampOf(places, runtime.stores);
    if (canceller.aborted) throw this.#cancelled(state, canceller.reason);
    const place: StepPlace = {
      runId: this.#facts.runId,
      step: spec.name,
      events: this.#events,
      canceller,
      get cancelledAs() {
        return state.cancelledAs;
      },
      mayPublish: () => this.#upstream(state),
      journal: (result) => this.#journal(state, result),
    };
    return runStep(runtime, task, given, { ...state.limits, ...(on === undefined ? {} : { on }) }, place);
  }

  async #asks(when: NonNullable<RunStep['spec']['behaviour']['when']>, canceller: Canceller): Promise<boolean> {
    const { plan, options, runtime } = this.#facts;
    const context = createWhenContext({ ...plan.workflow.spec.variables, ...options.variables }, plan, runtime, (index) => this.#states[index]?.end);
    const cancelled = new Promise<never>((_resolve, reject) => {
      canceller.addEventListener('abort', () => {
        reject(canceller.reason as Error);
      });
    });
    cancelled.catch(() => undefined); // it is raced, and may lose
    try {
      return await Promise.race([Promise.resolve(when(context)), cancelled]);
    } finally {
      canceller.removeEventListener();
    }
  }

  #cancelled({ spec }: State, reason: unknown): TaskError {
    const name = spec.processor.name;
    return new TaskError('TASK_CANCELLED', `Processor '${name}' was cancelled: ${toError(reason).message}`, { taskId: newId(), processor: name, attempts: 0, cause: reason, path: [name] });
  }

  #journal(state: State, { outputs }: { readonly outputs: TaskResult['outputs'] }): ReturnType<StepPlace['journal']> {
    const { runId, runtime, durable } = this.#facts;
    const { spec, keeps } = state;
    const kept: Record<string, KeptOutput> = {};
    for (const [property, where] of Object.entries(keeps)) kept[property] = { ...where, rows: outputs[property]?.rows ?? 0 };
    const row: StepJournal = { runId, step: spec.name, lineage: this.#lineage(state), outputs: kept };
    return { row, store: durable ? runtime.stores.get('default') : undefined };
  }

  /** What a step is and what it read, all the way up. */
  #lineage(state: State): string {
    return (state.lineage ??= lineageOf(
      fingerprintOf(state.spec),
      state.stamp,
      this.#graph.into[state.index]!,
      (from) => this.#states[from]?.lineage ?? '',
    ));
  }

  /** What a step read of a stream holds only when its writer has succeeded. */
  #upstream(state: State): Promise<void> | undefined {
    if (this.#hasUpstream(state)) return undefined;
    let resolve: () => void = () => undefined;
    const promise = new Promise<void>((settle) => (resolve = settle));
    state.mayPublish = { promise, resolve };
    return promise;
  }

  #hasUpstream({ reads }: State): boolean {
    return reads.every(({ from }) => this.#states[from]?.end?.status === 'succeeded');
  }

  #onError(state: State, thrown: unknown): void {
    const error = toError(thrown);
    const cancelled = state.canceller?.aborted === true && (!(error instanceof TaskError) || error.code === 'TASK_CANCELLED');
    if (cancelled) {
      this.#end(state, { status: state.cancelledAs, error, reason: toError(state.canceller?.reason).message });
      return;
    }
    if (!(error instanceof TaskError)) this.#tell(state, 'failed', error);
    const { onError } = state.spec.behaviour;
    if (onError === 'skip') this.#partial = true;
    else {
      this.#failed ??= state;
      if (this.#facts.options.onFailure !== 'finish-branches') this.#stop('failed', error, state);
    }
    this.#end(state, { status: 'failed', error });
  }

  #skip(state: State, reason: string): void {
    state.begun = true;
    for (const { reader } of state.reads) reader.close();
    this.#tell(state, 'skipped');
    this.#end(state, { status: 'skipped', reason });
  }

  #end(state: State, end: StepResult): void {
    if (state.end !== undefined) return;
    state.begun = true;
    state.end = end;
    for (const { reader } of state.reads) reader.close();
    if (end.status === 'reused') this.#tell(state, 'reused');
    this.#left--;
    this.#ended.push(state);
    this.#pump();
  }

  /** Lets what comes after a step know how it ended. */
  #passOn(state: State): void {
    const unit = this.#units.get(state.unit);
    const status = state.end?.status;
    if (status === 'succeeded') for (const { channel } of state.writes) channel.end();
    const block = this.#blocks(state);
    for (const { to, kind } of this.#graph.out[state.index]!) {
      const next = this.#states[to];
      if (next === undefined) continue;
      if (block !== undefined && (kind !== 'after' || block.hard)) next.blocked ??= block;
      if (block?.hard === true && kind !== 'after' && next.blocked?.hard === false) next.blocked = block;
      if (next.unit !== state.unit) this.#countDown(next.unit);
      else if (next.blocked !== undefined) this.#breakOff(next, next.blocked);
      else if (next.mayPublish !== undefined && this.#hasUpstream(next)) next.mayPublish.resolve();
    }
    if (unit === undefined || --unit.left > 0 || !unit.holdsSlot) return;
    unit.holdsSlot = false;
    this.#running--;
  }

  #countDown(index: number): void {
    const unit = this.#units.get(index);
    if (unit !== undefined && --unit.waiting === 0) this.#ready.push(unit);
  }

  /** What the end of a step means for those after it; undefined where it gave what they need. */
  #blocks({ spec, end, fate, blocked }: State): Blocked | undefined {
    if (end === undefined || fate.does !== 'run' || end.status === 'succeeded') return undefined;
    if (end.status === 'failed') return { reason: `'${spec.name}' failed`, hard: spec.behaviour.onError !== 'skip' };
    return { reason: blocked?.reason ?? `'${spec.name}' was ${end.status}`, hard: blocked?.hard ?? false };
  }

  /** A stream that a step reads, or was going to read, broke off. */
  #breakOff(state: State, { reason }: Blocked): void {
    if (state.end !== undefined) return;
    if (!state.begun) {
      this.#skip(state, reason);
      return;
    }
    if (this.#stopped === undefined) state.cancelledAs = 'skipped';
    state.canceller?.cancel(new MillraceError('TASK_CANCELLED', reason));
  }

  /** Starts nothing more, and cancels what runs; but for `except`, which is ending. */
  #stop(status: 'failed' | 'cancelled', reason: unknown, except?: State): void {
    if (this.#stopped !== undefined || this.#left === 0) return;
    this.#stopped = { status, reason };
    const why = status === 'cancelled' ? 'the run was cancelled' : except === undefined ? toError(reason).message : `'${except.spec.name}' failed`;
    const pumping = this.#pumping;
    this.#pumping = true; // what ends meanwhile is passed on when all is stopped
    for (const state of this.#states) {
      if (state.end !== undefined || state === except) continue;
      if (state.begun) state.canceller?.cancel(status === 'cancelled' ? reason : new MillraceError('TASK_CANCELLED', why));
      else if (state.fate.does === 'run') this.#skip(state, why);
    }
    this.#pumping = pumping;
    this.#pump();
  }

  #status(): RunStatus {
    if (this.#stopped?.status === 'cancelled') return 'cancelled';
    if (this.#stopped !== undefined || this.#failed !== undefined) return 'failed';
    return this.#partial ? 'partial' : 'succeeded';
  }

  /** Tells of a step that no task ran for, or not one that says so itself. */
  #tell({ spec }: State, status: StepStatus, error?: Error): void {
    const { runtime, runId } = this.#facts;
    const taskId = newId();
    const at = runtime.clock?.now() ?? new Date();
    const processor = spec.processor.name;
    runtime.recorder.task({
      _id: taskId,
      runId,
      step: spec.name,
      processor,
      status,
      attempts: 0,
      started: at,
      finished: at,
      ms: 0,
      bindings: { inputs: {}, outputs: {} },
      inputs: {},
      outputs: {},
      metrics: {},
      monitor: { cpuMs: 0, peakMemory: 0, batches: 0 },
      ...(error === undefined ? {} : { error: { code: error instanceof MillraceError ? error.code : 'TASK_FAILED', message: error.message } }),
    });
    if (this.#events.has('task:end')) this.#events.emit('task:end', { runId, taskId, processor, step: spec.name, at, status, ...(error === undefined ? {} : { error }) });
  }
}
