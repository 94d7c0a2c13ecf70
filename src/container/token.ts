import { describeValue, MillraceError } from '../errors.js';
import { callSite } from '../metadata/registry.js';
import type { Class, Dependency, Token } from '../types.js';
import { brand, placed } from './dependency.js';

/**
 * A name for a dependency that has no class: what stands for it is given with `provide`. Two tokens are two dependencies, whatever
 * their names.
 *
 * @example
 * ```ts
 * const settings = token<Settings>('settings');
 * createContainer({ provide: [[settings, { url: 'db://one' }]] });
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED` for a name that is not a string, or empty.
 */
export function token<T>(name: string): Token<T> {
  const where = callSite(token);
  if (typeof name !== 'string' || name.trim() === '') {
    throw new MillraceError(
      'DECORATOR_MISUSED',
      `token() (${where()}): the name must be a string with a letter in it, not ${describeValue(name)}.`,
    );
  }
  return placed({ [brand]: 'token', kind: 'token', name } as const, where);
}

/**
 * A dependency on a class that is declared further down, or in a file that imports this one: `get` is called when it is first needed. Give the
 * field an interface as its type: where metadata is emitted, the class itself would be read too early.
 *
 * @example
 * ```ts
 * @Depends(Scope.Task, forward(() => Ledger)) readonly ledger!: LedgerLike;
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED` for what is no function.
 */
export function forward<T>(get: () => Class<T>): Dependency<T> {
  const where = callSite(forward);
  if (typeof get !== 'function') {
    throw new MillraceError(
      'DECORATOR_MISUSED',
      `forward() (${where()}): a function that answers the class was expected, not ${describeValue(get)}.`,
    );
  }
  // To TypeScript it is the class that it stands for.
  return placed({ [brand]: 'forward', kind: 'forward', get } as const, where) as unknown as Dependency<T>;
}

const externals = new WeakSet();

/**
 * A value that its scope must not close: someone else does. Answers the same value.
 *
 * @example
 * ```ts
 * const shared = resource(() => external(connectionOfTheHost));
 * ```
 */
export function external<T>(value: T): T {
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) externals.add(value);
  return value;
}

/** Whether `external` was said of the value. */
export function isExternal(value: unknown): boolean {
  return externals.has(value as object); // a WeakSet answers false for what is no object
}
