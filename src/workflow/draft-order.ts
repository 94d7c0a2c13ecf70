import { link } from '../binding/binding.js';
import { connect } from './connect.js';
import { valueOf } from './places.js';
import type { StepSpec } from './spec.js';

/** Links the one input that a step needs, where nothing says what it reads, to the one output of the step before it. */
export function linkPlain(steps: readonly StepSpec[], alone: ReadonlySet<StepSpec>): StepSpec[] {
  return steps.map((step, index) => {
    if (step.processor.inputs.length === 0) return step;
    const needed = step.processor.inputs.filter(({ optional }) => !optional);
    const [input] = needed;
    const before = steps[index - 1];
    const [output] = before?.processor.outputs ?? [];
    if (input === undefined || alone.has(step) || needed.length > 1 || valueOf(step, input) !== undefined) return step;
    if (
      before === undefined ||
      alone.has(before) ||
      output === undefined ||
      before.processor.outputs.length > 1 ||
      output.schema !== input.schema
    )
      return step;
    const inputs = new Map(step.given.inputs).set(input.property, link(before.name, output.name));
    return { ...step, given: { ...step.given, inputs } };
  });
}

/** A group stands for those of its steps that no other of it comes after. */
export function expandGroups(
  workflow: string,
  steps: readonly StepSpec[],
  groups: ReadonlyMap<string, readonly number[]>,
): readonly StepSpec[] {
  if (groups.size === 0) return steps;
  const { graph } = connect(workflow, steps.map(withoutGroups(groups)), (store) => store);
  const last = new Map<string, readonly string[]>();
  const lastOf = (group: string): readonly string[] => {
    const known = last.get(group);
    if (known !== undefined) return known;
    const members = new Set(groups.get(group) ?? []);
    const found = [...members]
      .filter((step) => graph.out[step]!.every(({ to }) => !members.has(to)))
      .map((step) => steps[step]?.name ?? '');
    last.set(group, found);
    return found;
  };
  const names = new Set(steps.map(({ name }) => name));
  return steps.map((step) =>
    step.after.some((name) => !names.has(name) && groups.has(name))
      ? { ...step, after: step.after.flatMap((name) => (!names.has(name) && groups.has(name) ? lastOf(name) : [name])) }
      : step,
  );
}

function withoutGroups(groups: ReadonlyMap<string, unknown>): (step: StepSpec) => StepSpec {
  return (step) => ({ ...step, after: step.after.filter((name) => !groups.has(name)) });
}
