import { MillraceError } from '../errors.js';
import { maskUrl } from '../mask.js';
import { newId } from '../task/id.js';
import { prepareTask } from '../task/prepare.js';
import { runStep } from '../task/runner.js';
import type { Runtime } from '../task/runtime.js';
import type { StepResult, StepStatus, TaskResult } from '../types.js';
import { outerPlaces, stampOf } from './fingerprint.js';
import type { Place } from './places.js';
import type { RunPlan } from './plan.js';
import type { StepState } from './step-state.js';
import { asksWhen } from './when.js';

/** What the steps of a run have in common. */
export interface Execution {
  readonly runtime: Runtime;
  readonly plan: RunPlan;
  /** Of the run. */
  readonly variables: Readonly<Record<string, unknown>>;
  endOf(step: number): StepResult | undefined;
}

/** Runs the task of a step; answers why it did not run, where its `when` says so. */
export function executeStep(state: StepState, execution: Execution): Promise<TaskResult | string> {
  const { spec, given, limits, index, task } = state.plan;
  const { graph, steps } = execution.plan.workflow;
  const places = outerPlaces(graph, steps, index);
  if (task === undefined || places.length > 0 || spec.behaviour.when !== undefined) return checkAndExecute(state, execution, places);
  return runStep(execution.runtime, task, given, limits, state);
}

async function checkAndExecute(state: StepState, execution: Execution, places: readonly Place[]): Promise<TaskResult | string> {
  const { spec, given, limits, task } = state.plan;
  const { runtime, plan } = execution;
  if (spec.behaviour.when !== undefined) {
    const variables = { ...plan.workflow.spec.variables, ...execution.variables };
    if (!(await asksWhen(spec.behaviour.when, state.canceller, { ...execution, variables }))) return 'its `when` is false';
  }
  if (places.length > 0) state.stamp = await stampOf(places, runtime.stores);
  const prepared = task ?? (await prepareTask(runtime, spec.processor, given));
  return runStep(runtime, prepared, given, limits, state);
}

/** Tells of a step that no task ran for, and that no task tells of. */
export function tellStep(runtime: Runtime, { step, runId, plan, events }: StepState, status: StepStatus, error?: Error): void {
  const facts = { runId, step, processor: plan.spec.processor.name, status };
  const at = runtime.clock?.now() ?? new Date();
  const taskId = newId();
  const code = error instanceof MillraceError ? error.code : 'TASK_FAILED';
  runtime.recorder.task({
    ...facts,
    _id: taskId,
    attempts: 0,
    started: at,
    finished: at,
    ms: 0,
    bindings: { inputs: {}, outputs: {} },
    inputs: {},
    outputs: {},
    metrics: {},
    monitor: { cpuMs: 0, peakMemory: 0, batches: 0 },
    ...(error === undefined ? {} : { error: { code, message: maskUrl(error.message) } }),
  });
  if (events.has('task:end')) events.emit('task:end', { ...facts, taskId, at, ...(error === undefined ? {} : { error }) });
}
