import { aRetry, aTimeout } from '../decorators/option.js';
import { describeValue, type Fault } from '../errors.js';
import type { CallSite } from '../metadata/registry.js';
import { toBinding, valueOf } from './places.js';
import type { StepBehaviour, StepSpec } from './spec.js';

export function nameless(workflow: string, processor: string, where: CallSite): Fault {
  return {
    code: 'DEFINITION_INVALID',
    message: `Workflow '${workflow}' has a step of '${processor}' whose name is empty`,
    where: [where()],
    path: [workflow],
    fix: "Leave `name` out for the processor's own, or give it one.",
  };
}

export function behaviourFaults(
  workflow: string,
  step: string,
  { timeout, retry, onError, when }: StepBehaviour,
  where: CallSite,
): Fault[] {
  const problems = {
    timeout: aTimeout(timeout),
    retry: aRetry(retry),
    onError:
      onError === undefined || ['stop', 'skip'].includes(onError) ? undefined : `must be 'stop' or 'skip', not ${describeValue(onError)}.`,
    when: when === undefined || typeof when === 'function' ? undefined : `must be a function, not ${describeValue(when)}.`,
  };
  return Object.entries(problems).flatMap(([option, problem]): Fault[] => {
    if (problem === undefined) return [];
    const message = `Workflow '${workflow}' step '${step}' option '${option}' ${problem}`;
    return [{ code: 'DEFINITION_INVALID', message, where: [where()], path: [workflow, step], fix: `Mend '${option}'.` }];
  });
}

export function duplicates(workflow: string, steps: readonly StepSpec[]): Fault[] {
  const faults: Fault[] = [];
  const seen = new Map<string, StepSpec>();
  for (const step of steps) {
    const first = seen.get(step.name);
    if (first === undefined) seen.set(step.name, step);
    else {
      const message = `Workflow '${workflow}' has two steps named '${step.name}'`;
      faults.push({
        code: 'DUPLICATE_NAME',
        message,
        where: [first.where(), step.where()],
        path: [workflow, step.name],
        fix: 'Give one of them a `name` of its own.',
      });
    }
  }
  return faults;
}

/** Required ports that nothing is bound to; an output that something links to, or that is exported, needs no more. */
export function unboundPorts(workflow: string, steps: readonly StepSpec[], exported: readonly object[]): Fault[] {
  const faults: Fault[] = [];
  const linked = new Set(exported.map(String));
  for (const step of steps) {
    for (const port of step.processor.inputs) {
      const binding = toBinding(valueOf(step, port));
      if (binding?.kind === 'link') linked.add(binding.toString());
    }
  }
  for (const step of steps) {
    const { inputs, outputs } = step.processor;
    for (const port of [...inputs, ...outputs]) {
      if (port.optional || valueOf(step, port) !== undefined) continue;
      if (port.kind === 'output' && linked.has(`${step.name}.${port.name}`)) continue;
      faults.push({
        code: 'PORT_UNBOUND',
        message: `Workflow '${workflow}' step '${step.name}': Processor '${step.processor.name}' ${port.kind} port '${port.name}' is not bound`,
        where: [step.where(), port.where],
        path: [workflow, step.name, port.name],
        fix:
          port.kind === 'input'
            ? `Bind '${port.property}', or link it to an output: otherStep.output('…').`
            : `Bind '${port.property}', or link an input to it.`,
      });
    }
  }
  return faults;
}
