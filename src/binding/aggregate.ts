import { describeValue, MillraceError, suggestName } from '../errors.js';
import { aggregateRows } from '../storage/aggregate.js';
import { shellText } from '../storage/shell-text.js';
import type { Store } from '../storage/store.js';
import type { Reader, Row, Writer } from '../types.js';
import { PortReader } from './reader.js';
import { batchSize, toStages, type Batches } from './source.js';
import { PortWriter } from './writer.js';

/** Stages that read something which is not a declared port, or write past the declared output. */
const refusedStages = new Set([
  '$out',
  '$merge',
  '$documents',
  '$collStats',
  '$indexStats',
  '$planCacheStats',
  '$currentOp',
  '$listSessions',
  '$listLocalSessions',
  '$changeStream',
]);

interface Aggregation {
  readonly processor: string;
  readonly output: Writer<unknown>;
  readonly pipeline: readonly object[];
  readonly readers: Readonly<Record<string, Reader<unknown>>>;
  /** The readers and writers of the task: no others may be named. */
  readonly ports: { readonly inputs: readonly unknown[]; readonly outputs: readonly unknown[] };
  /** Told what runs on a store, as a line for its shell. */
  log(line: string): void;
}

/** Runs a pipeline over readers of a task into one of its writers; answers how many rows were written. */
export async function aggregate(aggregation: Aggregation): Promise<number> {
  const { output, pipeline, readers, processor } = aggregation;
  if (!(output instanceof PortWriter) || !aggregation.ports.outputs.includes(output)) {
    throw invalid(processor, 'the output is not a declared output of this task', 'Pass one of its own writers, e.g. this.totals.');
  }
  const ports = new Map(Object.entries(readers).map(([alias, reader]) => [alias, portReader(aggregation, alias, reader)]));
  if (!ports.has('from')) throw invalid(processor, "no reader is named 'from'", 'Pass { from: this.rows }.');
  if (!Array.isArray(pipeline)) throw invalid(processor, `the pipeline is ${describeValue(pipeline)}`, 'Pass an array of stages.');
  const aliases = new Set([...ports.keys()].filter((alias) => alias !== 'from'));
  checkPipeline(processor, pipeline, aliases, 'pipeline');
  await output.settle(); // rows that were written before are not among those of the aggregation
  const before = output.state.rows;
  const place = placeOf(aggregation, ports, aliases);
  if (place !== undefined) {
    aggregation.log(`db.getCollection(${JSON.stringify(place.name)}).aggregate(${shellText(place.stages)})`);
    const rows = await output.aggregate(place.store, place.name, place.stages);
    if (rows !== undefined) return rows;
  }
  await output.write(
    toRows(place?.store.aggregate<Row>(place.name, place.stages).batches(batchSize) ?? rowsOf(aggregation, ports, aliases)),
  );
  await output.settle();
  return output.state.rows - before;
}

/** A pipeline that runs where its ports are. */
interface Place {
  readonly store: Store;
  readonly name: string;
  readonly stages: readonly object[];
}

/** Undefined where not every port is a collection of the same store. */
function placeOf(
  aggregation: Aggregation,
  ports: ReadonlyMap<string, PortReader<unknown>>,
  aliases: ReadonlySet<string>,
): Place | undefined {
  const from = ports.get('from') as PortReader<unknown>;
  const place = from.origin.state.source.collection;
  if (place === undefined) return undefined;
  const names = new Map<string, string>();
  for (const alias of aliases) {
    const { origin } = ports.get(alias) as PortReader<unknown>;
    const other = origin.state.source.collection;
    if (other === undefined || other.store !== place.store || other.queries.length + origin.queries.length > 0) return undefined;
    names.set(alias, other.name);
  }
  const stages = [...toStages([...place.queries, ...from.origin.queries]), ...(renameAliases(aggregation.pipeline, names) as object[])];
  return { store: place.store, name: place.name, stages };
}

/** Through the engine of the embedded store. */
function rowsOf({ pipeline }: Aggregation, ports: ReadonlyMap<string, PortReader<unknown>>, aliases: ReadonlySet<string>): Batches {
  const from = ports.get('from') as PortReader<unknown>;
  const loaders = Object.fromEntries([...aliases].map((alias) => [alias, () => (ports.get(alias) as PortReader<Row>).toArray()]));
  return aggregateRows(from.batches() as Batches, pipeline, loaders);
}

