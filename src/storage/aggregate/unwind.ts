import type { Row } from '../../types.js';
import { valueAt } from '../query/path.js';
import { wrongBody } from './fault.js';
import { withValue } from './set-path.js';
import type { Batches, Context, Run } from './stage.js';

/** `$unwind`: a row for each element of an array. */
export function unwind(body: unknown, { place }: Context): Run {
  const { path, includeArrayIndex, preserveNullAndEmptyArrays } = (typeof body === 'string' ? { path: body } : (body ?? {})) as Readonly<
    Record<string, unknown>
  >;
  if (typeof path !== 'string' || !path.startsWith('$')) throw wrongBody(place, "a path like '$tags'", body);
  if (includeArrayIndex !== undefined && typeof includeArrayIndex !== 'string')
    throw wrongBody(`${place}.includeArrayIndex`, 'the name of a property', includeArrayIndex);
  const parts = path.slice(1).split('.');
  const indexParts = includeArrayIndex?.split('.');
  const indexed = (row: object, index: number | null): object => (indexParts ? withValue(row, indexParts, index) : row);
  const expand = (row: object): object[] => {
    const value = valueAt(row, parts);
    if (Array.isArray(value) && value.length > 0)
      return value.map((one: unknown, index) => indexed(withValue(row, parts, one ?? null), index));
    if (!Array.isArray(value) && value !== null && value !== undefined) return [indexed(row, null)];
    if (preserveNullAndEmptyArrays !== true) return [];
    return [indexed(Array.isArray(value) ? withValue(row, parts, undefined) : row, null)];
  };
  return async function* (input: Batches) {
    for await (const batch of input) yield batch.flatMap<Row>(expand);
  };
}
