import { CompositionError, type Fault } from '../../errors.js';
import type { App } from '../../project/app.js';
import { composeApp } from '../../project/compose-app.js';
import { toJson } from '../../task/log.js';
import { Masker } from '../../task/secrets.js';
import type { PlannedStep, WorkflowRunOptions } from '../../workflow/options.js';
import type { WorkflowSpec } from '../../workflow/spec.js';
import type { WorkflowTask } from '../../workflow/task.js';
import type { RunStatus, WorkflowResult } from '../../types.js';
import type { Cli } from '../command.js';
import { describeError, writeWorkflowEvents, withPortNames } from '../events.js';
import { conclude } from '../conclude.js';
import { describeFailure, isTaskError, UsageError } from '../failure.js';
import { drawSteps, followSteps, StepsState } from '../live-view.js';
import { createCliLog } from '../log.js';
import { tellPlan, tellSteps } from '../outcome-steps.js';
import type { RunCommandOptions } from '../run-options.js';
import { countSteps } from '../step-totals.js';
import { parseStepBindings, parseVariables } from '../steps.js';
import { withWorkflows, type Workspace } from '../workspace.js';

/** `millrace run NAME` of a workflow. */
export async function runWorkflow(options: RunCommandOptions, workspace: Workspace, spec: WorkflowSpec, cli: Cli): Promise<number> {
  if (options.params !== undefined)
    throw new UsageError('--params is for processors: give a workflow --variables, or bind --bind STEP.params=file:PATH.');
  const { workflows, catalogue } = workspace;
  const faults: readonly Fault[] = [...catalogue.faults, ...workflows.faults];
  if (faults.length > 0) throw new CompositionError(`Project '${catalogue.options.name}'`, faults);
  const given = runOptions(options, spec, cli.cwd);
  const live = !cli.json && !cli.quiet && cli.err.isTerminal && options.plan !== true;
  const app = await composeApp(
    { project: withWorkflows(workspace), stores: workspace.stores, log: createCliLog(cli) },
    live ? { announce: false } : {},
  );
  const command = new RunWorkflow(cli, app, spec);
  const signal = cli.interrupts.hold();
  const ended = await command.run(options, { ...given, signal }, live);
  return conclude(app, command, ended);
}

type Ended = { readonly plan: readonly PlannedStep[] } | { readonly result: WorkflowResult } | { readonly error: unknown };

function runOptions(options: RunCommandOptions, spec: WorkflowSpec, cwd: string): WorkflowRunOptions {
  const { timeout, concurrency, from, to, only, ignore, tags, variables, bind, onFailure } = options;
  const given = {
    ...{ timeout, concurrency, from, to, only, ignore, tags, onFailure },
    variables: variables === undefined ? undefined : parseVariables(spec, variables),
    bind: bind === undefined ? undefined : parseStepBindings(spec, bind, cwd),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

class RunWorkflow {
  readonly #cli: Cli;
  readonly #app: App;
  readonly #spec: WorkflowSpec;

  constructor(cli: Cli, app: App, spec: WorkflowSpec) {
    this.#cli = cli;
    this.#app = app;
    this.#spec = spec;
  }

  async run({ plan, resume }: RunCommandOptions, options: WorkflowRunOptions, live: boolean): Promise<Ended> {
    const task = this.#app.workflow(this.#spec.name);
    const runId = typeof resume === 'string' ? resume : undefined;
    try {
      if (plan === true) return { plan: await (resume === undefined ? task.plan(options) : task.planResume(runId, options)) };
      return { result: await this.#watched(live, options, () => this.#start(task, resume, runId, options)) };
    } catch (error) {
      return { error };
    }
  }

  tell(ended: Ended): void {
    const { out, json } = this.#cli;
    if ('plan' in ended) return json ? out.line(toJson(ended.plan)) : tellPlan(out, ended.plan);
    if ('result' in ended) return this.#tellResult(ended.result);
    const { error } = ended;
    const result = isTaskError(error)
      ? (error as { readonly result?: Omit<WorkflowResult, 'status'> & { readonly status: RunStatus } }).result
      : undefined;
    if (result !== undefined) this.#tellResult(result, error as Error);
    this.tellError(error);
  }

  tellError(error: unknown): void {
    const { err, debug } = this.#cli;
    err.line(describeFailure(error, err, { debug, mask: (text) => new Masker().text(text) }));
  }

  #start(
    task: WorkflowTask,
    resume: RunCommandOptions['resume'],
    runId: string | undefined,
    options: WorkflowRunOptions,
  ): Promise<WorkflowResult> {
    return resume === undefined ? task.run(options) : task.resume(runId, options);
  }

  async #watched(live: boolean, options: WorkflowRunOptions, run: () => Promise<WorkflowResult>): Promise<WorkflowResult> {
    const { out, err, json } = this.#cli;
    if (json) writeWorkflowEvents(this.#app, this.#spec, (line) => out.line(line));
    if (!live) return run();
    const state = new StepsState(this.#spec.steps.map(({ name }) => name));
    using _following = followSteps(this.#app, state);
    void countSteps(this.#app, this.#spec, options, state).catch(() => undefined); // the run says what is wrong
    const stop = drawSteps(state, err, { leave: !out.isTerminal });
    return await run().finally(stop);
  }

  #tellResult(result: Omit<WorkflowResult, 'status'> & { readonly status: RunStatus }, error?: Error): void {
    const { out, json } = this.#cli;
    if (!json) return tellSteps(out, this.#spec.name, result);
    const steps = Object.entries(result.steps).map(([name, { result: task, error: failed, ...step }]) => {
      const spec = this.#spec.steps.find((one) => one.name === name)?.processor;
      const told = { ...step, ...(failed === undefined ? {} : { error: describeError(failed, new Masker()) }) };
      return [name, { ...told, ...(task === undefined || spec === undefined ? {} : { result: withPortNames(spec, task) }) }];
    });
    const failure = error === undefined ? {} : { error: describeError(error, new Masker()) };
    out.line(toJson({ event: 'result', workflow: this.#spec.name, ...result, steps: Object.fromEntries(steps) as object, ...failure }));
  }
}
