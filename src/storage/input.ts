import { describeValue } from '../errors.js';
import type { Row } from '../types.js';
import { queryInvalid } from './query/fault.js';

/** Rows of a call in arrays of at most `size`. */
export async function* inChunks(rows: Iterable<Row> | AsyncIterable<Row>, size: number): AsyncGenerator<readonly Row[], void> {
  if (Array.isArray(rows) && rows.length <= size) {
    if (rows.length > 0) yield rows as readonly Row[];
    return;
  }
  let chunk: Row[] = [];
  if (Symbol.iterator in rows) {
    for (const row of rows) {
      if (chunk.push(row) < size) continue;
      yield chunk;
      chunk = [];
    }
  } else {
    for await (const row of rows) {
      if (chunk.push(row) < size) continue;
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}

/** Where Millrace keeps its own collections: these are never listed. */
export const ownPrefix = '_millrace';

/** In bytes; a server counts its database's name too. */
const longestName = 200;

/** @throws MillraceError `QUERY_INVALID` for what cannot be the name of a collection. */
export function checkName(collection: string): void {
  if (typeof collection !== 'string' || collection === '') throw queryInvalid('a collection has a name; got none');
  if (collection.includes('\0') || collection.includes('$'))
    throw queryInvalid(`collection '${collection}': a name has no $ and no null character`);
  if (collection.startsWith('system.')) throw queryInvalid(`collection '${collection}': names that begin with 'system.' are the server's`);
  if (collection.split('.').includes('')) throw queryInvalid(`collection '${collection}': a name has something before and after each dot`);
  if (Buffer.byteLength(collection) > longestName)
    throw queryInvalid(`collection '${collection.slice(0, 40)}...': a name has at most ${longestName} bytes`);
}

/** What a call without a filter would delete is everything. @throws MillraceError `QUERY_INVALID`. */
export function checkFilter(filter: unknown): void {
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter))
    throw queryInvalid(`a filter takes an object; got ${describeValue(filter)}`);
}

/** @throws MillraceError `QUERY_INVALID` for an upsert without keys. */
export function checkKey(collection: string, key: readonly string[]): void {
  if (!Array.isArray(key) || key.length === 0 || key.some((path: unknown) => typeof path !== 'string' || path === '')) {
    throw queryInvalid(`collection '${collection}': upsert needs the properties that identify a row, like ['sku']`);
  }
}
