import { isBinding } from '../binding/binding.js';
import { describeValue, MillraceError } from '../errors.js';
import type { Runtime } from '../task/runtime.js';
import type { StepResult } from '../types.js';
import type { RunPlan } from './plan.js';
import { toBinding, valueOf } from './places.js';
import type { WhenContext } from './spec.js';

/** What the `when` of a step may ask: variables, and how many rows came through a link whose writer has ended. */
export function createWhenContext(
  variables: Readonly<Record<string, unknown>>,
  plan: RunPlan,
  runtime: Runtime,
  endOf: (step: number) => StepResult | undefined,
): WhenContext {
  return {
    variables: Object.freeze(variables),
    async rows(link) {
      if (!isBinding(link) || (link as { readonly kind: string }).kind !== 'link') {
        throw new MillraceError('BINDING_INVALID', `rows(link) takes what step.output('port') answers, not ${describeValue(link)}`);
      }
      const index = plan.workflow.graph.names.indexOf(link.step);
      const step = plan.steps[index];
      const port = step?.spec.processor.outputs.find(({ name }) => name === link.port);
      if (step === undefined || port === undefined) throw new MillraceError('STEP_UNKNOWN', `rows(${link.toString()}): this workflow has no such output`);
      const end = endOf(index);
      if (step.fate.does === 'reuse') return step.fate.kept?.[port.property]?.rows ?? 0;
      if (step.fate.does === 'nothing') {
        const bound = toBinding(valueOf(step.spec, port));
        return bound?.kind === 'collection' ? runtime.stores.get(bound.store).count(bound.name) : 0;
      }
      if (end === undefined) throw new MillraceError('BINDING_INVALID', `rows(${link.toString()}) is not known yet, since step '${link.step}' has not ended: name it in \`after\``);
      return end.result?.outputs[port.property]?.rows ?? 0;
    },
  };
}
