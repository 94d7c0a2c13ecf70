import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import type { Retry } from '../types.js';
import type { Edge, Graph } from './graph.js';
import { toBinding, valueOf } from './places.js';
import type { StepSpec } from './spec.js';
import { chooseStreams, type Streaming } from './streaming.js';

/** One link between two steps that will both run. */
export interface LinkUse {
  readonly edge: Edge;
  readonly writer: StepSpec;
  readonly output: OutputSpec;
  readonly reader: StepSpec;
  readonly input: InputSpec;
}

export interface Transport {
  readonly by: 'stream' | 'spool' | 'collection';
  /** Why it does not stream. */
  readonly reason?: string;
}

export interface Transports extends Streaming {
  readonly of: ReadonlyMap<LinkUse, Transport>;
}

/** Says for each link how its rows come: they stream unless that would be wrong, or could wait for ever. */
export function chooseTransports(graph: Graph, uses: readonly LinkUse[], retryOf: (step: StepSpec) => Retry | undefined): Transports {
  const reasons = new Map(uses.map((use) => [use, whySpooled(use, retryOf)]));
  const candidates = new Set(uses.filter((use) => reasons.get(use) === undefined).map(({ edge }) => edge));
  const streaming = chooseStreams(graph, candidates);
  const of = new Map(
    uses.map((use): [LinkUse, Transport] => {
      if (streaming.streams.has(use.edge)) return [use, { by: 'stream' }];
      const reason = reasons.get(use) ?? `paths to '${use.reader.name}' part and join again`;
      return [use, { by: isReplaced(use) ? 'collection' : 'spool', reason }];
    }),
  );
  return { ...streaming, of };
}

function whySpooled({ writer, output, reader, input }: LinkUse, retryOf: (step: StepSpec) => Retry | undefined): string | undefined {
  if (input.rereads) return `'${reader.name}' passes over its rows more than once`;
  for (const step of [reader, writer]) if ((retryOf(step)?.attempts ?? 1) > 1) return `'${step.name}' may be attempted again`;
  for (const step of [reader, writer]) if (step.behaviour.onError === 'skip') return `'${step.name}' may fail and be skipped`;
  if (writer.behaviour.keep === true) return `'${writer.name}' keeps its outputs`;
  if (reader.behaviour.when !== undefined) return `whether '${reader.name}' runs is decided when '${writer.name}' has ended`;
  if (writer.processor.outputs.filter((port) => isUsed(writer, port, output)).length > 1) return `'${writer.name}' writes several outputs`;
  const mode = modeOf(writer, output);
  if (mode !== undefined && mode !== 'replace')
    return `its rows are mixed with those that '${String(valueOf(writer, output))}' holds already`;
  return undefined;
}

/** An output that rows go to: it is linked or bound. */
function isUsed(step: StepSpec, port: OutputSpec, linked: OutputSpec): boolean {
  return port === linked || !port.optional || valueOf(step, port) !== undefined;
}

/** How a collection is written; undefined where the output is not bound to one. */
function modeOf(step: StepSpec, port: OutputSpec): string | undefined {
  const binding = toBinding(valueOf(step, port));
  return binding?.kind === 'collection' ? (binding.options.mode ?? port.mode ?? 'replace') : undefined;
}

function isReplaced({ writer, output }: LinkUse): boolean {
  return modeOf(writer, output) === 'replace';
}
