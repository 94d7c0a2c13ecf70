import { availableParallelism } from 'node:os';
import { MillraceError, TaskError, toError, WorkflowError } from '../errors.js';
import { describeDuration } from '../task/log.js';
import { systemClock } from '../task/retry.js';
import type { StepPlace } from '../task/runner.js';
import type { Runtime } from '../task/runtime.js';
import type { RunStatus, StepResult, TaskResult, WorkflowResult } from '../types.js';
import { executeStep, tellStep, type Execution } from './execute.js';
import { fingerprintOf, lineageOf } from './fingerprint.js';
import type { Graph } from './graph.js';
import type { WorkflowRunOptions } from './options.js';
import type { KeptOutput } from './fate.js';
import type { RunPlan } from './plan.js';
import type { StepJournal } from './record.js';
import { Units } from './units.js';
import { StepState, type Blocked, type StepOwner } from './step-state.js';

export interface WorkflowRunFacts {
  readonly runtime: Runtime;
  readonly events: Runtime['events'];
  readonly plan: RunPlan;
  readonly runId: string;
  readonly options: WorkflowRunOptions;
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
export class WorkflowRun implements StepOwner {
  readonly runId: string;
  readonly events: Runtime['events'];
  readonly journalStore: StepPlace['journalStore'];
  readonly #runtime: Runtime;
  readonly #plan: RunPlan;
  readonly #graph: Graph;
  readonly #options: WorkflowRunOptions;
  readonly #states: readonly StepState[];
  readonly #units: Units;
  readonly #execution: Execution;
  readonly #concurrency: number;
  /** Numbers of units. */
  readonly #ready: number[] = [];
  #nextReady = 0;
  readonly #ended: StepState[] = [];
  #nextEnded = 0;
  #running = 0;
  #left: number;
  #pumping = false;
  /** Set when no further step is to start. */
  #stopped: { readonly status: 'failed' | 'cancelled'; readonly reason: unknown } | undefined;
  #failed: StepState | undefined;
  #partial = false;
  #finish: () => void = () => undefined;

  constructor({ plan, options, runtime, events, runId }: WorkflowRunFacts) {
    this.runId = runId;
    this.events = events;
    const store = runtime.stores.get('default');
    this.journalStore = store.url === 'memory:' ? undefined : store; // what is in memory is gone with the process anyway
    this.#runtime = runtime;
    this.#plan = plan;
    this.#graph = plan.workflow.graph;
    this.#options = options;
    this.#concurrency = options.concurrency ?? availableParallelism();
    this.#states = plan.steps.map((step) => new StepState(step, this));
    this.#execution = { runtime, plan, variables: options.variables ?? {}, endOf: (step) => this.#states[step]?.end };
    this.#left = this.#states.length;
    this.#units = new Units(this.#states, this.#graph);
  }

