import { resolve } from 'node:path';

import { describeValue, MillraceError } from '../errors.js';
import { LazyStore } from './lazy-store.js';
import { parseAddress } from './mongo/address.js';
import type { MongoStoreOptions } from './mongo.js';
import { announcePeer, type OpenPeer } from './peer.js';
import type { Store } from './store.js';

/** A scheme without its colon would be the path of a folder. */
export const mistypedScheme = /^(mongodb|mongodb\+srv|embedded|memory)\/\//i;

/**
 * A store of plain objects, gone with the process: for tests. Rows are shared, never copied; a row without `_id` is kept as a shallow
 * copy that has one.
 */
export function memoryStore(): Store {
  return new LazyStore('memory:', async () => new (await import('./memory.js')).MemoryStore());
}

export interface EmbeddedOptions {
  /** A folder, made when it is first used. Default `.millrace/data`. */
  readonly path?: string;
}

/**
 * A database in a folder: no server, durable, safe under several processes. It is opened by its first operation, which also finishes what
 * dead processes had committed and drops what they had not. What a write answered for is on the disk. A sort that no index gives holds its
 * rows in memory: all of them, or as many as `skip` and `limit` ask for.
 *
 * @throws MillraceError `CONFIG_INVALID` for a path that is no text.
 */
export function embeddedStore({ path = '.millrace/data' }: EmbeddedOptions = {}): Store {
  mustBeText(path, 'embeddedStore: `path`', 'a folder');
  const folder = resolve(path);
  const url = `embedded:${folder}`;
  announcePeer(url, openEmbeddedPeer);
  return new LazyStore(url, async () => new (await import('./embedded.js')).EmbeddedStore(folder));
}

/**
 * A store on a MongoDB server. The driver is loaded, and the server asked, by the first operation.
 *
 * @throws MillraceError `CONFIG_INVALID` for what is no MongoDB URL.
 */
export function mongoStore(options: MongoStoreOptions): Store {
  mustBeText(options.url, 'mongoStore: `url`', 'mongodb://host:port/database');
  const { url } = parseAddress(options.url, options.database);
  const open = async () => new (await import('./mongo.js')).MongoStore(options);
  announcePeer(url, open);
  return new LazyStore(url, open);
}

/**
 * A store by its URL: `memory:`, `embedded:./folder`, a plain path, `mongodb://host/database`. Nothing is opened before it is used.
 *
 * @throws MillraceError `STORE_UNKNOWN` for a URL of another scheme, `CONFIG_INVALID` for what is no text.
 */
export function openStore(url: string): Store {
  mustBeText(url, 'openStore: `url`', 'memory:, embedded:./folder, a path or mongodb://host/database');
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase(); // two letters at least: `C:\data` is a path
  const [, mistyped] = mistypedScheme.exec(url) ?? [];
  if (mistyped !== undefined)
    throw new MillraceError(
      'STORE_UNKNOWN',
      `the store's URL has no colon after '${mistyped}': write ${mistyped}:${/^mongo/i.test(mistyped) ? '//host/database' : ''}`,
    );
  if (scheme === undefined && url !== '') return embeddedStore({ path: url });
  if (scheme === 'memory') return memoryStore();
  if (scheme === 'embedded') return embeddedStore(url.length > 'embedded:'.length ? { path: url.slice('embedded:'.length) } : {});
  if (scheme === 'mongodb' || scheme === 'mongodb+srv') return mongoStore({ url });
  throw new MillraceError(
    'STORE_UNKNOWN',
    `${url === '' ? "a store's URL is empty" : `no store has URLs like '${scheme ?? url}:…'`}: use memory:, embedded:./folder, a path or mongodb://host/database`,
  );
}

const openEmbeddedPeer: OpenPeer = async (url) => (await import('./embedded.js')).openPeer(url);

/** What comes from an environment may be missing, whatever its type says. */
function mustBeText(value: unknown, what: string, wanted: string): void {
  if (typeof value !== 'string')
    throw new MillraceError('CONFIG_INVALID', `${what} must be a text such as ${wanted}, not ${describeValue(value)}`);
}
