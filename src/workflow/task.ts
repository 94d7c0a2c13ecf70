import { newId } from '../task/id.js';
import { describeDuration } from '../task/log.js';
import type { Runtime } from '../task/runtime.js';
import type { RunStatus, WorkflowResult } from '../types.js';
import { ActionHook, type RunAnother } from './action/hook.js';
import { applyBindings, type EffectiveWorkflow } from './effective.js';
import { checkRunOptions, type PlannedStep, type WorkflowRunOptions } from './options.js';
import type { Fate } from './fate.js';
import { keepBindings, restoreBindings } from './kept-bindings.js';
import { keepVariables, restoreVariables } from './kept-variables.js';
import { describePlan, planRun, type RunPlan } from './plan.js';
import { forgetRuns, RunJournal, type UnfinishedRun } from './record.js';
import { claimResumable, findForgotten, findResumable, findSuperseded, planReuse, slicesOf, type Resumable } from './resume.js';
import { WorkflowRun } from './run.js';
import { isSliced, selectSteps, type Slices } from './slice.js';
import type { WorkflowSpec } from './spec.js';

/** A workflow in an app: runs, says beforehand what it would do, and goes on where an earlier run stopped. */
export interface WorkflowTask {
  readonly name: string;
  /**
   * Runs every selected step.
   *
   * @throws {@link BindingError} before anything runs, with the faults of every step.
   * @throws {@link MillraceError} `STEP_UNKNOWN` or `SELECTION_EMPTY` where slices name nothing.
   * @throws {@link WorkflowError} where it failed or was cancelled; its `result` has every step.
   */
  run(options?: WorkflowRunOptions): Promise<WorkflowResult>;
  /** What would run and why, step by step; touches no data. */
  plan(options?: WorkflowRunOptions): Promise<readonly PlannedStep[]>;
  /**
   * Goes on with a run that failed or was killed: what it published or kept is reused.
   *
   * @param runId - default the last unfinished one.
   * @throws {@link MillraceError} `RUN_UNKNOWN` where there is none, or it is still under way.
   */
  resume(runId?: string, options?: WorkflowRunOptions): Promise<WorkflowResult>;
  /** What `resume` would do. */
  planResume(runId?: string, options?: WorkflowRunOptions): Promise<readonly PlannedStep[]>;
}

/** How a workflow is run by an action of another. */
export interface RunOrigin {
  readonly runAnother?: RunAnother;
  /** Workflows whose actions led here. */
  readonly chain?: readonly string[];
}

export function createWorkflowTask(runtime: Runtime, spec: WorkflowSpec, origin: RunOrigin = {}): WorkflowTask {
  return new BoundWorkflow(runtime, spec, origin);
}

class BoundWorkflow implements WorkflowTask {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #spec: WorkflowSpec;
  readonly #origin: RunOrigin;

  constructor(runtime: Runtime, spec: WorkflowSpec, origin: RunOrigin) {
    this.#runtime = runtime;
    this.#spec = spec;
    this.#origin = origin;
    this.name = spec.name;
  }

  async run(options: WorkflowRunOptions = {}): Promise<WorkflowResult> {
    checkRunOptions(this.name, options);
    return this.#enter(() => this.#run(options, newId()));
  }

  async plan(options: WorkflowRunOptions = {}): Promise<readonly PlannedStep[]> {
    checkRunOptions(this.name, options);
    const { workflow, fates } = this.#select(await this.#resolve(options, this.#now()), options);
    return describePlan(await this.#plan(workflow, fates, options, newId(), noRun));
  }

  async resume(runId?: string, options: WorkflowRunOptions = {}): Promise<WorkflowResult> {
    checkRunOptions(this.name, options);
    return this.#enter(async () => {
      const id = newId();
      const { claim, ...found } = await claimResumable(this.#runtime, this.name, runId, id);
      try {
        return await this.#run(continuing(options, found), id, found);
      } finally {
        await claim.release();
      }
    });
  }

