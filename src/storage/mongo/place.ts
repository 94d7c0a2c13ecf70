import { MillraceError } from '../../errors.js';
import type { Connection } from './connection.js';
import { codeOf, isUnreachable, server, type Doing } from './failure.js';
import { listIndexes } from './index-list.js';
import { ledgerCollection, type Placing } from './ledger.js';
import { park } from './park.js';
import { checkMerge } from './unique.js';

/** What keeps an output from its place whoever tries, and however often: someone has to see to it. */
export class Blocked extends MillraceError {
  static because(code: MillraceError['code'], why: string, { collection, from }: Placing, cause: unknown): Blocked {
    const kept = `The run's rows are kept in '${from}': mend the collection, copy them, then delete the run's record in '${ledgerCollection}'.`;
    return new Blocked(code, `rows of '${collection}' could not be published: ${why} ${kept}`, { cause });
  }
}

/** Codes by which a server says that it will never do what it was asked: illegal, invalid, not implemented, against the validator. */
const never = new Set([20, 72, server.invalidNamespace, server.notImplemented, server.documentValidation, 166]);

/**
 * Puts one output into place. May be repeated, by several processes at once too: whatever is done starts from the staging collection
 * in one step of the server, and where that is gone, nothing happens. So a process that was stopped and goes on much later, when
 * others have finished its publish and published more, does no harm.
 *
 * @throws Blocked
 */
export async function placeOutput(connection: Connection, placing: Placing): Promise<void> {
  try {
    await place(connection, placing);
  } catch (error) {
    const cause = error instanceof MillraceError ? error.cause : error;
    if (error instanceof Blocked || !never.has(codeOf(cause) ?? 0)) throw error;
    throw Blocked.because('STORE_UNAVAILABLE', `the server refuses it: ${(error as Error).message}.`, placing, error);
  }
}

async function place(connection: Connection, placing: Placing): Promise<void> {
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
  try {
    await mergeRows(connection, placing);
  } catch (error) {
    if (isUnreachable(error)) throw error;
    if (!(await isThere(connection, placing.from))) return; // another process has put it into place meanwhile
    await checkWay(connection, placing);
    if (placing.mode !== 'upsert') throw error;
    await park(connection, placing);
    await mergeRows(connection, placing);
  }
}

/**
 * What all rows match. FerretDB compares every row with every row of a target that PostgreSQL has no statistics of yet, unless it expects
 * few rows: a condition lets it expect them, and look each one up by its index.
 */
const everyRow = { $match: { _id: { $exists: true } } };

/** Rows of an append that are there already went in before: their own `_id` tells. */
async function mergeRows(connection: Connection, { from, collection, mode }: Placing): Promise<void> {
  const whenMatched = mode === 'upsert' ? 'replace' : 'keepExisting';
  const merge = { $merge: { into: collection, on: '_id', whenMatched, whenNotMatched: 'insert' } };
  const pipeline = connection.isExact ? [merge] : [everyRow, merge];
  await connection.run(publishing(collection), (db) => db.collection(from).aggregate(pipeline).toArray(), 'long');
}

async function isThere(connection: Connection, name: string): Promise<boolean> {
  const found = await connection.run({ what: `looking for '${name}'` }, (db) => db.listCollections({ name }, { nameOnly: true }).toArray());
  return found.length > 0;
}

/** @throws Blocked where someone who is no run of Millrace has put rows in the way since the publish was checked. */
async function checkWay(connection: Connection, placing: Placing): Promise<void> {
  const { from, collection } = placing;
  const indexes = await listIndexes(connection, collection);
  try {
    await checkMerge({ connection, staging: from, target: collection, indexes, replaces: true, freshIds: false });
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'KEY_DUPLICATE') throw error;
    const why = `it was changed by others between the check and the publish, and a unique index is in the way. ${error.message}`;
    throw Blocked.because('KEY_DUPLICATE', why, placing, error);
  }
}

function publishing(collection: string): Doing {
  return { what: `publishing to '${collection}'` };
}
