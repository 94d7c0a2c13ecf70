import type { StoreSet } from '../binding/resolved.js';
import { isExternal } from '../container/token.js';
import { describeValue, MillraceError, suggestName } from '../errors.js';
import { openStore } from '../storage/open.js';
import type { Store } from '../storage/store.js';

/** A store, or its URL, by name. `default` is where unqualified collections live. */
export type Stores = { readonly [name: string]: Store | string };

/** The stores of an app. None is opened before it is used. */
export class AppStores implements StoreSet {
  readonly names: readonly string[];
  readonly #given: ReadonlyMap<string, Store | string>;
  readonly #open = new Map<string, Store>();

  /** `default` is the one given, else `MILLRACE_STORE`, else an embedded store in `.millrace/data`. */
  constructor(stores: Stores) {
    const fallback = process.env['MILLRACE_STORE'] ?? '';
    const given = Object.entries(stores).filter(([, store]) => (store as unknown) !== undefined);
    this.#given = new Map([['default', fallback === '' ? 'embedded:.millrace/data' : fallback], ...given]);
    this.names = [...this.#given.keys()];
  }

  get(name: string): Store {
    const open = this.#open.get(name);
    if (open !== undefined) return open;
    const given = this.#given.get(name);
    if (given === undefined) throw new MillraceError('STORE_UNKNOWN', `store '${name}' is not known. ${suggestName(name, this.names)}`);
    const store = toStore(name, given);
    this.#open.set(name, store);
    return store;
  }

  /** Closes what was given or opened, those marked `external` excepted; all errors are in one. */
  async close(): Promise<void> {
    const stores = new Set([...this.#open.values(), ...[...this.#given.values()].filter(isStore)]);
    const closed = await Promise.allSettled([...stores].filter((store) => !isExternal(store)).map((store) => store.close()));
    const failed = closed.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    if (failed.length > 1) throw new AggregateError(failed, failed.map(({ message }) => message).join('; '));
    if (failed.length === 1) throw failed[0] as Error;
  }
}

/** @throws MillraceError for a URL of no known kind, and for what is no store, of which nothing is shown: it may hold a password. */
export function toStore(name: string, given: unknown): Store {
  if (typeof given === 'string') return openStore(given);
  if (isStore(given)) return given;
  throw new MillraceError(
    'CONFIG_INVALID',
    `store '${name}' is ${typeof given === 'object' && given !== null ? 'an object' : describeValue(given)}, and no store: give what memoryStore(), embeddedStore({ path }) or mongoStore({ url }) answers, or a URL`,
  );
}

function isStore(given: unknown): given is Store {
  if (typeof given !== 'object' || given === null) return false;
  const { find, close } = given as Partial<Store>;
  return typeof find === 'function' && typeof close === 'function';
}
