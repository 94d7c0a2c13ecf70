import type { Row } from '../../types.js';
import { isOperators } from '../query/filter.js';
import { isDocument } from '../query/path.js';
import { compileProjection, type Projection } from '../query/projection.js';
import { loadEngine } from './expressions.js';
import { pipelineInvalid, wrongBody } from './fault.js';
import { withValue } from './set-path.js';
import type { Batches, Context, Run } from './stage.js';

type Change = (row: object) => object;

/** `$project`: keeps, leaves out, computes. */
export async function project(body: unknown, context: Context): Promise<Run> {
  if (!isDocument(body) || Object.keys(body).length === 0) throw wrongBody(context.place, 'an object that is not empty', body);
  const paths = flatten(body);
  const computed = paths.filter(([, value]) => !isFlag(value));
  const flags = Object.fromEntries(paths.filter(([, value]) => isFlag(value)).map(([path, value]) => [path, Boolean(value)]));
  if (computed.length === 0) return each(keepOnly(flags, context) ?? ((row) => row));
  const left = Object.keys(flags).find((path) => path !== '_id' && flags[path] === false);
  if (left !== undefined)
    throw pipelineInvalid(context.place, `leaves out '${left}' and computes '${String(computed[0]?.[0])}': it does the one or the other`);
  const kept = Object.values(flags).some(Boolean) ? flags : { ...flags, ...(flags['_id'] === false ? {} : { _id: true }) };
  const keep = Object.values(kept).some(Boolean) ? (keepOnly(kept, context) as Change) : () => ({});
  return each(await compute(computed, context, keep));
}

/** `$addFields`, `$set`. */
export async function addFields(body: unknown, context: Context): Promise<Run> {
  if (!isDocument(body)) throw wrongBody(context.place, 'an object', body);
  return each(await compute(flatten(body), context, (row) => row));
}

/** `$unset`. */
export function unset(body: unknown, context: Context): Run {
  const paths = Array.isArray(body) ? body : [body];
  if (paths.length === 0 || !paths.every((path) => typeof path === 'string'))
    throw wrongBody(context.place, 'a property or an array of them', body);
  return each(keepOnly(Object.fromEntries(paths.map((path) => [path, false])), context) as Change);
}

/** `$replaceRoot` and `$replaceWith`. */
export async function replaceRoot(expression: unknown, context: Context): Promise<Run> {
  const { place, variables } = context;
  const root = (await loadEngine()).compile(expression, place, variables);
  return each((row) => {
    const value = root(row);
    if (!isDocument(value))
      throw pipelineInvalid(place, 'the new root of a row is not an object: use $mergeObjects or $ifNull to make one');
    return value;
  });
}

function keepOnly(flags: Projection, { place }: Context): Change | undefined {
  try {
    return compileProjection(flags);
  } catch (error) {
    throw pipelineInvalid(place, (error as Error).message);
  }
}

/** Every expression sees the row as it came, not what its neighbours made of it. */
async function compute(entries: readonly (readonly [string, unknown])[], { place, variables }: Context, start: Change): Promise<Change> {
  const engine = await loadEngine();
  const fields = entries.map(([path, expression]) => ({
    parts: path.split('.'),
    value: engine.compile(expression, `${place}.${path}`, variables),
  }));
  return (row) => fields.reduce((result, { parts, value }) => withValue(result, parts, value(row)), start(row));
}

/** `{ a: { b: 1 } }` as `a.b`; an object of operators is an expression. */
function flatten(body: object, prefix = ''): [string, unknown][] {
  return Object.entries(body).flatMap(([name, value]): [string, unknown][] =>
    isDocument(value) && !isOperators(value) && Object.keys(value).length > 0
      ? flatten(value, `${prefix}${name}.`)
      : [[prefix + name, value]],
  );
}

function isFlag(value: unknown): value is number | boolean {
  return typeof value === 'boolean' || typeof value === 'number';
}

/** A stage that makes one row of each. */
function each(change: Change): Run {
  return async function* (input: Batches) {
    for await (const batch of input) yield batch.map<Row>(change);
  };
}
