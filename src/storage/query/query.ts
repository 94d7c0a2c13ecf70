import { describeValue, suggestName } from '../../errors.js';
import type { Query } from '../../types.js';
import { queryInvalid } from './fault.js';
import { compileFilter, type ExpressionCompiler, type Predicate } from './filter.js';
import { isDocument } from './path.js';
import { compileProjection } from './projection.js';
import { parseSort, Sorter, type SortPart } from './sort.js';

/** A query that was checked, as functions. */
export interface CompiledQuery {
  readonly filter: object;
  /** Undefined where every row is meant. */
  readonly matches: Predicate | undefined;
  readonly sort: readonly SortPart[];
  readonly project: ((row: object) => object) | undefined;
  readonly skip: number;
  /** 0 is all. */
  readonly limit: number;
}

const properties = ['filter', 'sort', 'projection', 'skip', 'limit'];

/** @throws MillraceError `QUERY_INVALID`. */
export function compileQuery(query: Query<object> = {}, expressions?: ExpressionCompiler): CompiledQuery {
  for (const name of Object.keys(query)) {
    if (!properties.includes(name)) throw queryInvalid(`a query has no '${name}'. ${suggestName(name, properties)}`);
  }
  const { filter = {}, sort = {}, projection = {}, skip, limit } = query;
  for (const [name, value] of Object.entries({ filter, sort, projection })) {
    if (!isDocument(value)) throw queryInvalid(`${name} is an object; got ${describeValue(value)}`);
  }
  return {
    filter,
    matches: Object.keys(filter).length === 0 ? undefined : compileFilter(filter, expressions),
    sort: parseSort(sort),
    project: compileProjection(projection),
    skip: wholeNumber('skip', skip),
    limit: wholeNumber('limit', limit),
  };
}

function wholeNumber(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value) || value < 0)
    throw queryInvalid(`${name} is a whole number that is not negative; got ${describeValue(value)}`);
  return value;
}

/** What a store has done of a query already by the way it reads. */
export interface Done {
  readonly sorted?: boolean;
}

/**
 * Runs a query over rows that come in natural order (or sorted, where `done` says so): streams, but for a sort, which holds as many
 * rows as it may give. A batch may be empty.
 */
export function* runQuery(source: Iterable<readonly object[]>, query: CompiledQuery, done: Done = {}): Generator<readonly object[], void> {
  yield* query.sort.length > 0 && !done.sorted ? sorted(source, query) : streamed(source, query);
}

function* streamed(
  source: Iterable<readonly object[]>,
  { matches, project, skip, limit }: CompiledQuery,
): Generator<readonly object[], void> {
  let toSkip = skip;
  let left = limit === 0 ? Infinity : limit;
  for (const batch of source) {
    let rows = matches ? batch.filter(matches) : batch;
    if (toSkip > 0) {
      const skipped = Math.min(toSkip, rows.length);
      toSkip -= skipped;
      rows = rows.slice(skipped);
    }
    if (rows.length > left) rows = rows.slice(0, left);
    left -= rows.length;
    yield project ? rows.map(project) : rows;
    if (left === 0) return;
  }
}

function* sorted(
  source: Iterable<readonly object[]>,
  { matches, sort, project, skip, limit }: CompiledQuery,
): Generator<readonly object[], void> {
  const sorter = new Sorter(sort, limit === 0 ? 0 : skip + limit);
  for (const batch of source) {
    for (const row of batch) if (!matches || matches(row)) sorter.add(row);
    yield []; // a place to let others run
  }
  const rows = sorter.take().slice(skip);
  for (let at = 0; at < rows.length; at += 1000) {
    const batch = rows.slice(at, at + 1000);
    yield project ? batch.map(project) : batch;
  }
}
