import type { Db } from 'mongodb';

import type { Connection } from './connection.js';
import { codeOf, isUnreachable, server, type Doing } from './failure.js';
import { listIndexes, uniqueIndexes } from './index-list.js';
import type { Placing } from './ledger.js';
import { MillraceError } from '../../errors.js';

/**
 * Puts one output into place. May be repeated, by several processes at once too: whatever is done starts from the staging collection
 * in one step of the server, and where that is gone, nothing happens. So a process that was stopped and goes on much later, when
 * others have finished its publish and published more, does no harm.
 */
export async function placeOutput(connection: Connection, placing: Placing): Promise<void> {
  const { how, from, collection } = placing;
  if (how !== 'merge' && (await rename(connection, placing, how === 'rename'))) return;
  await merge(connection, placing);
  await connection.run({ what: `dropping '${from}', which is published to '${collection}'` }, (db) => db.dropCollection(from), 'long');
}

/** @returns whether the staging collection has its target's name, or had it before; not where something else has it. */
async function rename(connection: Connection, { from, collection }: Placing, dropTarget: boolean): Promise<boolean> {
  return connection.run(
    publishing(collection),
    async (db) => {
      try {
        await db.renameCollection(from, collection, { dropTarget });
        return true;
      } catch (error) {
        if (codeOf(error) === server.namespaceNotFound) return true;
        if (codeOf(error) === server.namespaceExists && !dropTarget) return false;
        throw error;
      }
    },
    'long',
  );
}

async function merge(connection: Connection, placing: Placing): Promise<void> {
  const { mode } = placing;
  try {
    await mergeRows(connection, placing);
  } catch (error) {
    if (isUnreachable(error)) throw error;
    if (mode !== 'upsert') throw blocked(placing, error);
    await park(connection, placing);
    await mergeRows(connection, placing).catch((again: unknown) => {
      throw isUnreachable(again) ? again : blocked(placing, again);
    });
  }
}

/** Rows of an append that are there already went in before: their own `_id` tells. */
async function mergeRows(connection: Connection, { from, collection, mode }: Placing): Promise<void> {
  const whenMatched = mode === 'upsert' ? 'replace' : 'keepExisting';
  const pipeline = [{ $merge: { into: collection, on: '_id', whenMatched, whenNotMatched: 'insert' } }];
  await connection.run(publishing(collection), (db) => primary(db, from).aggregate(pipeline).toArray(), 'long');
}

/**
 * Rows of an upsert may swap the values of a unique index: in between, two rows would have the same. So those values are taken out
 * of every row that is about to be replaced, and come back with the rows.
 */
async function park(connection: Connection, { from, collection }: Placing): Promise<void> {
  const indexes = uniqueIndexes(await listIndexes(connection, collection));
  const row: Record<string, unknown> = { _id: '$_id' };
  for (const { spec } of indexes) for (const path of spec.paths) if (path.join('.') !== '_id') setAt(row, path, { millrace: '$_id' });
  const pipeline = [{ $replaceWith: row }, { $merge: { into: collection, on: '_id', whenMatched: 'replace', whenNotMatched: 'discard' } }];
  await connection.run(publishing(collection), (db) => primary(db, from).aggregate(pipeline).toArray(), 'long');
}

function setAt(row: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) row[name] = value;
  else setAt((row[name] ??= {}) as Record<string, unknown>, rest, value);
}

function primary(db: Db, collection: string) {
  return db.collection(collection, { readPreference: 'primary' });
}

function publishing(collection: string): Doing {
  return { what: `publishing to '${collection}'` };
}

/** Someone who is no run of Millrace has put rows in the way since the publish was checked. */
function blocked({ collection, from }: Placing, error: unknown): MillraceError {
  const cause = error instanceof Error ? error.message : String(error);
  return new MillraceError(
    'KEY_DUPLICATE',
    `rows of '${collection}' could not be published: the collection was changed by others between the check and the publish, and a unique index is in the way (${cause}). ` +
      `The run's rows are kept in '${from}': mend the collection, then copy them.`,
    { cause: error },
  );
}
