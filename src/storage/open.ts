import { MillraceError } from '../errors.js';
import { embeddedStore } from './embedded.js';
import { memoryStore } from './memory.js';
import { mongoStore } from './mongo.js';
import type { Store } from './store.js';

/** A scheme without its colon would be the path of a folder. */
export const mistypedScheme = /^(mongodb|mongodb\+srv|embedded|memory)\/\//i;

/**
 * A store by its URL: `memory:`, `embedded:./folder`, a plain path, `mongodb://host/database`. Nothing is opened before it is used.
 *
 * @throws MillraceError `STORE_UNKNOWN` for a URL of another scheme.
 */
export function openStore(url: string): Store {
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
