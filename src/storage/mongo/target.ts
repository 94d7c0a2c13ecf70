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

const kept = ['validator', 'validationLevel', 'validationAction', 'collation'];

/** @throws MillraceError `BINDING_INVALID` for what is no plain collection. */
export async function describeTarget(connection: Connection, collection: string): Promise<TargetInfo> {
  const [found] = await connection.run({ what: `looking at '${collection}'` }, (db) => db.listCollections({ name: collection }).toArray());
  if (found === undefined) return { exists: false, options: {} };
  const { type = 'collection', options = {} } = found as { readonly type?: string; readonly options?: Document };
  if (type !== 'collection' || options['capped'] === true) {
    throw new MillraceError(
      'BINDING_INVALID',
      `'${collection}' is a ${type === 'collection' ? 'capped collection' : type}, which no run can publish to: bind the output to a plain collection`,
    );
  }
  return {
    exists: true,
    options: Object.fromEntries(kept.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name] as unknown]]))),
  };
}

/**
 * Makes sure that a staging collection can get the target's name: not every server that speaks MongoDB's protocol can rename to a
 * name with dots. Nothing is renamed by asking, since what is asked for is not there.
 *
 * @throws MillraceError `BINDING_INVALID`.
 */
export async function checkRename(connection: Connection, collection: string): Promise<void> {
  if (!collection.includes('.')) return;
  await connection.run({ what: `checking the name '${collection}'` }, async (db) => {
    try {
      await db.renameCollection(`${stagingPrefix}none`, collection);
    } catch (error) {
      if (codeOf(error) !== server.invalidNamespace) return; // not found: it would have been renamed
      throw new MillraceError(
        'BINDING_INVALID',
        `the server at ${connection.address.hosts} cannot rename a collection to '${collection}', a name with a dot: bind the output to another name`,
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
