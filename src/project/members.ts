import type { Fault } from '../errors.js';
import { findProcessorSpec } from '../metadata/registry.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { Class } from '../types.js';
import type { WorkflowSpec } from '../workflow/spec.js';

/** Processors that workflows name; a command is none. */
export function processorsOf(workflows: readonly WorkflowSpec[]): Class[] {
  const classes = new Set(workflows.flatMap(({ steps }) => steps.map(({ processor }) => processor.class)));
  return [...classes].filter((processor) => findProcessorSpec(processor) !== undefined);
}

export function twinsOf(workflows: readonly WorkflowSpec[]): Fault[] {
  const seen = new Set<string>();
  return workflows.flatMap(({ name, steps }): Fault[] => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [
      {
        code: 'DUPLICATE_NAME',
        message: `two workflows are named '${name}'`,
        where: [steps[0]?.where() ?? ''],
        path: [name],
        fix: 'Give one of them another name.',
      },
    ];
  });
}

/** Classes that may be built, but not run. */
export function undecorated(processors: readonly unknown[]): Fault[] {
  return processors.filter(isClass).flatMap((processor) =>
    findProcessorSpec(processor) === undefined
      ? {
          code: 'PROCESSOR_UNKNOWN',
          message: `${processor.name} is among the processors and is none`,
          where: [],
          path: [processor.name],
          fix: `Decorate ${processor.name} with @Processor(), or take it out: what a processor depends on need not be listed.`,
        }
      : [],
  );
}

/** What is no class, and two of one name, are reported by the container's check. */
export function specsByName(processors: readonly unknown[]): Map<string, ProcessorSpec> {
  const specs = processors.filter(isClass).flatMap((processor) => findProcessorSpec(processor) ?? []);
  return new Map(specs.map((spec) => [spec.name, spec]));
}

function isClass(value: unknown): value is Class {
  return typeof value === 'function';
}