function portReader({ processor, ports }: Aggregation, alias: string, reader: unknown): PortReader<unknown> {
  if (reader instanceof PortReader && ports.inputs.includes(reader.origin.state)) return reader as PortReader<unknown>;
  throw invalid(
    processor,
    `'${alias}' is not a reader of this task`,
    'Pass one of its own readers, e.g. this.rows, or one narrowed by find().',
  );
}

/** Walks every stage, nested pipelines included. */
function checkPipeline(processor: string, pipeline: readonly unknown[], aliases: ReadonlySet<string>, path: string): void {
  pipeline.forEach((stage, at) => {
    const here = `${path}[${String(at)}]`;
    if (typeof stage !== 'object' || stage === null || Object.keys(stage).length !== 1) {
      throw invalid(processor, `${here} is ${describeValue(stage)}`, 'A stage is an object with one key, e.g. { $match: … }.');
    }
    const [name, body] = Object.entries(stage)[0] as [string, unknown];
    if (refusedStages.has(name))
      throw invalid(
        processor,
        `${here}.${name} is not allowed`,
        'A pipeline reads declared inputs and its result goes to the output given.',
      );
    for (const [foreign, where] of foreignNames(name, body)) {
      if (typeof foreign === 'string' && aliases.has(foreign)) continue;
      const fix = typeof foreign === 'string' ? suggestName(foreign, aliases) : `Name the alias of a reader.`;
      throw invalid(processor, `${here}.${where} names ${describeValue(foreign)}, which is no alias of a declared input`, fix);
    }
    for (const [inner, where] of innerPipelines(name, body)) checkPipeline(processor, inner, aliases, `${here}.${where}`);
  });
}

function foreignNames(name: string, body: unknown): (readonly [unknown, string])[] {
  if (name === '$lookup' || name === '$graphLookup') {
    const from = (body as { readonly from?: unknown } | null)?.from;
    const own = name === '$lookup' && from === undefined && (body as { readonly pipeline?: unknown } | null)?.pipeline !== undefined;
    return own ? [] : [[from, `${name}.from`]];
  }
  if (name !== '$unionWith') return [];
  return typeof body === 'object' && body !== null
    ? [[(body as { readonly coll?: unknown }).coll, '$unionWith.coll']]
    : [[body, '$unionWith']];
}

function innerPipelines(name: string, body: unknown): (readonly [readonly unknown[], string])[] {
  if (typeof body !== 'object' || body === null) return [];
  if (name === '$facet')
    return Object.entries(body)
      .filter(isNamedArray)
      .map(([facet, inner]) => [inner, `$facet.${facet}`]);
  const { pipeline } = body as { readonly pipeline?: unknown };
  return (name === '$lookup' || name === '$unionWith') && Array.isArray(pipeline) ? [[pipeline, `${name}.pipeline`]] : [];
}

function isNamedArray(entry: [string, unknown]): entry is [string, unknown[]] {
  return Array.isArray(entry[1]);
}

/** The pipeline with collections where it has aliases. */
function renameAliases(pipeline: readonly unknown[], names: ReadonlyMap<string, string>): unknown[] {
  const rename = (alias: unknown): unknown => (typeof alias === 'string' ? (names.get(alias) ?? alias) : alias);
  return pipeline.map((stage) => {
    const [name, body] = Object.entries(stage as object)[0] as [string, unknown];
    if (name === '$unionWith' && typeof body === 'string') return { $unionWith: rename(body) };
    if (name === '$facet') {
      return {
        $facet: Object.fromEntries(
          Object.entries(body as object).map(([facet, inner]) => [facet, renameAliases(inner as unknown[], names)]),
        ),
      };
    }
    if (name !== '$lookup' && name !== '$graphLookup' && name !== '$unionWith') return stage;
    const {
      from,
      coll,
      pipeline: inner,
      ...rest
    } = body as { readonly from?: unknown; readonly coll?: unknown; readonly pipeline?: unknown[] };
    return {
      [name]: {
        ...rest,
        ...(from === undefined ? {} : { from: rename(from) }),
        ...(coll === undefined ? {} : { coll: rename(coll) }),
        ...(inner === undefined ? {} : { pipeline: renameAliases(inner, names) }),
      },
    };
  });
}

/** Batches as a writer takes them: it asks for `batches()`. */
function toRows(batches: Batches): AsyncIterable<unknown> {
  return {
    batches: () => batches,
    async *[Symbol.asyncIterator]() {
      for await (const batch of batches) yield* batch;
    },
  } as AsyncIterable<unknown>;
}

function invalid(processor: string, what: string, fix: string): MillraceError {
  return new MillraceError('PIPELINE_INVALID', `Processor '${processor}' aggregate: ${what}. ${fix}`, { path: [processor] });
}
