import { describeValue, MillraceError, suggestName } from '../errors.js';
import type { Row } from '../types.js';
import { readyArithmetic } from './aggregate/arithmetic.js';
import { loadEngine } from './aggregate/expressions.js';
import { pipelineInvalid, wrongBody } from './aggregate/fault.js';
import { bucket, collect, group, slices } from './aggregate/group.js';
import { graphLookup, lookup, unionWith } from './aggregate/lookup.js';
import { addFields, project, replaceRoot, unset } from './aggregate/project.js';
import type { Batches, Context, Run } from './aggregate/stage.js';
import { unwind } from './aggregate/unwind.js';
import { compileFilter, hasExpression } from './query/filter.js';
import { isDocument } from './query/path.js';
import { parseSort, Sorter, type Sort } from './query/sort.js';

/**
 * Runs a pipeline over rows from anywhere. What a stage names (`from` of `$lookup` and `$graphLookup`, `coll` of `$unionWith`) is one of
 * `lookups`, read when it is needed and held in memory; the rest streams where the stages do.
 *
 * @throws MillraceError `PIPELINE_INVALID`.
 */
export async function* aggregateRows(
  from: AsyncIterable<readonly Row[]>,
  pipeline: readonly object[],
  lookups: Readonly<Record<string, () => Promise<readonly Row[]>>>,
): AsyncGenerator<readonly Row[], void> {
  const read = async (name: string): Promise<Batches> => {
    const load = Object.hasOwn(lookups, name) ? lookups[name] : undefined;
    if (!load)
      throw new MillraceError(
        'PIPELINE_INVALID',
        `a pipeline names '${name}', which is not among its inputs. ${suggestName(name, Object.keys(lookups))}`,
      );
    return [await load()];
  };
  yield* runPipeline(from, pipeline, read);
}

/** Runs a pipeline; `read` gives the rows of what its stages name. Batches may be empty. */
export async function* runPipeline(
  input: Batches,
  pipeline: readonly object[],
  read: Context['read'],
): AsyncGenerator<readonly Row[], void> {
  checkPipeline(pipeline, 'pipeline');
  yield* run(input, pipeline, { place: 'pipeline', variables: {}, read });
}

async function* run(input: Batches, pipeline: readonly object[], context: Context): AsyncGenerator<readonly Row[], void> {
  let batches = input;
  for (const [at, stage] of pipeline.entries()) {
    const [name, body] = Object.entries(stage)[0] as [string, unknown];
    const here = { ...context, place: `${context.place}[${at}].${name}` };
    batches = (await compileStage(name, body, here, pipeline.slice(at + 1)))(batches);
  }
  yield* batches;
}

type Compile = (body: unknown, context: Context, after: readonly object[]) => Run | Promise<Run>;

const stages: Readonly<Record<string, Compile | undefined>> = Object.freeze({
  $match: match,
  $sort: sort,
  $skip: (body: unknown, context: Context) => skip(countOf(body, context)),
  $limit: (body: unknown, context: Context) => limit(countOf(body, context)),
  $project: project,
  $addFields: addFields,
  $set: addFields,
  $unset: unset,
  $replaceRoot: (body: unknown, context: Context) => replaceRoot((body as { readonly newRoot?: unknown } | null)?.newRoot, context),
  $replaceWith: replaceRoot,
  $unwind: unwind,
  $group: group,
  $bucket: bucket,
  $count: count,
  $sortByCount: sortByCount,
  $lookup: (body: unknown, context: Context) => lookup(body, context, run),
  $unionWith: (body: unknown, context: Context) => unionWith(body, context, run),
  $graphLookup: graphLookup,
  $facet: facet,
  $sample: sample,
});

/** Stages that mingo runs, over all rows at once. */
const wholes = new Set(['$bucketAuto', '$densify', '$fill', '$redact', '$setWindowFields']);

const refused: Readonly<Record<string, string>> = {
  $out: 'an aggregation only reads: bind an output and let the run publish it',
  $merge: 'an aggregation only reads: bind an output with mode upsert and let the run publish it',
};

/**
 * The shape of a pipeline and of those nested in it, before any row is read.
 *
 * @throws MillraceError `PIPELINE_INVALID`.
 */
export function checkPipeline(pipeline: unknown, place: string): void {
  if (!Array.isArray(pipeline)) throw wrongBody(place, 'an array of stages', pipeline);
  pipeline.forEach((stage: unknown, at) => {
    const here = `${place}[${at}]`;
    if (!isDocument(stage) || Object.keys(stage).length !== 1)
      throw pipelineInvalid(here, `a stage is an object with one key; got ${describeValue(stage)}`);
    const [name, body] = Object.entries(stage)[0] as [string, unknown];
    const why = refused[name];
    if (why !== undefined) throw pipelineInvalid(`${here}.${name}`, why);
    if (!stages[name] && !wholes.has(name))
      throw pipelineInvalid(here, `unknown stage '${name}'. ${suggestName(name, [...Object.keys(stages), ...wholes])}`);
    for (const [inner, where] of nested(name, body)) checkPipeline(inner, `${here}.${name}${where}`);
  });
}

