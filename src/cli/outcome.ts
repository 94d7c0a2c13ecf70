import { isBinding, parseBinding } from '../binding/binding.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import { describeCount, describeDuration } from '../task/log.js';
import type { Task } from '../task/task.js';
import type { PortCount, TaskResult } from '../types.js';
import type { GivenPorts } from './bindings.js';
import type { Output } from './output.js';

/** A task that succeeded. */
export interface Outcome {
  readonly spec: ProcessorSpec;
  readonly given: GivenPorts;
  readonly task: Task<unknown>;
  readonly result: TaskResult;
}

/** Writes how a run went: a line for the whole, then one for each port, reject collection and metric. */
export function tellResult(out: Output, { spec, given, task, result }: Outcome): void {
  const { colors } = out;
  const { processor, attempts, ms, runId, metrics } = result;
  const tried = attempts > 1 ? ` at attempt ${String(attempts)}` : '';
  out.line(`${colors.bold(processor)} ${colors.green('succeeded')}${tried} in ${describeDuration(ms)}  ${colors.dim(`run ${runId}`)}`);
  const bindings = { ...task.inputBindings(), ...task.outputBindings() };
  const ports = [...spec.inputs, ...spec.outputs].map((port) => ({
    port,
    count: countOf(port, result),
    bound: bindings[port.property] ?? 'nothing',
  }));
  const widths = [
    Math.max(0, ...ports.map(({ port }) => port.name.length)),
    Math.max(0, ...ports.map(({ bound }) => bound.length)),
  ] as const;
  for (const { port, count, bound } of ports) {
    out.line(`  ${port.name.padEnd(widths[0])} ${port.kind === 'input' ? '←' : '→'} ${bound.padEnd(widths[1])}  ${describeCount(count)}`);
  }
  const rejecting = ports.filter(({ port, count }) => port.onInvalid === 'reject' && count.rejected > 0);
  for (const place of new Set(rejecting.map(({ port }) => rejectsOf(spec, port, given)))) {
    out.line(`  rejected rows, with their reasons: ${place.startsWith('file:') ? place : `millrace data ${place}`}`);
  }
  for (const [name, value] of Object.entries(metrics)) out.line(`  ${name}: ${value.toLocaleString('en')}`);
}

function countOf({ kind, property }: InputSpec | OutputSpec, { inputs, outputs }: TaskResult): PortCount {
  return (kind === 'input' ? inputs : outputs)[property] ?? { rows: 0, rejected: 0 };
}

/** Where rejected rows went, by the rule that the run itself has. */
function rejectsOf({ name }: ProcessorSpec, port: InputSpec | OutputSpec, { inputs, outputs }: GivenPorts): string {
  if (port.rejects !== undefined) return port.rejects;
  const bound = inputs.get(port.property) ?? outputs.get(port.property) ?? port.binding;
  const binding = typeof bound === 'string' ? parseBinding(bound) : bound;
  if (!isBinding(binding) || binding.kind !== 'collection') return `${name}_${port.name}_rejects`;
  return binding.store === 'default' ? `${binding.name}_rejects` : `${binding.name}_rejects@${binding.store}`;
}
