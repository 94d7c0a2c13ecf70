import { isBinding } from '../binding/binding.js';
import { describeValue, MillraceError } from '../errors.js';
import type { Canceller } from '../task/canceller.js';
import type { Runtime } from '../task/runtime.js';
import type { StepResult } from '../types.js';
import { toBinding, valueOf } from './places.js';
import type { RunPlan } from './plan.js';
import type { StepBehaviour, WhenContext } from './spec.js';

interface WhenFacts {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly plan: RunPlan;
  readonly runtime: Runtime;
  endOf(step: number): StepResult | undefined;
}

/** Whether a step is to run; rejects when the run is cancelled meanwhile. */
export async function asksWhen(when: NonNullable<StepBehaviour['when']>, canceller: Canceller, facts: WhenFacts): Promise<boolean> {
  const context: WhenContext = { variables: Object.freeze(facts.variables), rows: (link) => countRows(link, facts) };
  const cancelled = new Promise<never>((_resolve, reject) => {
    canceller.addEventListener('abort', {
      handleEvent: () => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason
        reject(canceller.reason);
      },
    });
  });
  cancelled.catch(() => undefined); // it is raced, and may lose
  try {
    return await Promise.race([Promise.resolve(when(context)), cancelled]);
  } finally {
    canceller.removeEventListener();
  }
}

/** How many rows came through a link; its writer must have ended. */
async function countRows(link: unknown, { plan, runtime, endOf }: WhenFacts): Promise<number> {
  if (!isBinding(link) || link.kind !== 'link') {
    throw new MillraceError('BINDING_INVALID', `rows(link) takes what step.output('port') answers, not ${describeValue(link)}`);
  }
  const index = plan.workflow.graph.names.indexOf(link.step);
  const step = plan.steps[index];
  const port = step?.spec.processor.outputs.find(({ name }) => name === link.port);
  if (step === undefined || port === undefined)
    throw new MillraceError('STEP_UNKNOWN', `rows(${link.toString()}): this workflow has no such output`);
  if (step.fate.does === 'reuse') return step.fate.kept?.[port.property]?.rows ?? 0;
  if (step.fate.does === 'nothing') {
    const bound = toBinding(valueOf(step.spec, port));
    return bound?.kind === 'collection' ? runtime.stores.get(bound.store).count(bound.name) : 0;
  }
  const end = endOf(index);
  if (end !== undefined) return end.result?.outputs[port.property]?.rows ?? 0;
  throw new MillraceError(
    'BINDING_INVALID',
    `rows(${link.toString()}) is not known, since step '${link.step}' has not ended: name it in \`after\``,
  );
}
