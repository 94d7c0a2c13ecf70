import { MillraceError } from '../errors.js';
import { embeddedStore } from './embedded.js';
import { memoryStore } from './memory.js';
import type { Store } from './store.js';

/**
 * A store by its URL: `memory:`, `embedded:./folder` or a plain path. Nothing is opened before it is used.
 *
 * @throws MillraceError `STORE_UNKNOWN` for a URL of another scheme.
 */
export function openStore(url: string): Store {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase(); // two letters at least: `C:\data` is a path
  if (scheme === undefined && url !== '') return embeddedStore({ path: url });
  if (scheme === 'memory') return memoryStore();
  if (scheme === 'embedded') return embeddedStore(url.length > 'embedded:'.length ? { path: url.slice('embedded:'.length) } : {});
  throw new MillraceError(
    'STORE_UNKNOWN',
    url === ''
      ? "a store's URL is empty: use memory:, embedded:./folder or a path"
      : `no store has URLs like '${scheme ?? url}:…': use memory:, embedded:./folder or a path`,
  );
}
