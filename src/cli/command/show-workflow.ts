import { describeBindings } from '../../binding/describe.js';
import { describeDuration } from '../../task/log.js';
import { describeInputs } from '../../task/prepare.js';
import type { StepSpec, WorkflowSpec } from '../../workflow/spec.js';
import type { Cli } from '../command.js';
import { exitCode } from '../failure.js';
import { countOf, toJson } from '../text.js';

interface StepFacts {
  readonly name: string;
  readonly processor: string;
  readonly after: readonly string[];
  readonly tags: readonly string[];
  /** By port. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  /** What was set otherwise than usual. */
  readonly options: readonly string[];
  readonly where: string;
}

/** `millrace show NAME` of a workflow. */
export function showWorkflow(spec: WorkflowSpec, { out, json }: Cli): number {
  const { name, title, description, variables } = spec;
  const names = Object.keys(variables); // their values may be secrets of the environment
  const steps = spec.steps.map((step, index) => describeStep(spec, step, index));
  if (json) {
    out.line(toJson({ name, title, description, variables: names, steps }));
    return exitCode.done;
  }
  const { colors } = out;
  out.line([colors.bold(name), title, description].filter((text) => text !== undefined).join('  '));
  if (names.length > 0) out.line(`variables ${names.join(', ')}`);
  out.line(`\n${colors.bold('Steps')}`);
  for (const { name: step, processor, after, tags, inputs, outputs, options, where } of steps) {
    const marks = [
      ...(after.length === 0 ? [] : [`after ${after.join(', ')}`]),
      ...(tags.length === 0 ? [] : [`tags ${tags.join(', ')}`]),
      ...options,
      where,
    ];
    out.line(`  ${colors.cyan(step)}${processor === step ? '' : `  ${processor}`}${colors.dim(`  ${marks.join('  ')}`)}`);
    for (const [port, bound] of Object.entries(inputs)) out.line(`    ${port} ← ${bound}`);
    for (const [port, bound] of Object.entries(outputs)) out.line(`    ${port} → ${bound}`);
  }
  return exitCode.done;
}

function describeStep({ graph }: WorkflowSpec, step: StepSpec, index: number): StepFacts {
  const { name, processor, given, tags, behaviour, where } = step;
  const { timeout, retry, onError, keep, when } = behaviour;
  const byPort = (texts: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(texts).map(([property, text]) => [
        [...processor.inputs, ...processor.outputs].find((port) => port.property === property)?.name ?? property,
        text,
      ]),
    );
  const after = new Set(graph.into[index]?.map(({ from }) => graph.names[from] ?? ''));
  const options = [
    ...(timeout === undefined ? [] : [`time-out ${describeDuration(timeout)}`]),
    ...(retry === undefined ? [] : [countOf(retry.attempts, 'attempt')]),
    ...(onError === 'skip' ? ['onError skip'] : []),
    ...(keep === true ? ['keep'] : []),
    ...(when === undefined ? [] : ['when']),
  ];
  return {
    name,
    processor: processor.name,
    after: [...after],
    tags: [...tags],
    inputs: byPort(describeInputs(processor, given)),
    outputs: byPort(describeBindings(processor.outputs, given.outputs)),
    options,
    where: where(),
  };
}
