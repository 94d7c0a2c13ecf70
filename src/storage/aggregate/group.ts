import { suggestName } from '../../errors.js';
import type { Row } from '../../types.js';
import { compareValues } from '../query/compare.js';
import { keyText } from '../query/key-text.js';
import { isDocument } from '../query/path.js';
import { accumulators, type Accumulator } from './accumulators.js';
import { loadEngine, type Expressions } from './expressions.js';
import { pipelineInvalid, wrongBody } from './fault.js';
import type { Batches, Context, Run } from './stage.js';

/** One output of a `$group`: how a group's state is begun, fed and ended. */
interface Field {
  readonly name: string;
  begin(): { add(row: object): void; result(): unknown };
}

/** `$group`: rows are taken one by one, so that memory grows with the groups and what they gather, not with the input. */
export async function group(body: unknown, context: Context): Promise<Run> {
  const { place } = context;
  if (!isDocument(body) || !Object.hasOwn(body, '_id')) throw wrongBody(place, 'an object with _id and accumulators', body);
  const engine = await loadEngine();
  const { _id: id, ...outputs } = body as Readonly<Record<string, unknown>>;
  return groupBy(engine.compile(id, `${place}._id`, context.variables), outputs, engine, context);
}

function groupBy(
  keyOf: (row: object) => unknown,
  outputs: Readonly<Record<string, unknown>>,
  engine: Expressions,
  context: Context,
  order?: (a: Row, b: Row) => number,
): Run {
  const fields = Object.entries(outputs).map(([name, spec]) => compileField(name, spec, engine, context));
  return async function* (input) {
    const groups = new Map<string, { readonly id: unknown; readonly states: readonly ReturnType<Field['begin']>[] }>();
    for await (const batch of input) {
      for (const row of batch) {
        const key = keyOf(row) ?? null;
        const text = keyText(key);
        let found = groups.get(text);
        if (!found) groups.set(text, (found = { id: key, states: fields.map((field) => field.begin()) }));
        for (const state of found.states) state.add(row);
      }
    }
    const rows = [...groups.values()].map(({ id, states }) => toRow(id, fields, states));
    yield* slices(order ? rows.sort(order) : rows);
  };
}

/** `$bucket`: groups by the greatest boundary that is not above the value. */
export async function bucket(body: unknown, context: Context): Promise<Run> {
  const { place, variables } = context;
  if (!isDocument(body)) throw wrongBody(place, 'an object', body);
  const { groupBy: by, boundaries, default: other, output = { count: { $sum: 1 } } } = body as Readonly<Record<string, unknown>>;
  if (!Array.isArray(boundaries) || boundaries.length < 2)
    throw wrongBody(`${place}.boundaries`, 'an array of at least two values, ascending', boundaries);
  const engine = await loadEngine();
  const valueOf = engine.compile(by, `${place}.groupBy`, variables);
  const keyOf = (row: object): unknown => {
    const value = valueOf(row);
    const above = boundaries.findIndex((boundary: unknown) => compareValues(value, boundary) < 0);
    if (above > 0) return boundaries[above - 1];
    if (other === undefined) throw pipelineInvalid(place, 'a value is outside of the boundaries, and there is no default');
    return other;
  };
  return groupBy(keyOf, output as Readonly<Record<string, unknown>>, engine, context, (a, b) => compareValues(idOf(a), idOf(b)));
}

function idOf(row: Row): unknown {
  return (row as { readonly _id?: unknown })._id;
}

function toRow(id: unknown, fields: readonly Field[], states: readonly ReturnType<Field['begin']>[]): Row {
  return Object.fromEntries([['_id', id], ...fields.map(({ name }, at) => [name, states[at]?.result()])]) as Row;
}

function compileField(name: string, spec: unknown, engine: Expressions, { place, variables }: Context): Field {
  const here = `${place}.${name}`;
  const [operator, ...more] = isDocument(spec) ? Object.keys(spec) : [];
  if (operator === undefined || more.length > 0 || name.includes('.') || name.startsWith('$'))
    throw wrongBody(here, 'one accumulator, like { $sum: 1 }', spec);
  const expression = (spec as Readonly<Record<string, unknown>>)[operator];
  const make = accumulators[operator];
  if (make) {
    const compute = operator === '$count' ? () => 1 : engine.compile(expression, here, variables);
    return { name, begin: () => feed(make(), compute) };
  }
  const whole = engine.accumulator(operator);
  if (!whole) throw pipelineInvalid(here, `unknown accumulator '${operator}'. ${suggestName(operator, Object.keys(accumulators))}`);
  return {
    name,
    begin() {
      const rows: object[] = []; // an accumulator that needs the whole group
      return { add: (row) => rows.push(row), result: () => whole(rows, expression, variables) };
    },
  };
}

function feed(accumulator: Accumulator, compute: (row: object) => unknown): ReturnType<Field['begin']> {
  return { add: (row) => accumulator.add(compute(row)), result: () => accumulator.result() };
}

const size = 1000;

/** Rows in batches. */
export function* slices(rows: readonly Row[]): Generator<readonly Row[], void> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

/** All rows of batches. */
export async function collect(batches: Batches): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of batches) for (const row of batch) rows.push(row);
  return rows;
}
