import { rows } from '../binding/binding.js';
import { getProcessorSpec } from '../metadata/registry.js';
import { composeApp } from '../project/compose-app.js';
import { memoryStore } from '../storage/open.js';
import type { RunOptions } from '../task/runner.js';
import type { Class, Dependency, InputsOf, Log, OutputsOf, ParamsOf, Scope, TaskResult } from '../types.js';

/** What came of a run. */
export interface ProcessorRun<P> {
  /** What was written to each output, by property. */
  readonly outputs: { readonly [K in keyof OutputsOf<P>]: OutputsOf<P>[K][] };
  /** Rows refused at each port, by property, with their reasons. */
  readonly rejects: Readonly<Record<string, readonly { readonly row: unknown; readonly reasons: readonly string[] }[]>>;
  /** Every line that the processor logged, and every warning about it. */
  readonly log: readonly string[];
  readonly result: TaskResult;
  /** What was set up and closed, in order; what `depends` gave is neither. */
  readonly lifecycle: readonly { readonly what: string; readonly event: 'setup' | 'close'; readonly scope: Scope }[];
}

/** What a processor is run with. */
export interface ProcessorRunOptions<P, D extends readonly unknown[]> extends RunOptions {
  readonly params?: Partial<ParamsOf<P>>;
  /** Rows by property; an input without any is empty. */
  readonly inputs?: { readonly [K in keyof InputsOf<P>]?: readonly InputsOf<P>[K][] | AsyncIterable<InputsOf<P>[K]> };
  /** `[dependency, what stands in for it]`. */
  readonly depends?: readonly [...{ [I in keyof D]: readonly [Dependency<D[I]>, NoInfer<D[I]>] }];
}

/**
 * Runs one processor in its real task, in memory: no store, no server, no global state. Rows are frozen, so that a processor which
 * changes a row fails here.
 *
 * @throws as `Task.run` does.
 * @example
 * ```ts
 * const { outputs } = await runProcessor(NormalisePrices, {
 *   inputs: { raw: [{ sku: 'a', amount: 2, currency: 'USD' }] },
 *   depends: [[rateTable, new RateTable({ USD: 0.25 })]],
 * });
 * ```
 */
export async function runProcessor<P, const D extends readonly unknown[]>(
  processor: Class<P>,
  options: ProcessorRunOptions<P, D> = {},
): Promise<ProcessorRun<P>> {
  const spec = getProcessorSpec(processor);
  const { params, inputs = {}, depends = [], ...run } = options;
  const refused: { readonly attempt: number; readonly property: string; readonly row: unknown; readonly reasons: readonly string[] }[] = [];
  const lifecycle: { readonly what: string; readonly event: 'setup' | 'close'; readonly scope: Scope }[] = [];
  const lines: string[] = [];
  const app = await composeApp(
    { processors: [processor], provide: depends as [], stores: { default: memoryStore() }, log: collect(lines) },
    {
      freeze: true,
      announce: false,
      unrecorded: true,
      onReject: (attempt, property, { row, reasons }) => refused.push({ attempt, property, row, reasons }),
    },
  );
  app.on('dependency:setup', ({ name, scope }) => lifecycle.push({ what: name, event: 'setup', scope }));
  app.on('dependency:close', ({ name, scope }) => lifecycle.push({ what: name, event: 'close', scope }));
  const outputs: Record<string, unknown[]> = Object.fromEntries(spec.outputs.map(({ property }) => [property, []]));
  const given = inputs as Readonly<Record<string, unknown>>;
  const task = app.task(processor).bind({ ...outputs, ...(params === undefined ? {} : { params }) } as never);
  for (const property of new Set([...spec.inputs.map((input) => input.property), ...Object.keys(given)]))
    task.bindInput(property as never, toSource(given[property]) as never);
  let result: TaskResult;
  try {
    result = await task.run(run);
  } catch (error) {
    await app.close().catch(() => undefined); // the run's own error says more than a closer that failed after it
    throw error;
  }
  await app.close();
  const rejects = Object.fromEntries(
    [...spec.inputs, ...spec.outputs].map(({ property }) => [
      property,
      refused.filter((one) => one.attempt === result.attempts && one.property === property).map(({ row, reasons }) => ({ row, reasons })),
    ]),
  );
  return { outputs: outputs as ProcessorRun<P>['outputs'], rejects, log: lines, result, lifecycle };
}

function toSource(value: unknown): unknown {
  if (value === undefined) return [];
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value ? rows(() => value as AsyncIterable<object>) : value;
}

function collect(lines: string[]): Log {
  const line =
    (mark: string) =>
    (message: string, facts?: object): void => {
      lines.push(`${mark}${message}${facts === undefined || Object.keys(facts).length === 0 ? '' : `  ${JSON.stringify(facts)}`}`);
    };
  return { debug: line('debug: '), info: line(''), warn: line('warn: '), error: line('error: ') };
}
