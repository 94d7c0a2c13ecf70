import type { ProcessorSpec } from '../metadata/spec.js';
import type { App } from '../project/app.js';
import { toJson } from '../task/log.js';
import { Masker } from '../task/secrets.js';
import type { WorkflowSpec } from '../workflow/spec.js';
import type { Events, PortCount, TaskResult } from '../types.js';
import { codeOf } from './failure.js';

const names = [
  ...(['run:start', 'run:end', 'task:start', 'task:retry', 'task:progress', 'task:end'] as const),
  ...(['port:rows', 'dependency:setup', 'dependency:close', 'publish'] as const),
] satisfies readonly (keyof Events)[];

/** Writes every event of a run as a line of JSON; ports by their own names. */
export function writeEvents(app: App, spec: ProcessorSpec, masker: Masker, write: (line: string) => void): void {
  follow(app, () => spec, masker, write);
}

/** The same, of the steps of a workflow. */
export function writeWorkflowEvents(app: App, { steps }: WorkflowSpec, write: (line: string) => void): void {
  const byStep = new Map(steps.map(({ name, processor }) => [name, processor]));
  follow(app, (step) => byStep.get(step ?? ''), new Masker(), write);
}

function follow(
  app: App,
  specOf: (step: string | undefined) => ProcessorSpec | undefined,
  masker: Masker,
  write: (line: string) => void,
): void {
  for (const event of names) {
    app.on(event, (payload) => {
      const { at, error, result, port, ...facts } = payload as {
        readonly at: Date;
        readonly error?: Error;
        readonly result?: TaskResult;
        readonly port?: string;
        readonly step?: string;
      };
      const spec = specOf(facts.step);
      write(
        toJson({
          event,
          at,
          ...facts,
          ...(port === undefined ? {} : { port: spec === undefined ? port : portName(spec, port) }),
          ...(result === undefined ? {} : { result: spec === undefined ? result : withPortNames(spec, result) }),
          ...(error === undefined ? {} : { error: describeError(error, masker) }),
        }),
      );
    });
  }
}

/** A result as programs read it: ports by their own names. */
export function withPortNames(spec: ProcessorSpec, result: TaskResult): object {
  return {
    ...result,
    metrics: { ...result.metrics },
    inputs: renamed(result.inputs, spec.inputs),
    outputs: renamed(result.outputs, spec.outputs),
  };
}

export function describeError(error: Error, masker: Masker): { readonly code?: string; readonly message: string } {
  const code = codeOf(error);
  return { ...(code === undefined ? {} : { code }), message: masker.text(error.message) };
}

/** The name of a port by its property. */
export function portName({ inputs, outputs }: ProcessorSpec, property: string): string {
  return [...inputs, ...outputs].find((port) => port.property === property)?.name ?? property;
}

function renamed(
  counts: Readonly<Record<string, PortCount>>,
  ports: readonly { readonly property: string; readonly name: string }[],
): Record<string, PortCount> {
  return Object.fromEntries(
    Object.entries(counts).map(([property, count]) => [ports.find((port) => port.property === property)?.name ?? property, count]),
  );
}
