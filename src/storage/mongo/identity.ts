import type { Connection } from './connection.js';
import { replaced, type Doing } from './failure.js';

/**
 * Tells a collection from the one that had its name before. MongoDB itself ends the reads of a collection that is replaced; other
 * servers of its protocol go on with the new rows where they were in the old ones, or find none, so there it must be looked at.
 *
 * @returns undefined where it need not be looked at, or cannot be: for views.
 */
export async function identityOf(connection: Connection, collection: string, doing: Doing): Promise<string | undefined> {
  const listed = await connection.run(doing, (db) =>
    connection.isExact ? Promise.resolve(undefined) : db.listCollections({ name: collection }).toArray(),
  );
  if (listed === undefined) return undefined;
  const [found] = listed as readonly { readonly info?: { readonly uuid?: { toString(): string } } }[];
  return found === undefined ? 'none' : found.info?.uuid?.toString();
}

/** How often a read begins anew where its collection is replaced again and again. */
const attempts = 50;

/**
 * Answers with what was read of a collection that was the same all the while, and with its identity.
 *
 * @throws MillraceError `COLLECTION_REPLACED` where it is not the same for long enough.
 */
export async function readSteadily<R>(
  connection: Connection,
  collection: string,
  doing: Doing,
  read: () => Promise<R>,
): Promise<{ readonly result: R; readonly identity: string | undefined }> {
  let before = await identityOf(connection, collection, doing);
  for (let left = attempts; left > 0; left--) {
    const result = await read();
    const after = before === undefined ? undefined : await identityOf(connection, collection, doing);
    if (after === before) return { result, identity: before };
    before = after; // it was replaced meanwhile: read again
  }
  throw replaced(collection, 0);
}
