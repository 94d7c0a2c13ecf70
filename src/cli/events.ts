import type { ProcessorSpec } from '../metadata/spec.js';
import type { App } from '../project/app.js';
import { toJson } from '../task/log.js';
import type { Masker } from '../task/secrets.js';
import type { Events, PortCount, TaskResult } from '../types.js';
import { codeOf } from './failure.js';

const names = [
  ...(['run:start', 'run:end', 'task:start', 'task:retry', 'task:progress', 'task:end'] as const),
  ...(['port:rows', 'dependency:setup', 'dependency:close', 'publish'] as const),
] satisfies readonly (keyof Events)[];

/** Writes every event of a run as a line of JSON; ports by their own names. */
export function writeEvents(app: App, spec: ProcessorSpec, masker: Masker, write: (line: string) => void): void {
  for (const event of names) {
    app.on(event, (payload) => {
      const { at, error, result, port, ...facts } = payload as {
        readonly at: Date;
        readonly error?: Error;
        readonly result?: TaskResult;
        readonly port?: string;
      };
      write(
        toJson({
          event,
          at,
          ...facts,
          ...(port === undefined ? {} : { port: portName(spec, port) }),
          ...(result === undefined ? {} : { result: withPortNames(spec, result) }),
          ...(error === undefined ? {} : { error: describeError(error, masker) }),
        }),
      );
    });
  }
}

/** A result as programs read it: ports by their own names. */
export function withPortNames(spec: ProcessorSpec, result: TaskResult): object {
  return { ...result, inputs: renamed(result.inputs, spec.inputs), outputs: renamed(result.outputs, spec.outputs) };
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
