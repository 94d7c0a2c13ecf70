import type { Row } from '../../types.js';
import { keyText } from '../query/key-text.js';
import { isDocument, keysAt } from '../query/path.js';
import { compileMatch } from './compile.js';
import { loadEngine, type Variables } from './expressions.js';
import { wrongBody } from './fault.js';
import { collect } from './group.js';
import { withValue } from './set-path.js';
import type { Batches, Context, Run } from './stage.js';

/** Runs a nested pipeline. */
export type RunInner = (input: Batches, pipeline: readonly object[], context: Context) => Batches;

/** `$lookup`: by equal values, by a pipeline, or by both. */
export async function lookup(body: unknown, context: Context, runInner: RunInner): Promise<Run> {
  const { place } = context;
  const { from, localField, foreignField, as, let: letting, pipeline } = objectOf(body, place);
  if (typeof from !== 'string') throw wrongBody(`${place}.from`, 'the name of a collection', from);
  if (typeof as !== 'string' || as === '') throw wrongBody(`${place}.as`, 'the name of a property', as);
  if ((localField === undefined) !== (foreignField === undefined)) throw wrongBody(place, 'localField and foreignField together', body);
  if (localField === undefined && pipeline === undefined) throw wrongBody(place, 'localField and foreignField, or a pipeline', body);
  const bind = await compileVariables(letting, context);
  const parts = as.split('.');
  return async function* (input) {
    const rows = await collect(await context.read(from));
    const same = typeof localField === 'string' && typeof foreignField === 'string' ? joiner(rows, localField, foreignField) : () => rows;
    let shared: readonly Row[] | undefined;
    for await (const batch of input) {
      const joined: Row[] = [];
      for (const row of batch) {
        const found = same(row);
        const inner = { ...context, place: `${place}.pipeline`, variables: { ...context.variables, ...bind(row) } };
        const run = async (): Promise<readonly Row[]> => collect(runInner([found], pipeline as object[], inner));
        const dependent = letting !== undefined || localField !== undefined;
        joined.push(withValue(row, parts, pipeline === undefined ? found : dependent ? await run() : (shared ??= await run())));
      }
      yield joined;
    }
  };
}

async function compileVariables(letting: unknown, { place, variables }: Context): Promise<(row: object) => Variables> {
  if (letting === undefined) return () => ({});
  if (!isDocument(letting)) throw wrongBody(`${place}.let`, 'an object', letting);
  const engine = await loadEngine();
  const compiled = Object.entries(letting).map(
    ([name, expression]) => [name, engine.compile(expression, `${place}.let.${name}`, variables)] as const,
  );
  return (row) => Object.fromEntries(compiled.map(([name, compute]) => [name, compute(row) ?? null]));
}

/** Equality as a filter has it: an array stands for each of its elements, missing is null. Rows come in their own order. */
function joiner(rows: readonly Row[], localField: string, foreignField: string): (row: object) => readonly Row[] {
  const local = localField.split('.');
  const places = placesByKey(rows, foreignField.split('.'));
  return (row) => {
    const keys = new Set(keysAt(row, local).map(keyText));
    const [first] = keys;
    if (keys.size === 1 && first !== undefined) return (places.get(first) ?? []).map((at) => rows[at] as Row);
    const found = new Set([...keys].flatMap((key) => places.get(key) ?? []));
    return [...found].sort((a, b) => a - b).map((at) => rows[at] as Row);
  };
}

function placesByKey(rows: readonly Row[], path: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  rows.forEach((row, at) => {
    for (const key of new Set(keysAt(row, path).map(keyText))) {
      const list = places.get(key);
      if (list) list.push(at);
      else places.set(key, [at]);
    }
  });
  return places;
}

/** `$unionWith`. */
export function unionWith(body: unknown, context: Context, runInner: RunInner): Run {
  const { coll, pipeline = [] } =
    typeof body === 'string' ? { coll: body } : (objectOf(body, context.place) as { coll?: unknown; pipeline?: unknown });
  if (typeof coll !== 'string') throw wrongBody(`${context.place}.coll`, 'the name of a collection', coll);
  return async function* (input) {
    yield* input;
    yield* runInner(await context.read(coll), pipeline as object[], { ...context, place: `${context.place}.pipeline` });
  };
}

/** `$graphLookup`: breadth first, each row once. */
export async function graphLookup(body: unknown, context: Context): Promise<Run> {
  const { place, variables } = context;
  const {
    from,
    startWith,
    connectFromField,
    connectToField,
    as,
    maxDepth,
    depthField,
    restrictSearchWithMatch = {},
  } = objectOf(body, place);
  for (const [name, value] of Object.entries({ from, connectFromField, connectToField, as })) {
    if (typeof value !== 'string') throw wrongBody(`${place}.${name}`, 'a name', value);
  }
  const start = (await loadEngine()).compile(startWith, `${place}.startWith`, variables);
  const allowed = await compileMatch(restrictSearchWithMatch as object);
  const fromParts = (connectFromField as string).split('.');
  const depthParts = typeof depthField === 'string' ? depthField.split('.') : undefined;
  return async function* (input) {
    const rows = (await collect(await context.read(from as string))).filter(allowed);
    const places = placesByKey(rows, (connectToField as string).split('.'));
    const search = (row: object): Row[] => {
      const depths = new Map<number, number>();
      const first = start(row);
      let keys = (Array.isArray(first) ? first : [first ?? null]).map(keyText);
      for (let depth = 0; keys.length > 0 && (maxDepth === undefined || depth <= Number(maxDepth)); depth++) {
        const fresh = [...new Set(keys.flatMap((key) => places.get(key) ?? []))].filter((at) => !depths.has(at));
        for (const at of fresh) depths.set(at, depth);
        keys = fresh.flatMap((at) => keysAt(rows[at] as Row, fromParts).map(keyText));
      }
      return [...depths].map(([at, depth]) => (depthParts ? withValue(rows[at] as Row, depthParts, depth) : (rows[at] as Row)));
    };
    const asParts = (as as string).split('.');
    for await (const batch of input) yield batch.map((row) => withValue(row, asParts, search(row)));
  };
}

function objectOf(body: unknown, place: string): Readonly<Record<string, unknown>> {
  if (!isDocument(body)) throw wrongBody(place, 'an object', body);
  return body as Readonly<Record<string, unknown>>;
}
