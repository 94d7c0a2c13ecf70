import type { CallSite } from './call-site.js';

/** Frozen facts with their `where`, which is worked out when someone asks. */
export function withWhere<T extends object>(facts: T, where: CallSite): Readonly<T & { readonly where: string }> {
  return Object.freeze(Object.defineProperty({ ...facts } as T & { where: string }, 'where', { get: where, enumerable: true }));
}

/** Those of the named properties that have a value: an optional property of a spec is absent, never undefined. */
export function present<T extends object, K extends keyof T>(from: T, ...keys: readonly K[]): { [P in K]?: Exclude<T[P], undefined> } {
  const found: { [P in K]?: Exclude<T[P], undefined> } = {};
  for (const key of keys) {
    const value = from[key];
    if (value !== undefined) found[key] = value as Exclude<T[K], undefined>;
  }
  return found;
}
