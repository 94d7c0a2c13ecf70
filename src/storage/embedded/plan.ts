import { order, orderOf } from '../query/compare.js';
import { isOperators } from '../query/filter.js';
import { indexOfPart, isDocument } from '../query/path.js';
import type { CompiledQuery } from '../query/query.js';
import type { SortPart } from '../query/sort.js';
import type { CollectionRecord, IndexRecord } from './catalog.js';
import { after, encodeKeys, kindBounds } from './key.js';

/** A part of an index, from `low` up to (not with) `high`. */
export interface Range {
  readonly low: Buffer;
  readonly high: Buffer;
}

/** How the rows of a query are found. All but a scan may find rows that the filter then refuses. */
export type Plan =
  | { readonly kind: 'scan'; readonly reverse: boolean; readonly sorted: boolean }
  | { readonly kind: 'ids'; readonly ids: readonly unknown[] }
  | {
      readonly kind: 'index';
      readonly index: IndexRecord;
      readonly ranges: readonly Range[];
      readonly sorted: boolean;
      readonly reverse: boolean;
    };

/** Most values of `$in`, over all properties of an index, that are looked for one by one. */
const mostRanges = 1000;

/** What a filter asks of one property, as far as an index can use it. */
interface Wanted {
  /** The value is one of these. */
  among?: readonly unknown[];
  low?: { readonly value: unknown; readonly inclusive: boolean };
  high?: { readonly value: unknown; readonly inclusive: boolean };
}

/** Chooses among the indexes of a collection: the most properties that are equal to something, then a range, then the sort. */
export function choosePlan(record: CollectionRecord, query: CompiledQuery): Plan {
  const wanted = new Map<string, Wanted>();
  collect(query.filter, wanted);
  const ids = wanted.get('_id')?.among;
  if (ids) return { kind: 'ids', ids };
  const best = record.indexes
    .map((index) => usesOf(index, wanted, query.sort))
    .filter((use) => use.score > 0)
    .reduce<Use | undefined>((most, use) => (most && most.score >= use.score ? most : use), undefined);
  if (best) return { kind: 'index', index: best.index, ranges: best.ranges, sorted: best.sorted, reverse: best.reverse };
  return scanPlan(record, query.sort);
}

/** Where every block's ids ascend, natural order is the order of `_id`. */
function scanPlan(record: CollectionRecord, sort: readonly SortPart[]): Plan {
  const [first] = sort;
  const byId = first?.path === '_id' && record.loose === 0;
  return { kind: 'scan', reverse: byId && first.direction === -1, sorted: byId };
}

interface Use {
  readonly index: IndexRecord;
  readonly ranges: readonly Range[];
  readonly sorted: boolean;
  readonly reverse: boolean;
  readonly score: number;
}

function usesOf(index: IndexRecord, wanted: ReadonlyMap<string, Wanted>, sort: readonly SortPart[]): Use {
  const paths = Object.keys(index.keys);
  const directions = Object.values(index.keys);
  const equal = equalPrefix(index, wanted);
  const prefixes = combine(equal.map(({ among }) => among ?? [])).map((values) => encodeKeys(values, directions).bytes);
  const next = paths[equal.length];
  const range = next === undefined || !canFollow(index, equal.length) ? undefined : wanted.get(next);
  const hasRange = range?.low !== undefined || range?.high !== undefined;
  const sorted =
    prefixes.length === 1 && !index.multikey && !index.inexact && !index.hidden
      ? sortBy(paths, directions, equal.length, sort, wanted)
      : undefined;
  const ranges = prefixes.map((prefix) => bounds(index, prefix, range && hasRange ? range : undefined, directions[equal.length] ?? 1));
  const score =
    4 * equal.length + (hasRange ? 2 : 0) + (sorted === undefined ? 0 : 1) + (index.unique && equal.length === paths.length ? 1 : 0);
  return { index, ranges, sorted: sorted !== undefined, reverse: sorted === 'reverse', score };
}

function equalPrefix(index: IndexRecord, wanted: ReadonlyMap<string, Wanted>): readonly Wanted[] {
  const equal: Wanted[] = [];
  let ranges = 1;
  for (const path of Object.keys(index.keys)) {
    const want = wanted.get(path);
    if (!want?.among || ranges * want.among.length > mostRanges || !canFollow(index, equal.length)) break;
    ranges *= want.among.length;
    equal.push(want);
  }
  return equal;
}

/**
 * Whether a property narrows what those before it in the index have found. Not where both may be of one array: an entry has the properties
 * of one element, and a filter takes one from this, another from that.
 */
