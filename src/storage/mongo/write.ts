import type { AnyBulkWriteOperation, Document } from 'mongodb';

import { MillraceError } from '../../errors.js';
import { sayInserted } from '../ids.js';
import { idIndexName, keyDuplicate, keyOf } from '../index-spec.js';
import type { Row } from '../../types.js';
import type { Connection } from './connection.js';
import { codeOf, server, type Doing } from './failure.js';
import { findViolated } from './unique.js';

/** Where rows go, and what the collection is called in messages. */
export interface InsertPlace {
  readonly into: string;
  readonly named: string;
}

/**
 * Adds rows that have an `_id`, in their order; the driver cuts what is too large for one message.
 *
 * @param before - how many rows of the call went in before these, where the caller is to be told.
 * @throws MillraceError `KEY_DUPLICATE` and others, which say how many rows went in.
 */
export async function insertBatch(
  connection: Connection,
  { into, named }: InsertPlace,
  rows: readonly Row[],
  before: number | undefined,
): Promise<void> {
  const doing: Doing = { what: `inserting into '${named}'`, refused: 'ROW_INVALID' };
  try {
    await connection.run(doing, (db) => db.collection(into).insertMany(rows as Document[], { ordered: true, forceServerObjectId: true }));
  } catch (error) {
    const at = placeOf(error);
    const went = before === undefined ? undefined : before + (at ?? 0);
    if (at !== undefined && isDuplicate(error)) {
      const row = rows[at] as Row;
      const index = await findViolated(connection, into, row);
      const taken = keyDuplicate(named, index?.name ?? idIndexName, keyOf(row, index?.keys ?? { _id: 1 }));
      throw went === undefined ? taken : sayInserted(taken, went);
    }
    throw saying(error, went);
  }
}

/** Replaces rows of the same key, keeping their `_id`, or inserts them; rows of one key in their order. */
export async function upsertBatch(
  connection: Connection,
  collection: string,
  operations: AnyBulkWriteOperation[],
  taken: number,
): Promise<void> {
  const doing: Doing = { what: `upserting into '${collection}'`, refused: 'ROW_INVALID' };
  try {
    await connection.run(doing, (db) => db.collection(collection).bulkWrite(operations, { ordered: true }));
  } catch (error) {
    const at = placeOf(error);
    if (at === undefined || !isDuplicate(error)) throw saying(error, taken);
    const operation = operations[at] as {
      readonly replaceOne?: { readonly replacement: Row };
      readonly insertOne?: { readonly document: Row };
    };
    const row = operation.replaceOne?.replacement ?? operation.insertOne?.document ?? {};
    const index = await findViolated(connection, collection, row);
    throw sayInserted(keyDuplicate(collection, index?.name ?? idIndexName, keyOf(row, index?.keys ?? { _id: 1 })), taken + at);
  }
}

/** The place of the row that was refused; undefined where something else went wrong. */
function placeOf(error: unknown): number | undefined {
  const { writeErrors } = causeOf(error) as { readonly writeErrors?: unknown };
  const [first] = (Array.isArray(writeErrors) ? writeErrors : [writeErrors]) as ({ readonly index?: number } | undefined)[];
  return first?.index;
}

function isDuplicate(error: unknown): boolean {
  return codeOf(causeOf(error)) === server.duplicateKey;
}

function causeOf(error: unknown): object {
  return error instanceof MillraceError && typeof error.cause === 'object' && error.cause !== null ? error.cause : {};
}

/** At least so many rows went in, where the answer to some got lost. */
function saying(error: unknown, inserted: number | undefined): unknown {
  if (inserted === undefined || !(error instanceof MillraceError) || error.code === 'KEY_DUPLICATE') return error;
  const ended = new MillraceError(error.code, error.code === 'STORE_UNAVAILABLE' ? `${error.message}. At least` : `${error.message}.`, {
    cause: error.cause,
  });
  return sayInserted(ended, inserted);
}
