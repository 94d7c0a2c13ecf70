import type { Document, IndexDescription } from 'mongodb';

import { idIndexName, keyDuplicate, toSpec, type IndexSpec } from '../index-spec.js';
import type { Index } from '../store.js';
import type { Connection } from './connection.js';
import { codeOf, isUnreachable, server, type Doing } from './failure.js';

/** An index as the server describes it, with all its options. */
export interface ServerIndex extends Omit<IndexDescription, 'key'> {
  readonly name: string;
  readonly key: Readonly<Record<string, unknown>>;
  readonly unique?: boolean;
  readonly sparse?: boolean;
  readonly partialFilterExpression?: Document;
}

/** What the server says of an index and does not take back. */
const ownOptions = new Set(['v', 'ns', 'background', 'storageEngine', 'textIndexVersion', '2dsphereIndexVersion']);

/** Without the one on `_id`. */
export async function listIndexes(connection: Connection, collection: string): Promise<readonly ServerIndex[]> {
  const all = await connection.run({ what: `listing the indexes of '${collection}'` }, async (db) => {
    try {
      return (await db.collection(collection).listIndexes().toArray()) as ServerIndex[];
    } catch (error) {
      if (codeOf(error) === server.namespaceNotFound) return [];
      throw error;
    }
  });
  return all.filter(({ name }) => name !== idIndexName);
}

/** An index by properties in ascending or descending order; undefined for one of another kind, such as text. */
export function toIndex({ name, key, unique = false }: ServerIndex): Index | undefined {
  const keys = Object.entries(key).map(([path, direction]) => [path, Number(direction)] as const);
  if (keys.some(([, direction]) => direction !== 1 && direction !== -1)) return undefined;
  return { name, keys: Object.fromEntries(keys) as Index['keys'], unique };
}

/** The index of `_id` and the other unique ones. */
export function uniqueIndexes(indexes: readonly ServerIndex[]): readonly { readonly index: ServerIndex; readonly spec: IndexSpec }[] {
  const id: ServerIndex = { name: idIndexName, key: { _id: 1 }, unique: true };
  return [id, ...indexes].flatMap((index) => {
    const known = index.unique === true ? toIndex(index) : undefined;
    return known === undefined ? [] : [{ index, spec: toSpec(known) }];
  });
}

/**
 * Gives a staging collection the indexes of its target.
 *
 * @throws MillraceError `KEY_DUPLICATE` where staged rows break a unique one.
 */
export async function buildIndexes(
  connection: Connection,
  staging: string,
  target: string,
  indexes: readonly ServerIndex[],
): Promise<void> {
  if (indexes.length === 0) return;
  const doing: Doing = { what: `building the indexes of '${target}' for the rows that are to be published` };
  const wanted = indexes.map(
    (index) => Object.fromEntries(Object.entries(index).filter(([option]) => !ownOptions.has(option))) as unknown as IndexDescription,
  );
  try {
    await connection.run(doing, (db) => db.collection(staging).createIndexes(wanted), 'long');
  } catch (error) {
    if (isUnreachable(error)) throw error;
    for (const { index, spec } of uniqueIndexes(indexes)) {
      const key = await findTwice(connection, staging, index, spec, doing);
      if (key !== undefined) throw keyDuplicate(target, index.name, key);
    }
    throw error;
  }
}

/** A key that two rows of a collection have; servers do not all say which. */
export async function findTwice(
  connection: Connection,
  collection: string,
  index: ServerIndex,
  spec: IndexSpec,
  doing: Doing,
): Promise<object | undefined> {
  const paths = Object.keys(spec.keys);
  const [found] = await connection.run(
    doing,
    (db) =>
      db
        .collection(collection)
        .aggregate<{ readonly _id: Record<string, unknown> }>(
          [
            { $match: heldBy(index) },
            ...paths.map((path) => ({ $unwind: { path: `$${path}`, preserveNullAndEmptyArrays: true } })),
            {
              $group: {
                _id: Object.fromEntries(paths.map((path, at) => [`k${String(at)}`, { $ifNull: [`$${path}`, null] }])),
                rows: { $addToSet: '$_id' },
              },
            },
            { $match: { 'rows.1': { $exists: true } } },
            { $limit: 1 },
          ],
          { allowDiskUse: true },
        )
        .toArray(),
    'long',
  );
  return found && Object.fromEntries(paths.map((path, at) => [path, found._id[`k${String(at)}`]]));
}

/** The rows that an index holds: all, but for a partial or sparse one. */
export function heldBy({ partialFilterExpression, sparse, key }: ServerIndex): Document {
  if (partialFilterExpression !== undefined) return partialFilterExpression;
  return sparse === true ? { $or: Object.keys(key).map((path) => ({ [path]: { $exists: true } })) } : {};
}