  async planResume(runId?: string, options: WorkflowRunOptions = {}): Promise<readonly PlannedStep[]> {
    checkRunOptions(this.name, options);
    const found = await findResumable(this.#runtime, this.name, runId);
    const continued = continuing(options, found);
    const { workflow, fates } = await this.#reuse(await this.#resolve(continued, found.record.asOf), continued, found);
    return describePlan(await this.#plan(workflow, fates, continued, newId(), noRun));
  }

  #enter(start: () => Promise<WorkflowResult>): Promise<WorkflowResult> {
    this.#runtime.refuseIfClosed();
    const run = start();
    this.#runtime.enter(run);
    return run;
  }

  async #run(options: WorkflowRunOptions, runId: string, found?: Resumable): Promise<WorkflowResult> {
    const asOf = found?.record.asOf ?? this.#now();
    const spec = await this.#resolve(options, asOf);
    const { workflow, fates } = found === undefined ? this.#select(spec, options) : await this.#reuse(spec, options, found);
    const current: { run?: WorkflowRun } = {};
    const plan = await this.#plan(workflow, fates, options, runId, (step) => current.run?.wake(step));
    const events = options.on === undefined ? this.#runtime.events : this.#runtime.events.extend(options.on);
    const run = (current.run = new WorkflowRun({ runtime: this.#runtime, events, plan, runId, options }));
    const slices = found === undefined ? sliced(options) : slicesOf(options, found.record);
    const variables = keepVariables(options.variables ?? {}, spec.variableFacts?.secret);
    const bind = keepBindings(runId, options.bind);
    return this.#follow(run, plan, { slices, asOf, variables, bind, signal: options.signal }, found);
  }

  async #follow(
    run: WorkflowRun,
    plan: RunPlan,
    { signal, ...facts }: Pick<UnfinishedRun, 'slices' | 'asOf' | 'variables' | 'bind'> & { readonly signal: AbortSignal | undefined },
    found: Resumable | undefined,
  ): Promise<WorkflowResult> {
    const runtime = this.#runtime;
    const { runId, events } = run;
    const resumes = found === undefined ? {} : { resumes: found.record._id };
    const journal = new RunJournal(runtime, {
      _id: runId,
      name: this.name,
      ...facts,
      spools: plan.spools,
      started: this.#now(),
      ...resumes,
    });
    const { spec } = plan.workflow;
    const actions =
      spec.actions === undefined
        ? undefined
        : new ActionHook({ runtime, spec, runId, signal, chain: this.#origin.chain ?? [], runAnother: this.#origin.runAnother });
    const begun = performance.now();
    await journal.open();
    if (events.has('run:start')) events.emit('run:start', { runId, at: this.#now(), workflow: this.name });
    await actions?.begin(this.#now());
    const status = await run.run();
    const ms = performance.now() - begun;
    const result = { id: runId, status: status === 'partial' ? status : 'succeeded', ms, steps: run.results } as const;
    const error = status === 'failed' || status === 'cancelled' ? run.error(status, result) : undefined;
    await journal.close(status, ms, error?.message);
    await this.#drop(status, runId);
    if (runtime.announce) this.#announce(status, ms, plan, runId, error);
    if (events.has('run:end')) events.emit('run:end', { runId, at: this.#now(), workflow: this.name, status });
    await actions?.end(this.#now(), { status, ms, error, steps: result.steps });
    if (error !== undefined) throw error;
    return result;
  }

  #announce(status: RunStatus, ms: number, { steps }: RunPlan, runId: string, error: Error | undefined): void {
    const count = steps.filter(({ fate }) => fate.does === 'run').length;
    const line = `Workflow ${this.name}  ${String(count)} of ${String(steps.length)} steps  ${status} after ${describeDuration(ms)}`;
    if (error === undefined) this.#runtime.log.info(line, { runId });
    else this.#runtime.log.error(line, { runId, error: error.message });
  }

  /**
   * What was kept for a run that would go on with this one is not needed any more when it has succeeded; when it has not, runs that nobody
   * went on with for long make room. What cannot be dropped now goes with the next.
   */
  async #drop(status: RunStatus, runId: string): Promise<void> {
    try {
      const find = status === 'succeeded' ? findSuperseded : findForgotten;
      await forgetRuns(this.#runtime, await find(this.#runtime, this.name, runId));
    } catch (error) {
      this.#runtime.log.warn(`what workflow '${this.name}' kept for resuming could not be dropped: ${(error as Error).message}`);
    }
  }

  #now(): Date {
    return this.#runtime.clock?.now() ?? new Date();
  }

  /** The definition with the variables and the dates of this run. */
  async #resolve({ variables = {} }: WorkflowRunOptions, now: Date): Promise<WorkflowSpec> {
    return this.#spec.resolve === undefined ? this.#spec : this.#spec.resolve({ variables, now });
  }

  #select(spec: WorkflowSpec, options: WorkflowRunOptions): { readonly workflow: EffectiveWorkflow; readonly fates: readonly Fate[] } {
    const workflow = applyBindings(spec, options.bind ?? {}, this.#runtime.stores);
    const selected = this.#selected(workflow, options);
    const fates = workflow.steps.map((_, step) => (selected.has(step) ? isSelected : isNotSelected));
    return { workflow, fates };
  }

  async #reuse(
    spec: WorkflowSpec,
    options: WorkflowRunOptions,
    found: Resumable,
  ): Promise<{ readonly workflow: EffectiveWorkflow; readonly fates: readonly Fate[] }> {
    const workflow = applyBindings(spec, options.bind ?? {}, this.#runtime.stores);
    const selected = this.#selected(workflow, slicesOf(options, found.record));
    return { workflow, fates: await planReuse(this.#runtime, workflow, selected, found) };
  }

  #selected({ graph, steps }: EffectiveWorkflow, slices: Slices): ReadonlySet<number> {
    const { name, groups } = this.#spec;
    return isSliced(slices)
      ? selectSteps({ workflow: name, graph, tags: steps.map(({ tags }) => tags), groups }, slices)
      : new Set(steps.keys());
  }

  #plan(
    workflow: EffectiveWorkflow,
    fates: readonly Fate[],
    options: WorkflowRunOptions,
    runId: string,
    wake: (step: number) => void,
  ): Promise<RunPlan> {
    return planRun({ runtime: this.#runtime, workflow, fates, options, runId, wake });
  }
}

const isSelected: Fate = Object.freeze({ does: 'run', reason: 'selected' });
const isNotSelected: Fate = Object.freeze({ does: 'nothing', reason: 'not selected' });

/** With the variables and bindings of the run that is gone on with. */
function continuing(options: WorkflowRunOptions, { record }: Resumable): WorkflowRunOptions {
  return { ...options, variables: restoreVariables(record, options.variables), bind: restoreBindings(record, options.bind) };
}

function noRun(): void {
  // a plan wakes nobody
}

function sliced({ from, to, only, ignore, tags }: Slices): Slices {
  return Object.fromEntries(Object.entries({ from, to, only, ignore, tags }).filter(([, names]) => names !== undefined));
}
