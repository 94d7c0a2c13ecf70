import type { Channel, ChannelReader } from '../binding/channel.js';
import { describeBindings } from '../binding/describe.js';
import type { GivenBindings } from '../binding/resolved.js';
import { BindingError, type Fault } from '../errors.js';
import { describeInputs, findBareTask, prepareTask, type PreparedTask } from '../task/prepare.js';
import type { RunOptions } from '../task/runner.js';
import type { Retry } from '../types.js';
import type { EffectiveWorkflow } from './effective.js';
import type { Fate } from './fate.js';
import type { PlannedLink, PlannedStep, WorkflowRunOptions } from './options.js';
import type { StepSpec } from './spec.js';
import { chooseTransports } from './transport.js';
import { Wiring, type Keeps, type WiringInput } from './wiring.js';

/** A step of a run, with everything that it needs to start. */
export interface RunStep {
  readonly index: number;
  readonly spec: StepSpec;
  readonly fate: Fate;
  /** Steps joined by streams share one. */
  readonly unit: number;
  readonly given: GivenBindings;
  /** Checked; undefined where a port can be checked only when a step before has written what it reads. */
  readonly task: PreparedTask | undefined;
  /** Its own, else its processor's, else the run's. */
  readonly limits: Pick<RunOptions, 'timeout' | 'retry'>;
  /** Streams that it reads, and streams that it writes. */
  readonly reads: readonly { readonly from: number; readonly reader: ChannelReader }[];
  readonly writes: readonly { readonly channel: Channel; readonly readers: readonly number[] }[];
  readonly links: readonly PlannedLink[];
  readonly keeps: Keeps;
}

export interface RunPlan {
  readonly workflow: EffectiveWorkflow;
  readonly steps: readonly RunStep[];
  /** Collections of Millrace's own that the run may write. */
  readonly spools: readonly string[];
}

export interface PlanInput extends WiringInput {
  readonly options: WorkflowRunOptions;
}

/**
 * Says how each link's rows will come and checks every port of every step that will run. Touches no data.
 *
 * @throws BindingError with all faults of all steps.
 */
export async function planRun(input: PlanInput): Promise<RunPlan> {
  const { workflow, fates, options } = input;
  const faults: Fault[] = [];
  const wiring = new Wiring(input, faults);
  const { units, of } = chooseTransports(workflow.graph, wiring.uses, (step) => retryOf(step, options));
  wiring.open(of);
  const steps: RunStep[] = [];
  for (let index = 0; index < workflow.steps.length; index++) {
    const spec = workflow.steps[index]!;
    const fate = fates[index] ?? { does: 'nothing', reason: 'not selected' };
    const place: StepPlace = { index, spec, fate, unit: units[index] ?? index, limits: limitsOf(spec, options) };
    const bare = fate.does === 'run' ? findBareTask(spec.processor) : undefined;
    const isWired = fate.does === 'run' && bare === undefined;
    steps.push(isWired ? await planStep(input, wiring, place, faults) : unwired(place, bare));
  }
  await wiring.checkOutside();
  if (faults.length > 0) throw new BindingError(`Workflow '${workflow.spec.name}'`, faults);
  return { workflow, steps, spools: wiring.spools };
}

/** What a person is told of a plan. */
export function describePlan({ steps }: RunPlan): PlannedStep[] {
  return steps.map(({ spec, fate, given, links }) => ({
    name: spec.name,
    runs: fate.does === 'run',
    reason: fate.reason,
    bindings: { ...describeInputs(spec.processor, given), ...describeBindings(spec.processor.outputs, given.outputs) },
    links,
  }));
}

type StepPlace = Pick<RunStep, 'index' | 'spec' | 'fate' | 'unit' | 'limits'>;

async function planStep(input: PlanInput, wiring: Wiring, place: StepPlace, faults: Fault[]): Promise<RunStep> {
  const { index, spec, fate, unit, limits } = place;
  const { inputs, reads, links } = wiring.wireInputs(spec, index);
  const { outputs, writes, keeps } = wiring.wireOutputs(spec);
  const given: GivenBindings = { inputs, outputs, unknown: spec.given.unknown };
  const task = await prepare(input, place, given, faults);
  return { index, spec, fate, unit, given, task, limits, reads, writes, links, keeps };
}

/** A file that a step before is going to write cannot be checked now. */
async function prepare(
  { runtime, workflow, fates }: PlanInput,
  { index, spec }: StepPlace,
  given: GivenBindings,
  faults: Fault[],
): Promise<PreparedTask | undefined> {
  try {
    return await prepareTask(runtime, spec.processor, given);
  } catch (error) {
    if (!(error instanceof BindingError)) throw error;
    const isWritten = workflow.graph.into[index]!.some(({ kind, from }) => kind === 'collection' && fates[from]?.does === 'run');
    for (const fault of error.faults) {
      if (isWritten && fault.code === 'FILE_UNREADABLE') continue;
      faults.push({ ...fault, message: `Step '${spec.name}': ${fault.message}`, where: [...fault.where, spec.where()] });
    }
    return undefined;
  }
}

const none: readonly never[] = Object.freeze([]);
const nothing = Object.freeze({});

/** A step that has no ports, or does not run. */
function unwired({ index, spec, fate, unit, limits }: StepPlace, task: PreparedTask | undefined): RunStep {
  const { given } = spec;
  return { index, spec, fate, unit, given, task, limits, reads: none, writes: none, links: none, keeps: nothing };
}

function limitsOf(step: StepSpec, options: WorkflowRunOptions): RunStep['limits'] {
  const { timeout } = step.behaviour;
  const retry = retryOf(step, options);
  if (timeout === undefined && retry === undefined) return nothing;
  return { ...(timeout === undefined ? {} : { timeout }), ...(retry === undefined ? {} : { retry }) };
}

function retryOf(step: StepSpec, options: WorkflowRunOptions): Retry | undefined {
  return step.behaviour.retry ?? step.processor.retry ?? options.retry;
}
