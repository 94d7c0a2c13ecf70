import { BindingError, suggestName, type Fault } from '../errors.js';
import type { WorkflowSpec } from '../workflow/spec.js';
import { parseGivenPorts } from './bindings.js';
import { UsageError } from './failure.js';
import { splitAssignment } from './parse.js';

/** What `--bind step.port=binding` binds, by step and property. */
export type StepBindings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Reads `--bind` for a workflow; ports by their own names.
 *
 * @param cwd - what relative files are relative to.
 * @throws BindingError with every unknown step and port.
 */
export function parseStepBindings({ name, steps }: WorkflowSpec, texts: readonly string[], cwd: string): StepBindings {
  const byStep = new Map<string, string[]>();
  for (const text of texts) {
    const [target, binding] = splitAssignment(text) ?? [];
    const dot = target?.lastIndexOf('.') ?? -1;
    if (target === undefined || binding === undefined || dot < 1)
      throw new UsageError(`--bind '${text}' binds nothing: write --bind STEP.PORT=COLLECTION or --bind STEP.PORT=file:PATH.`);
    const step = target.slice(0, dot);
    byStep.set(step, [...(byStep.get(step) ?? []), `${target.slice(dot + 1)}=${binding}`]);
  }
  const faults: Fault[] = [];
  const bound = [...byStep].flatMap(([step, bind]) => {
    const spec = steps.find((one) => one.name === step)?.processor;
    if (spec === undefined) {
      const fix = suggestName(
        step,
        steps.map((one) => one.name),
      );
      faults.push({ code: 'STEP_UNKNOWN', message: `workflow '${name}' has no step '${step}'`, where: [], fix });
      return [];
    }
    const { inputs, outputs, params, faults: found } = parseGivenPorts(spec, { bind, params: [] }, cwd);
    faults.push(...found);
    const byProperty = { ...Object.fromEntries(inputs), ...Object.fromEntries(outputs), ...(params === undefined ? {} : { params }) };
    return [[step, byProperty] as const];
  });
  if (faults.length > 0) throw new BindingError(`Workflow '${name}'`, faults);
  return Object.fromEntries(bound);
}

/**
 * Reads `--variables name=value`: JSON, else text.
 *
 * @throws UsageError, also for a name that the definition file does not have; a workflow in TypeScript may ask for any.
 */
export function parseVariables(
  { name: workflow, variableFacts: facts }: Pick<WorkflowSpec, 'name' | 'variableFacts'>,
  texts: readonly string[],
): Readonly<Record<string, unknown>> {
  const values = texts.map((text) => {
    const [name, value] = splitAssignment(text) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError(`--variables '${text}' gives no value: write --variables name=value.`);
    if (facts?.known.has(name) === false)
      throw new UsageError(`workflow '${workflow}' has no variable '${name}'. ${suggestName(name, facts.known)}`);
    return [name, toValue(value)] as const;
  });
  return Object.fromEntries(values);
}

function toValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // no JSON: the text itself is meant
  }
}
