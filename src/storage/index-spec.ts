import { describeValue, MillraceError } from '../errors.js';
import { describeRow } from './describe.js';
import { queryInvalid } from './query/fault.js';
import { keyText } from './query/key-text.js';
import { isDocument, keysAt } from './query/path.js';
import type { Index } from './store.js';

/** An index as a store works with it. */
export interface IndexSpec extends Index {
  readonly paths: readonly (readonly string[])[];
  readonly directions: readonly (1 | -1)[];
}

/** The index on `_id` that every collection has. */
export const idIndexName = '_id_';

/**
 * Checks the keys of an index and names it as the server does: `sku_1_at_-1`.
 *
 * @throws MillraceError `QUERY_INVALID`.
 */
export function parseIndex(keys: Readonly<Record<string, 1 | -1>>, unique = false): IndexSpec {
  if (!isDocument(keys) || Object.keys(keys).length === 0) throw queryInvalid(`an index has keys, like { sku: 1 }; got ${describeValue(keys)}`);
  for (const [path, direction] of Object.entries(keys)) {
    if (path === '' || path.startsWith('$')) throw queryInvalid(`an index is on properties; got '${path}'`);
    if (direction !== 1 && direction !== -1) throw queryInvalid(`index key '${path}' is 1 (ascending) or -1; got ${describeValue(direction)}`);
  }
  const name = Object.entries(keys)
    .map(([path, direction]) => `${path}_${direction}`)
    .join('_');
  return toSpec({ name, keys, unique });
}

/** An index with what its keys say taken apart. */
export function toSpec({ name, keys, unique }: Index): IndexSpec {
  return {
    name,
    keys: Object.freeze({ ...keys }),
    unique,
    paths: Object.keys(keys).map((path) => path.split('.')),
    directions: Object.values(keys),
  };
}

/**
 * The index that is there already where it is the same; undefined where there is none.
 *
 * @throws MillraceError `QUERY_INVALID` where one of that name differs.
 */
export function findSame<T extends Index>(collection: string, wanted: Index, present: Iterable<T>): T | undefined {
  for (const index of present) {
    if (index.name !== wanted.name) continue;
    if (index.unique === wanted.unique) return index;
    throw queryInvalid(`collection '${collection}' has the index '${index.name}' already, and it is ${index.unique ? '' : 'not '}unique: drop the collection to change it`);
  }
  return undefined;
}

/**
 * The keys under which an index holds a row: several where a path goes through an array.
 *
 * @throws MillraceError `ROW_INVALID` where two paths go through different arrays, as on the server.
 */
export function indexKeys(row: object, { name, paths }: IndexSpec): readonly (readonly unknown[])[] {
  const perPath = paths.map((path) => keysAt(row, path));
  const several = perPath.filter((keys) => keys.length > 1).length;
  if (several === 0) return [perPath.map(([key]) => key)];
  if (several > 1) {
    throw new MillraceError('ROW_INVALID', `index '${name}' cannot hold ${describeRow(row)}: two of its properties are arrays; at most one may be`);
  }
  const at = perPath.findIndex((keys) => keys.length > 1);
  return (perPath[at] as readonly unknown[]).map((key) => perPath.map((keys, place) => (place === at ? key : keys[0])));
}

/** The texts of an index's keys for a row, each once. */
export function indexTexts(row: object, spec: IndexSpec): readonly string[] {
  const keys = indexKeys(row, spec);
  if (keys.length === 1) return [keysText(keys[0] as readonly unknown[])];
  return [...new Set(keys.map(keysText))];
}

function keysText(keys: readonly unknown[]): string {
  return keys.length === 1 ? keyText(keys[0]) : keys.map((key) => { const text = keyText(key); return `${text.length}:${text}`; }).join('');
}

/** A key that is there already; `inserted` rows of the call went in before it. */
export function keyDuplicate(collection: string, index: string, key: object, inserted?: number): MillraceError {
  const went = inserted === undefined ? '' : ` ${inserted} ${inserted === 1 ? 'row' : 'rows'} went in before it.`;
  return new MillraceError('KEY_DUPLICATE', `collection '${collection}' has a row with the key ${describeRow(key)} already (unique index '${index}').${went}`);
}

/** The values of an index's keys in a row, for a message. */
export function keyOf(row: object, keys: Index['keys']): object {
  return Object.fromEntries(Object.keys(keys).map((path) => {
    const values = keysAt(row, path.split('.'));
    return [path, values.length === 1 ? values[0] : values];
  }));
}