  /** Resolves when every step has ended; how each did is in {@link results}. */
  async run(): Promise<RunStatus> {
    const { signal, timeout } = this.#options;
    const stopTimer = new AbortController();
    const onAbort = (): void => this.#stop('cancelled', signal?.reason);
    const done = new Promise<void>((resolve) => (this.#finish = resolve));
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    if (timeout !== undefined) this.#limit(timeout, stopTimer.signal);
    for (const unit of this.#units.unblocked()) this.#ready.push(unit);
    this.#pump();
    await done;
    stopTimer.abort();
    signal?.removeEventListener('abort', onAbort);
    return this.#status();
  }

  get results(): Readonly<Record<string, StepResult>> {
    const results: Record<string, StepResult> = {};
    for (const { step, end } of this.#states) results[step] = end ?? { status: 'skipped' };
    return results;
  }

  /** What a run that did not succeed rejects with. */
  error(status: 'failed' | 'cancelled', result: WorkflowResult): WorkflowError {
    const { name } = this.#plan.workflow.spec;
    const step = this.#failed?.step;
    const facts = { path: step === undefined ? [name] : [name, step], result: { ...result, status } };
    if (status === 'cancelled') {
      const cause = this.#stopped?.reason;
      return new WorkflowError('WORKFLOW_CANCELLED', `Workflow '${name}' was cancelled: ${toError(cause).message}`, { ...facts, cause });
    }
    const cause = this.#failed?.end?.error ?? toError(this.#stopped?.reason);
    const where = step === undefined ? '' : ` in step '${step}'`;
    return new WorkflowError('WORKFLOW_FAILED', `Workflow '${name}' failed${where}: ${cause.message}`, { ...facts, cause });
  }

  /** A step that waits for a stream has something to read, or will never have. */
  wake(index: number): void {
    const state = this.#states[index];
    if (state !== undefined && !state.begun && this.#units.holdsSlot(state.plan.unit)) this.#start(state);
  }

  hasUpstream({ plan }: StepState): boolean {
    return plan.reads.every(({ from }) => this.#states[from]?.end?.status === 'succeeded');
  }

  journal(state: StepState, outputs: TaskResult['outputs']): StepJournal {
    const { keeps } = state.plan;
    let kept: Record<string, KeptOutput> | undefined;
    for (const property in keeps) {
      const { ids, ...where } = keeps[property] ?? {};
      (kept ??= {})[property] = { ...where, rows: outputs[property]?.rows ?? 0, ...(ids === undefined ? {} : { hasIds: ids.hasIds }) };
    }
    return { runId: this.runId, step: state.step, lineage: this.#lineage(state), outputs: kept ?? nothingKept };
  }

  /** What a step is and what it read, all the way up. */
  #lineage(state: StepState): string {
    return (state.lineage ??= lineageOf(
      fingerprintOf(state.plan.spec),
      state.stamp,
      this.#graph.into[state.plan.index]!,
      (from) => this.#states[from]?.lineage ?? '',
    ));
  }

  #limit(timeout: number, signal: AbortSignal): void {
    const { clock = systemClock } = this.#runtime;
    clock.sleep(timeout, signal).then(
      () => {
        const { name } = this.#plan.workflow.spec;
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
      if (unit === undefined) break;
      const members = this.#units.membersOf(unit);
      const works = members.some(({ willRun }) => willRun);
      if (works && this.#running >= this.#concurrency) break;
      this.#nextReady++;
      if (works) this.#takeSlot(unit);
      this.#startAll(members);
    }
    this.#pumping = false;
    if (this.#left === 0) this.#finish();
  }

  #takeSlot(unit: number): void {
    this.#units.takeSlot(unit);
    this.#running++;
  }

  #startAll(members: readonly StepState[]): void {
    for (const state of members) {
      if (state.end !== undefined) continue;
      const { fate, reads } = state.plan;
      if (fate.does !== 'run') this.#end(state, { status: fate.does === 'reuse' ? 'reused' : 'skipped', reason: fate.reason });
      else if (state.blocked !== undefined) this.#skip(state, state.blocked.reason);
      else if (reads.length === 0) this.#start(state);
    }
  }

  #start(state: StepState): void {
    state.begun = true;
    executeStep(state, this.#execution).then(
      (result) => {
        if (typeof result === 'string') this.#skip(state, result);
        else this.#end(state, { status: 'succeeded', result });
      },
      (error: unknown) => {
        this.#onError(state, error);
      },
    );
  }

  #onError(state: StepState, thrown: unknown): void {
    const error = toError(thrown);
    const { aborted, reason } = state.canceller;
    if (aborted && (!(error instanceof TaskError) || error.code === 'TASK_CANCELLED')) {
      if (!(error instanceof TaskError)) tellStep(this.#runtime, state, state.cancelledAs);
      this.#end(state, { status: state.cancelledAs, error, reason: toError(reason).message });
      return;
    }
    if (!(error instanceof TaskError)) tellStep(this.#runtime, state, 'failed', error);
    if (state.plan.spec.behaviour.onError === 'skip') this.#partial = true;
    else {
      this.#failed ??= state;
      if (this.#options.onFailure !== 'finish-branches') this.#stop('failed', error, state);
    }
    this.#end(state, { status: 'failed', error });
  }

  #skip(state: StepState, reason: string): void {
    tellStep(this.#runtime, state, 'skipped');
    this.#end(state, { status: 'skipped', reason });
  }

  #end(state: StepState, end: StepResult): void {
    state.begun = true;
    state.end = end;
    state.closeStreams();
    if (end.status === 'reused') tellStep(this.#runtime, state, 'reused');
    this.#left--;
    this.#ended.push(state);
    this.#pump();
  }

  /** Lets what comes after a step know how it ended. */
  #passOn(state: StepState): void {
    const { plan, end } = state;
    if (end?.status === 'succeeded') for (const { channel } of plan.writes) channel.end();
    const block = this.#blocks(state);
    for (const { to, kind } of this.#graph.out[plan.index]!) {
      const next = this.#states[to];
      if (next === undefined) continue;
      if (block !== undefined && (kind !== 'after' || block.hard) && next.blocked?.hard !== true) next.blocked = block;
      if (next.plan.unit !== plan.unit) {
        if (this.#units.countDown(next.plan.unit)) this.#ready.push(next.plan.unit);
      } else if (next.blocked !== undefined) this.#breakOff(next, next.blocked);
      else next.upstreamEnded();
    }
    if (this.#units.leave(plan.unit)) this.#running--;
  }

  /** What the end of a step means for those after it; undefined where it gave what they need. */
  #blocks({ plan: { spec, fate }, end, blocked }: StepState): Blocked | undefined {
    if (end === undefined || fate.does !== 'run' || end.status === 'succeeded') return undefined;
    if (end.status === 'failed') return { reason: `'${spec.name}' failed`, hard: spec.behaviour.onError !== 'skip' };
    return { reason: blocked?.reason ?? `'${spec.name}' was ${end.status}`, hard: blocked?.hard ?? false };
  }

  /** A stream that a step reads, or was going to read, broke off. */
  #breakOff(state: StepState, { reason }: Blocked): void {
    if (state.end !== undefined) return;
    if (!state.begun) {
      this.#skip(state, reason);
      return;
    }
    if (this.#stopped === undefined) state.cancelledAs = 'skipped';
    state.canceller.cancel(new MillraceError('TASK_CANCELLED', reason));
  }

  /** Starts nothing more, and cancels what runs; but for `except`, which is ending. */
  #stop(status: 'failed' | 'cancelled', reason: unknown, except?: StepState): void {
    if (this.#stopped !== undefined || this.#left === 0) return;
    this.#stopped = { status, reason };
    const why = except === undefined ? toError(reason).message : `'${except.step}' failed`;
    const pumping = this.#pumping;
    this.#pumping = true; // what ends meanwhile is passed on when all is stopped
    for (const state of this.#states) {
      if (state.end !== undefined || state === except) continue;
      if (state.begun) state.canceller.cancel(except === undefined ? reason : new MillraceError('TASK_CANCELLED', why));
      else if (state.plan.fate.does === 'run') this.#skip(state, why);
    }
    this.#pumping = pumping;
    this.#pump();
  }

  #status(): RunStatus {
    if (this.#stopped?.status === 'cancelled') return 'cancelled';
    if (this.#stopped !== undefined || this.#failed !== undefined) return 'failed';
    return this.#partial ? 'partial' : 'succeeded';
  }
}

const nothingKept: StepJournal['outputs'] = Object.freeze({});