function nested(name: string, body: unknown): (readonly [unknown, string])[] {
  if (!isDocument(body)) return [];
  if (name === '$facet') return Object.entries(body).map(([facetName, inner]) => [inner, `.${facetName}`] as const);
  const { pipeline } = body as { readonly pipeline?: unknown };
  return (name === '$lookup' || name === '$unionWith') && pipeline !== undefined ? [[pipeline, '.pipeline']] : [];
}

async function compileStage(name: string, body: unknown, context: Context, after: readonly object[]): Promise<Run> {
  const own = stages[name];
  if (own) {
    await readyArithmetic();
    return own(body, context, after);
  }
  const engine = await loadEngine();
  return async function* (input) {
    yield* slices(engine.runStage({ [name]: body }, await collect(input), context.place, context.variables));
  };
}

async function match(body: unknown, { place, variables }: Context): Promise<Run> {
  if (!isDocument(body)) throw wrongBody(place, 'a filter', body);
  const engine = hasExpression(body) ? await loadEngine() : undefined;
  const matches = inPipeline(place, () =>
    compileFilter(body, engine && ((expression) => engine.compile(expression, `${place}.$expr`, variables))),
  );
  return async function* (input) {
    for await (const batch of input) yield batch.filter(matches);
  };
}

/** A fault of a filter or sort inside a pipeline names its place there. */
function inPipeline<T>(place: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw error instanceof MillraceError && error.code === 'QUERY_INVALID' ? pipelineInvalid(place, error.message) : error;
  }
}

/** Holds no more rows than a `$limit` after it lets through. */
function sort(body: unknown, { place }: Context, after: readonly object[]): Run {
  if (!isDocument(body) || Object.keys(body).length === 0) throw wrongBody(place, 'an object of properties, 1 or -1', body);
  const parts = inPipeline(place, () => parseSort(body as Sort));
  const most = limitAfter(after);
  return async function* (input) {
    const sorter = new Sorter<Row>(parts, most);
    for await (const batch of input) for (const row of batch) sorter.add(row);
    yield* slices(sorter.take());
  };
}

function limitAfter(after: readonly object[]): number {
  const [first, second] = after as readonly { readonly $skip?: unknown; readonly $limit?: unknown }[];
  if (typeof first?.$limit === 'number') return first.$limit;
  return typeof first?.$skip === 'number' && typeof second?.$limit === 'number' ? first.$skip + second.$limit : 0;
}

function countOf(body: unknown, { place }: Context): number {
  if (!Number.isSafeInteger(body) || (body as number) < 0) throw wrongBody(place, 'a whole number that is not negative', body);
  if (body === 0 && place.endsWith('$limit')) throw wrongBody(place, 'a positive whole number', body);
  return body as number;
}

function skip(rows: number): Run {
  return async function* (input) {
    let left = rows;
    for await (const batch of input) {
      yield left === 0 ? batch : batch.slice(left);
      left -= Math.min(left, batch.length);
    }
  };
}

function limit(rows: number): Run {
  return async function* (input) {
    let left = rows;
    for await (const batch of input) {
      yield batch.length <= left ? batch : batch.slice(0, left);
      left -= Math.min(left, batch.length);
      if (left === 0) return;
    }
  };
}

function count(body: unknown, { place }: Context): Run {
  if (typeof body !== 'string' || body === '' || body.startsWith('$') || body.includes('.'))
    throw wrongBody(place, 'the name of a property', body);
  return async function* (input) {
    let rows = 0;
    for await (const batch of input) rows += batch.length;
    if (rows > 0) yield [{ [body]: rows }];
  };
}

async function sortByCount(body: unknown, context: Context): Promise<Run> {
  const grouped = await group({ _id: body, count: { $sum: 1 } }, context);
  const sorted = sort({ count: -1 }, context, []);
  return (input) => sorted(grouped(input));
}

function facet(body: unknown, context: Context): Run {
  if (!isDocument(body)) throw wrongBody(context.place, 'an object of pipelines', body);
  return async function* (input) {
    const rows = await collect(input);
    const row: Record<string, unknown> = {};
    for (const [name, pipeline] of Object.entries(body) as [string, object[]][]) {
      row[name] = await collect(run([rows], pipeline, { ...context, place: `${context.place}.${name}` }));
    }
    yield [row];
  };
}

/** A fair choice of so many rows, in one pass. */
function sample(body: unknown, context: Context): Run {
  const size = countOf((body as { readonly size?: unknown } | null)?.size, context);
  return async function* (input) {
    const chosen: Row[] = [];
    let seen = 0;
    for await (const batch of input) {
      for (const row of batch) {
        const at = seen < size ? seen : Math.floor(Math.random() * (seen + 1));
        if (at < size) chosen[at] = row;
        seen++;
      }
    }
    yield* slices(chosen);
  };
}
