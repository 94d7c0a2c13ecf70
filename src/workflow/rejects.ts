import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import { rejectsPlace } from './places.js';
import type { StepSpec } from './spec.js';

/**
 * Steps whose rejected rows would go to one place would each replace those of the step before: all but the first get a place that is
 * named after the step.
 */
export function separateRejects(steps: readonly StepSpec[]): readonly StepSpec[] {
  const owners = new Map<string, StepSpec>();
  return steps.map((step) => {
    const { inputs, outputs } = step.processor;
    if (![...inputs, ...outputs].some(({ onInvalid }) => onInvalid === 'reject')) return step;
    const own = <P extends InputSpec | OutputSpec>(port: P): P => {
      const key = rejectsPlace(step, port, (store) => store)?.key;
      const owner = key === undefined ? undefined : owners.get(key);
      if (key !== undefined && owner === undefined) owners.set(key, step);
      return owner === undefined || owner === step ? port : { ...port, rejects: `${step.name}_${port.name}_rejects` };
    };
    return { ...step, processor: { ...step.processor, inputs: inputs.map(own), outputs: outputs.map(own) } };
  });
}
