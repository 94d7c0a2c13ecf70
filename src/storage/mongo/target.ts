import type { CreateCollectionOptions, Document } from 'mongodb';

import { MillraceError } from '../../errors.js';
import type { Connection } from './connection.js';
import { codeOf, server } from './failure.js';
import { stagingPrefix } from './staging.js';

/** What is known of a collection that is to be published to. */
export interface TargetInfo {
  readonly exists: boolean;
  /** What the collection that takes its place is made with. */
  readonly options: CreateCollectionOptions;
}

const kept = new Set(['validator', 'validationLevel', 'validationAction', 'collation', 'changeStreamPreAndPostImages']);
/** What a server may say of any collection, and what means nothing to the one that takes its place. */
const idle = new Set(['capped', 'size', 'max', 'autoIndexId', 'flags', 'uuid', 'storageEngine', 'indexOptionDefaults']);

/** @throws MillraceError `BINDING_INVALID` for what is no plain collection. */
export async function describeTarget(connection: Connection, collection: string): Promise<TargetInfo> {
  const [found] = await connection.run({ what: `looking at '${collection}'` }, (db) => db.listCollections({ name: collection }).toArray());
  if (found === undefined) return { exists: false, options: {} };
  const { type = 'collection', options = {} } = found as { readonly type?: string; readonly options?: Document };
  const kind = type !== 'collection' ? type : options['capped'] === true ? 'capped collection' : undefined;
  if (kind !== undefined) throw unfit(collection, `is a ${kind}`, '');
  if (await isSharded(connection, collection)) throw unfit(collection, 'is a sharded collection', direct);
  const others = Object.keys(options).filter((name) => !kept.has(name) && !idle.has(name));
  if (others.length > 0) throw unfit(collection, `was made with ${others.join(', ')}`, direct);
  return { exists: true, options: Object.fromEntries(Object.entries(options).filter(([name]) => kept.has(name))) };
}

const direct = ', or set atomic: false on it, which writes straight to the collection';

function unfit(collection: string, what: string, otherwise: string): MillraceError {
  return new MillraceError(
    'BINDING_INVALID',
    `'${collection}' ${what}, which no run can publish to: bind the output to a plain collection${otherwise}`,
  );
}

/** Only where there may be any: the server is asked in the words of `mongos`. */
async function isSharded(connection: Connection, collection: string): Promise<boolean> {
  if (!connection.isSharded) return false;
  const { sharded } = await connection.run({ what: `looking at '${collection}'` }, (db) => db.command({ collStats: collection }));
  return sharded === true;
}

const plainName = /^[\w-]{1,60}$/;

/**
 * Makes sure that a staging collection can get the target's name: servers differ in how long one may be, and not every one that speaks
 * MongoDB's protocol can rename to a name with dots. Nothing is renamed by asking, since what is asked for is not there.
 *
 * @throws MillraceError `BINDING_INVALID`.
 */
export async function checkRename(connection: Connection, collection: string): Promise<void> {
  if (plainName.test(collection)) return;
  await connection.run({ what: `checking the name '${collection}'` }, async (db) => {
    try {
      await db.renameCollection(`${stagingPrefix}none`, collection);
    } catch (error) {
      if (codeOf(error) !== server.invalidNamespace) return; // not found: it would have been renamed
      throw new MillraceError(
        'BINDING_INVALID',
        `the server at ${connection.address.hosts} cannot rename a collection to '${collection}' (${(error as Error).message}): bind the output to a name that is short and has no dots`,
      );
    }
  });
}

/** Makes a collection if it is not there. */
export async function createCollection(connection: Connection, name: string, options: CreateCollectionOptions): Promise<void> {
  await connection.run({ what: `creating '${name}'` }, async (db) => {
    try {
      await db.createCollection(name, options);
    } catch (error) {
      if (codeOf(error) !== server.namespaceExists) throw error;
    }
  });
}
