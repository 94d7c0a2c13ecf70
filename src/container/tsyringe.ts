import { createRequire } from 'node:module';
import type { DependencyContainer, InjectionToken } from 'tsyringe';
import type { ConcreteClass } from '../types.js';
import { isClass, isToken } from './dependency.js';

/** A class whose constructor speaks tsyringe's language: `@injectable()`, `@inject()`. */
export interface Injected {
  /** By index of the parameter: what we are to give; a hole is tsyringe's own matter (names, `delay`). */
  readonly tokens: readonly unknown[];
  readonly construct: (values: readonly unknown[]) => unknown;
}

/**
 * What tsyringe knows of a class, if anything. Such classes are composed by tsyringe, in a child container where the instances that we own
 * are registered; lifetimes, overrides and checks are ours, so nothing is ever registered in tsyringe's global container or disposed by it.
 * Classes with `@Depends` are built straight from their plan, which is several times faster.
 */
export function findInjected(target: ConcreteClass): Injected | undefined {
  const { container, typeInfo } = load();
  const parameters = typeInfo.get(target);
  if (parameters === undefined || parameters.length === 0) return undefined;
  const tokens = parameters.map(toToken);
  return { tokens, construct: (values) => compose(container, target, tokens, values) };
}

function compose(container: DependencyContainer, target: ConcreteClass, tokens: readonly unknown[], values: readonly unknown[]): unknown {
  const child = container.createChildContainer();
  tokens.forEach((token, index) => {
    if (token !== undefined) child.registerInstance(token as InjectionToken, values[index]);
  });
  child.register(target, { useClass: target }); // a `@singleton()` would otherwise be cached for the whole process
  return child.resolve(target);
}

/** What a parameter asks for, out of the descriptor that `@inject` makes of it; undefined where only tsyringe knows. */
function toToken(parameter: unknown): unknown {
  const token = typeof parameter === 'object' && parameter !== null && 'token' in parameter ? parameter.token : parameter;
  return isClass(token) || isToken(token) ? token : undefined;
}

interface Tsyringe {
  readonly container: DependencyContainer;
  readonly typeInfo: ReadonlyMap<unknown, readonly unknown[]>;
}
let loaded: Tsyringe | undefined;

/** On first need: importing Millrace does not load tsyringe. The map of what it knows is not among its public names. */
function load(): Tsyringe {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  const { instance, typeInfo } = require('tsyringe/dist/cjs/dependency-container.js') as Pick<Tsyringe, 'typeInfo'> & {
    readonly instance: DependencyContainer;
  };
  loaded = { container: instance, typeInfo };
  return loaded;
}
