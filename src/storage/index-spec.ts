import { describeValue, MillraceError } from '../errors.js';
import { describeRow } from './describe.js';
import { queryInvalid } from './query/fault.js';
import { keyText } from './query/key-text.js';
import { fieldOf, indexOfPart, isDocument, keysAt } from './query/path.js';
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
  if (!isDocument(keys) || Object.keys(keys).length === 0)
    throw queryInvalid(`an index has keys, like { sku: 1 }; got ${describeValue(keys)}`);
  for (const [path, direction] of Object.entries<number>(keys)) {
    if (path === '' || path.startsWith('$')) throw queryInvalid(`an index is on properties; got '${path}'`);
    if (direction !== 1 && direction !== -1)
      throw queryInvalid(`index key '${path}' is 1 (ascending) or -1; got ${describeValue(direction)}`);
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
    throw queryInvalid(
      `collection '${collection}' has the index '${index.name}' already, and it is ${index.unique ? '' : 'not '}unique: drop the collection to change it`,
    );
  }
  return undefined;
}

/**
 * The keys under which an index holds a row: several where a path goes through an array, one for each element.
 *
 * @throws MillraceError `ROW_INVALID` where two paths go through different arrays, as on the server.
 */
export function indexKeys(row: object, { name, paths }: Pick<IndexSpec, 'name' | 'paths'>): readonly (readonly unknown[])[] {
  return expand(
    paths.map((path) => ({ value: row, rest: path })),
    () =>
      new MillraceError(
        'ROW_INVALID',
        `index '${name}' cannot hold ${describeRow(row)}: two of its properties are arrays; at most one may be`,
      ),
  );
}

/** How far a path has been followed. */
interface Cursor {
  readonly value: unknown;
  readonly rest: readonly string[];
  /** The value is an element of the array that the path went through: an array in an array is a key as it is. */
  readonly element?: boolean;
}

function expand(cursors: readonly Cursor[], parallel: () => Error): (readonly unknown[])[] {
  const reached = cursors.map(follow);
  const arrays = new Set(
    reached.filter(({ value, element }) => Array.isArray(value) && element !== true).map(({ value }) => value as readonly unknown[]),
  );
  const [array] = arrays;
  if (!array) return [reached.map(({ value, rest }) => (rest.length > 0 ? null : (value ?? null)))];
  if (arrays.size > 1) throw parallel();
  if (array.length === 0)
    return [
      reached.map(({ value, rest }) => (value === array && rest.length === 0 ? undefined : rest.length > 0 ? null : (value ?? null))),
    ];
  return array.flatMap((value) =>
    expand(
      reached.map((cursor) => (cursor.value === array ? { value, rest: cursor.rest, element: true } : cursor)),
      parallel,
    ),
  );
}

/** Through documents, and by index into an array; stops at an array or at the end. */
function follow({ value, rest, element }: Cursor): Cursor {
  let inElement = element ?? false;
  for (let at = 0; at < rest.length; at++) {
    const part = rest[at] as string;
    const index = indexOfPart(part);
    if (Array.isArray(value) && index >= 0 && index < value.length) value = value[index];
    else if (Array.isArray(value)) return inElement ? { value: null, rest: [] } : { value, rest: rest.slice(at) };
    else if (!isDocument(value)) return { value: null, rest: [] };
    else value = fieldOf(value, part);
    inElement = false;
  }
  return { value, rest: [], element: inElement };
}

/** The texts of an index's keys for a row, each once. */
export function indexTexts(row: object, spec: IndexSpec): readonly string[] {
  const keys = indexKeys(row, spec);
  if (keys.length === 1) return [keysText(keys[0] as readonly unknown[])];
  return [...new Set(keys.map(keysText))];
}

function keysText(keys: readonly unknown[]): string {
  return keys.length === 1 ? keyText(keys[0]) : keys.map(measured).join('');
}

function measured(key: unknown): string {
  const text = keyText(key);
  return `${text.length}:${text}`;
}

/** A key that is there already. */
export function keyDuplicate(collection: string, index: string, key: object | string, cause?: Error): MillraceError {
  const text = typeof key === 'string' ? key : describeRow(key);
  return new MillraceError(
    'KEY_DUPLICATE',
    `collection '${collection}' has a row with the key ${text} already (unique index '${index}').`,
    cause ? { cause } : {},
  );
}

/** The values of an index's keys in a row, for a message. */
export function keyOf(row: object, keys: Index['keys']): object {
  return Object.fromEntries(
    Object.keys(keys).map((path) => {
      const values = keysAt(row, path.split('.'));
      return [path, values.length === 1 ? values[0] : values];
    }),
  );
}
