import type * as Bson from 'bson';

import { describeValue, MillraceError } from '../errors.js';
import type { Row } from '../types.js';
import { order, orderOf } from './query/compare.js';

let loading: Promise<typeof Bson> | undefined;

/** The bson package, loaded when the first store needs it. */
export function loadBson(): Promise<typeof Bson> {
  return (loading ??= import('bson'));
}

/** A row with an `_id`: itself where it has one, else a shallow copy, since a row that was written may be frozen. */
export function withId(row: Row, makeId: () => Bson.ObjectId): Row {
  return (row as { readonly _id?: unknown })._id === undefined ? { _id: makeId(), ...row, ...idField(row, makeId) } : row;
}

/** `{ _id: undefined }` would overwrite the new id with nothing. */
function idField(row: Row, makeId: () => Bson.ObjectId): { readonly _id?: Bson.ObjectId } {
  return Object.hasOwn(row, '_id') ? { _id: makeId() } : {};
}

/** What takes the place of a row: it keeps the `_id` of the old one. */
export function replacing(old: Row, row: Row): Row {
  const { _id: _own, ...fields } = row as { readonly _id?: unknown };
  return { _id: (old as { readonly _id?: unknown })._id, ...fields };
}

/**
 * What a store can keep: an object with fields of its own, its `_id` no array and nothing else that cannot be a key.
 *
 * @throws MillraceError `ROW_INVALID`.
 */
export function checkRow(collection: string, row: unknown, index: number): asserts row is Row {
  if (orderOf(row) !== order.object) throw rowInvalid(collection, index, `is ${describeValue(row)}; a row is an object`);
  const id = (row as { readonly _id?: unknown })._id;
  if (id === undefined) return;
  const kind = orderOf(id);
  if (kind === order.array || kind === order.regExp || kind === order.missing) {
    throw rowInvalid(collection, index, `has the _id ${describeValue(id)}; an _id is no array, regular expression or function`);
  }
}

/** The rows before the first that cannot be kept, and what is wrong with that one. */
export function soundRows(
  collection: string,
  rows: readonly Row[],
  index: number,
): { readonly sound: readonly Row[]; readonly refusal?: unknown } {
  for (const [at, row] of rows.entries()) {
    try {
      checkRow(collection, row, index + at);
    } catch (refusal) {
      return { sound: rows.slice(0, at), refusal };
    }
  }
  return { sound: rows };
}

/** A row that cannot be kept; `index` counts the rows of the call from 0. */
export function rowInvalid(collection: string, index: number, what: string, cause?: unknown): MillraceError {
  return new MillraceError('ROW_INVALID', `collection '${collection}': row ${index} ${what}`, cause === undefined ? {} : { cause });
}

/** Adds to the message of an insert's error how many rows went in before. */
export function sayInserted(error: unknown, inserted: number): unknown {
  if (!(error instanceof MillraceError)) return error;
  return new MillraceError(error.code, `${error.message} ${inserted} ${inserted === 1 ? 'row' : 'rows'} went in before it.`, {
    cause: error.cause,
  });
}