function canFollow(index: IndexRecord, at: number): boolean {
  const roots = Object.keys(index.keys).map((path) => path.split('.')[0]);
  return !index.multikey || !roots.slice(0, at).includes(roots[at]);
}

/** One of each list, in every combination. */
function combine(lists: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  return lists.reduce<readonly (readonly unknown[])[]>((found, list) => found.flatMap((start) => list.map((one) => [...start, one])), [[]]);
}

/**
 * Whether the entries after the equal properties come in the order asked for, or exactly against it. No property of the index may be left
 * over: it would order the rows that the sort leaves in natural order.
 */
function sortBy(
  paths: readonly string[],
  directions: readonly (1 | -1)[],
  equal: number,
  sort: readonly SortPart[],
  wanted: ReadonlyMap<string, Wanted>,
): 'forward' | 'reverse' | undefined {
  const parts = sort.filter(({ path }) => wanted.get(path)?.among?.length !== 1 || !paths.slice(0, equal).includes(path));
  if (parts.length === 0 || parts.length !== paths.length - equal) return undefined;
  if (!parts.every(({ path }, at) => path === paths[equal + at])) return undefined;
  const agree = parts.map(({ direction }, at) => direction === directions[equal + at]);
  if (agree.every(Boolean)) return 'forward';
  return agree.some(Boolean) ? undefined : 'reverse';
}

/** Within the kind of what is compared with: the server compares no others. Of an array one element may pass one bound, another the other. */
function bounds(index: IndexRecord, prefix: Buffer, range: Wanted | undefined, direction: 1 | -1): Range {
  if (!range) return { low: prefix, high: after(prefix) };
  const { low, high } = index.multikey && range.low && range.high ? { low: range.low, high: undefined } : range;
  const kind = kindBounds(orderOf((low ?? high)?.value), direction);
  const [start, end] = direction === 1 ? [low, high] : [high, low];
  return {
    low: Buffer.concat([prefix, start ? edge(start.value, direction, !start.inclusive && !index.inexact, false) : kind.low]),
    high: Buffer.concat([prefix, end ? edge(end.value, direction, end.inclusive || index.inexact, true) : kind.high]),
  };
}

/** Where entries of a value begin, or (`beyond`) where they have ended; of an inexact one, whatever takes in too many. */
function edge(value: unknown, direction: 1 | -1, beyond: boolean, upper: boolean): Buffer {
  const { bytes, exact } = encodeKeys([value], [direction]);
  if (exact) return beyond ? after(bytes) : bytes;
  const beginning = bytes.subarray(0, bytes.length - digestLength);
  return upper ? after(beginning) : beginning;
}

/** What ends inexact bytes tells nothing of their order. */
const digestLength = 21;

function collect(filter: object, wanted: Map<string, Wanted>): void {
  for (const [key, operand] of Object.entries(filter) as [string, unknown][]) {
    if (key === '$and' && Array.isArray(operand)) for (const branch of operand) collect(branch as object, wanted);
    if (key.startsWith('$') || key.split('.').some((part) => indexOfPart(part) >= 0)) continue;
    if (!wanted.has(key)) wanted.set(key, {});
    note(wanted.get(key) as Wanted, operand);
  }
}

function note(want: Wanted, operand: unknown): void {
  if (!isOperators(operand)) return noteAmong(want, [operand]);
  for (const [operator, value] of Object.entries(operand)) {
    if (operator === '$eq') noteAmong(want, [value]);
    else if (operator === '$in' && Array.isArray(value)) noteAmong(want, value);
    else if (!isBound(value)) continue;
    else if (operator === '$gt' || operator === '$gte') want.low ??= { value, inclusive: operator === '$gte' };
    else if (operator === '$lt' || operator === '$lte') want.high ??= { value, inclusive: operator === '$lte' };
  }
}

/** Arrays equal as a whole, of which an index knows nothing; regular expressions match more than themselves. */
function noteAmong(want: Wanted, values: readonly unknown[]): void {
  if (want.among) return;
  const kinds = values.map(orderOf);
  if (values.length > 0 && !kinds.includes(order.array) && !kinds.includes(order.regExp)) want.among = values.map((value) => value ?? null);
}

const bounding = new Set<number>([order.number, order.string, order.date, order.objectId, order.boolean, order.timestamp, order.binary]);

function isBound(value: unknown): boolean {
  return bounding.has(orderOf(value)) && !Number.isNaN(value) && !isDocument(value);
}
