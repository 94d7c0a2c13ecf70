import { describeValue, MillraceError, suggestName } from '../errors.js';
import { callSite, type CallSite } from '../metadata/registry.js';
import { scopeOrder, type Need, type Resource, type Scope } from '../types.js';
import { brand, placed, type Factory } from './dependency.js';
import type { Made, Needed } from './types.js';

/**
 * A dependency with set-up and tear-down. `make` is a function, async function, generator or async generator; of a generator the code after
 * `yield` runs on success, and a failure is thrown into it. What a function returns is closed with its scope if it is disposable. Annotate the
 * return type of `make` where fakes shall be wider than what it returns.
 *
 * @example
 * ```ts
 * const pool = resource(async function* () {
 *   const connections = await openPool();
 *   yield connections;
 *   await connections.end();
 * });
 * const users = resource([[Scope.Worker, pool]], (connections) => new Users(connections));
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED` for an unknown scope, and for what is no dependency or no function.
 */
export function resource<R>(make: () => R): Resource<Made<R>>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- needs of any types
export function resource<const N extends readonly Need<any>[], R>(
  needs: N,
  make: (...deps: { -readonly [I in keyof N]: Needed<N[I]> }) => R,
): Resource<Made<R>>;
export function resource(first: unknown, second?: unknown): Resource<unknown> {
  const where = callSite(resource);
  const [needs, make] = Array.isArray(first) ? [first as readonly unknown[], second] : [[], first];
  if (typeof make !== 'function') {
    throw misused(where, `the factory must be a function, not ${describeValue(make)}: resource(() => …) or resource([needs], (…) => …).`);
  }
  needs.forEach((need, index) => {
    const problem = problemOf(need);
    if (problem !== undefined) throw misused(where, `need ${index + 1} ${problem}`);
  });
  return define(make as Factory, Object.freeze([...needs]) as readonly Need[], where);
}

function define(make: Factory, needs: readonly Need[], where: CallSite): Resource<unknown> {
  const facts = { [brand]: 'resource', kind: 'resource', needs, make } as const;
  const named = Object.defineProperty(
    facts,
    'name',
    make.name === '' ? { get: where, enumerable: true } : { value: make.name, enumerable: true },
  );
  return placed(named as typeof named & { readonly name: string }, where);
}

function problemOf(need: unknown): string | undefined {
  if (!Array.isArray(need)) return problemOfDependency(need);
  const [scope, what] = need as readonly unknown[];
  if (scopeOrder.includes(scope as Scope)) return problemOfDependency(what);
  if (typeof scope !== 'string') return `must be a dependency or [scope, dependency], not ${describeValue(need)}.`;
  return `has the unknown scope '${scope}'. ${suggestName(scope, scopeOrder)}`;
}

function problemOfDependency(what: unknown): string | undefined {
  if (what === undefined)
    return 'is undefined: it is used before it is defined. Move it above, into a file that does not import this one, or write forward(() => TheClass).';
  if (typeof what === 'function' || (typeof what === 'object' && what !== null && brand in what)) return undefined;
  return `must be a resource, a token or a class, not ${describeValue(what)}. A value is given by \`provide\`, for a token.`;
}

function misused(where: CallSite, problem: string): MillraceError {
  const at = where();
  return new MillraceError('DECORATOR_MISUSED', `resource() (${at}): ${problem}`, { where: [at] });
}
