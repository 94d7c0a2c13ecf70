import type { Row } from '../../types.js';
import type { CompiledQuery } from '../query/query.js';
import { entryKey, type Table } from './table.js';
import { choosePlan, type Plan } from './plan.js';

/** The rows that a query looks at, and whether they come sorted. */
export interface Found {
  readonly plan: Plan;
  readonly rows: Iterable<readonly Row[]>;
  readonly sorted: boolean;
}

const atOnce = 256;

/** Reads by the plan; rows that the filter refuses may be among them. */
export function findRows(table: Table, query: CompiledQuery): Found {
  const plan = choosePlan(table.record, query);
  switch (plan.kind) {
    case 'scan':
      return { plan, rows: table.rows(plan.reverse), sorted: plan.sorted };
    case 'ids':
      return { plan, rows: fetch(table, ascending(plan.ids.flatMap((id) => table.findId(id) ?? []))), sorted: false };
    case 'index':
      return { plan, rows: plan.sorted ? fetch(table, inOrder(table, plan)) : fetchOrScan(table, plan), sorted: plan.sorted };
  }
}

/** Numbers of the rows that a query may mean; undefined where only a scan tells. */
export function findNumbers(table: Table, query: CompiledQuery): readonly number[] | undefined {
  const plan = choosePlan(table.record, query);
  if (plan.kind === 'ids') return ascending(plan.ids.flatMap((id) => table.findId(id) ?? []));
  return plan.kind === 'index' ? gather(table, plan) : undefined;
}

type IndexPlan = Extract<Plan, { kind: 'index' }>;

function* rangesOf(
  table: Table,
  { index, ranges, reverse }: IndexPlan,
): Generator<{ readonly key: Buffer; readonly number: number }, void> {
  for (const { low, high } of ranges)
    yield* table.entries(entryKey(index.id, low), high.length === 0 ? entryKey(index.id + 1) : entryKey(index.id, high), reverse);
}

/** Rows come in natural order, so that an index changes nothing but the time; where it finds too many, all rows are read. */
function* fetchOrScan(table: Table, plan: IndexPlan): Generator<readonly Row[], void> {
  const numbers = gather(table, plan);
  yield* numbers ? fetch(table, numbers) : table.rows();
}

/** Undefined where so many rows are found that reading all is faster. */
function gather(table: Table, plan: IndexPlan): readonly number[] | undefined {
  const most = Math.max(1000, table.record.rows / 3);
  const numbers: number[] = [];
  for (const { number } of rangesOf(table, plan)) if (numbers.push(number) > most) return undefined;
  return ascending(numbers);
}

function ascending(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** In the order of the entries; rows of one key in natural order, also when the index is read backwards. */
function* inOrder(table: Table, plan: IndexPlan): Generator<number, void> {
  if (!plan.reverse || plan.index.unique) {
    for (const { number } of rangesOf(table, plan)) yield number;
    return;
  }
  let alike: number[] = [];
  let last: Buffer | undefined;
  for (const { key, number } of rangesOf(table, plan)) {
    const value = key.subarray(0, -6);
    if (last && !last.equals(value)) {
      yield* alike.reverse();
      alike = [];
    }
    alike.push(number);
    last = value;
  }
  yield* alike.reverse();
}

function* fetch(table: Table, numbers: Iterable<number>): Generator<readonly Row[], void> {
  let rows: Row[] = [];
  for (const number of numbers) {
    const row = table.row(number);
    if (row && rows.push(row) === atOnce) {
      yield rows;
      rows = [];
    }
  }
  if (rows.length > 0) yield rows;
}
