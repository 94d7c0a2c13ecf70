import { describeValue, suggestName } from '../errors.js';
import type { Wanted } from '../metadata/class-record.js';
import { misused, type Place } from '../metadata/misuse.js';
import { declareMember, declareParameter } from '../metadata/writers.js';
import { Scope, scopeOrder, type Class, type Dependency, type Mismatch } from '../types.js';
import { fieldOf, isStandardContext, parameterOf, refuseBare, useOf, type Target } from './use.js';

/** A decorator for a field or a constructor parameter that takes what the provider gives: on any other it does not compile. */
export interface DependsDecorator<T> {
  <O extends object, K extends string & keyof O>(target: O & (T extends O[K] ? unknown : Mismatch<O[K], T>), key: K): void;
  <C extends Class, I extends number>(
    target: C & (T extends ConstructorParameters<C>[I] ? unknown : Mismatch<ConstructorParameters<C>[I], T>),
    key: undefined,
    index: I,
  ): void;
}

/**
 * Injects a dependency into a field or a constructor parameter: what a `resource`, a token, a class or a plain factory gives, made once for
 * each life that `scope` names. Without a provider the declared class is the provider; without a scope the life is the task's.
 *
 * @example
 * ```ts
 * @Depends(Scope.Worker, rateTable) readonly rates!: RateTable;
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED`, when applied, for an unknown scope, for a provider of no known kind, and for anything but
 * a public instance field or a constructor parameter.
 */
export function Depends<T>(scope: Scope, provider: Dependency<T> | (() => T | Promise<T>)): DependsDecorator<T>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the declared type is the provider
export function Depends(scope?: Scope): DependsDecorator<any>;
export function Depends(...args: [scope?: Scope, provider?: Wanted['provider'], ...more: unknown[]]): (...target: Target) => void {
  const use = useOf('Depends', Depends);
  const [scope = Scope.Task, provider] = args;
  if (args.length > 2 || isStandardContext(provider)) refuseBare(use, args);
  const wanted: Wanted = { scope, provider, where: use.where };
  const check = (place: Place): void => {
    const problem = problemOfScope(scope) ?? (args.length > 1 ? problemOfProvider(provider) : undefined);
    if (problem !== undefined) throw misused(place, problem);
  };
  return (...target) => {
    const parameter = parameterOf(use, target);
    if (parameter !== undefined) {
      check(parameter);
      declareParameter(parameter.class, parameter.index, wanted, parameter);
      return;
    }
    const field = fieldOf(use, target);
    check(field);
    declareMember(field, { kind: 'depends', wanted });
  };
}

function problemOfScope(scope: unknown): string | undefined {
  if (scopeOrder.includes(scope as Scope)) return undefined;
  if (typeof scope === 'string') return `scope '${scope}' is not known. ${suggestName(scope, scopeOrder)}`;
  if (problemOfProvider(scope) === undefined) return 'the scope comes first: @Depends(Scope.Task, provider).';
  return `the scope must be one of Scope, such as Scope.Task, not ${describeValue(scope)}.`;
}

function problemOfProvider(provider: unknown): string | undefined {
  if (provider === undefined) {
    return 'the provider is undefined: it is used before it is defined. Move it above, into a file that does not import this one, or write forward(() => TheClass).';
  }
  if (isGenerator(provider))
    return 'a generator function is made a provider by resource(): @Depends(Scope.Task, resource(function* () { … })).';
  if (typeof provider === 'function' || (typeof provider === 'object' && provider !== null && 'kind' in provider)) return undefined;
  return `the provider must be a resource, a token, a class or a function, not ${describeValue(provider)}. A value is given by \`provide\`, for a token or a class.`;
}

function isGenerator(value: unknown): boolean {
  return typeof value === 'function' && /^(?:Async)?GeneratorFunction$/.test(value.constructor.name);
}
