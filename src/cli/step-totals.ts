import { isBinding } from '../binding/binding.js';
import type { App } from '../project/app.js';
import type { WorkflowRunOptions } from '../workflow/options.js';
import { placesWritten } from '../workflow/places.js';
import type { WorkflowSpec } from '../workflow/spec.js';
import { countInputs } from './progress.js';
import type { StepsState } from './live-view.js';

/**
 * Tells the view how many rows the inputs of steps will give, where that is known before the run: collections that no step of it writes.
 * It counts while the run goes on; what cannot be counted has no share.
 */
export async function countSteps(app: App, spec: WorkflowSpec, options: WorkflowRunOptions, state: StepsState): Promise<void> {
  const { steps } = (await spec.resolve?.({ variables: options.variables ?? {}, now: new Date() })) ?? spec;
  const written = new Set(steps.flatMap((step) => placesWritten(step, (store) => store).map(({ text }) => text)));
  for (const { name, processor, given } of steps) {
    const bound = new Map([...given.inputs, ...Object.entries(options.bind?.[name] ?? {})]);
    const known = processor.inputs.filter(({ property, binding }) => !isWritten(bound.get(property) ?? binding, written));
    const totals = await countInputs(app, { ...processor, inputs: known }, bound);
    for (const [property, total] of totals) state.setTotal(name, property, total);
  }
}

function isWritten(value: unknown, written: ReadonlySet<string>): boolean {
  return (typeof value === 'string' || isBinding(value)) && written.has(String(value));
}
