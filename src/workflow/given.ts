import { isBinding } from '../binding/binding.js';
import { suggestName, type Fault } from '../errors.js';
import type { CallSite } from '../metadata/registry.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import type { StepSpec } from './spec.js';

/** What a step is bound to, as it is written. */
export interface StepBinding {
  readonly workflow: string;
  readonly step: string;
  readonly processor: ProcessorSpec;
  readonly bind: Readonly<Record<string, unknown>>;
  /** Whether ports go by their properties, or by their own names. */
  readonly by: 'property' | 'port';
  readonly where: CallSite;
}

/** Sorts what is bound into inputs and outputs, by property; what fits no port is a fault. */
export function bindStep(binding: StepBinding, faults: Fault[]): StepSpec['given'] {
  const { processor, bind, by } = binding;
  const inputs = new Map<string, unknown>();
  const outputs = new Map<string, unknown>();
  const key = (port: { readonly name: string; readonly property: string }): string => (by === 'port' ? port.name : port.property);
  for (const [name, value] of Object.entries(bind)) {
    if (value === undefined) continue;
    const input = processor.inputs.find((port) => key(port) === name);
    const output = processor.outputs.find((port) => key(port) === name);
    if (input !== undefined) inputs.set(input.property, Array.isArray(value) ? [...(value as unknown[])] : value);
    else if (output !== undefined) bindOutput(binding, output, value, outputs, faults);
    else if (processor.params !== undefined && (name === processor.params.property || name === 'params'))
      inputs.set(processor.params.property, value);
    else faults.push(portUnknown(binding, name, key));
  }
  return { inputs, outputs, unknown: new Map() };
}

function bindOutput(
  { workflow, step, where }: StepBinding,
  port: OutputSpec,
  value: unknown,
  outputs: Map<string, unknown>,
  faults: Fault[],
): void {
  if (!isBinding(value) || value.kind !== 'link') {
    outputs.set(port.property, value);
    return;
  }
  const message = `Workflow '${workflow}' step '${step}' output port '${port.name}' is bound to the link '${value.toString()}', but a link leads from an output to an input`;
  faults.push({
    code: 'BINDING_INVALID',
    message,
    where: [where()],
    path: [workflow, step, port.name],
    fix: `Bind the input of the step that reads to ${step}'s output('${port.property}').`,
  });
}

function portUnknown(
  { workflow, step, processor, where }: StepBinding,
  port: string,
  key: (port: InputSpec | OutputSpec) => string,
): Fault {
  const { name, inputs, outputs, params } = processor;
  const known = [...inputs.map(key), ...outputs.map(key), ...(params === undefined ? [] : [params.property])];
  const message = `Workflow '${workflow}' step '${step}': processor '${name}' has no port '${port}'`;
  return { code: 'PORT_UNKNOWN', message, where: [where()], path: [workflow, step, port], fix: suggestName(port, known) };
}
