import { designParameterTypes, designTypeOf, findProcessorSpec, getDependenciesSpec } from '../metadata/registry.js';
import type { DependenciesSpec, DependsSpec } from '../metadata/spec.js';
import type { ConcreteClass, Scope } from '../types.js';
import {
  isClass,
  isResource,
  levelOf,
  nameOf,
  whereOf,
  type Factory,
  type Key,
  type ResourceDefinition,
  type TokenDefinition,
} from './dependency.js';
import { findInjected } from './tsyringe.js';

/** What a dependency is made of, as its class or resource says: the same in every container, compiled once. */
export interface Plan {
  readonly kind: 'processor' | 'class' | 'resource';
  readonly key: Key;
  readonly name: string;
  readonly needs: readonly PlannedNeed[];
  /** How many values `make` takes. */
  readonly width: number;
  /** Makes it of what it needs: an object, or what a factory answers (a value, a promise, a generator). */
  readonly make: (values: readonly unknown[]) => unknown;
}

/** One need: `what` is as it was declared, and absent where that is not known. */
export interface PlannedNeed {
  readonly what: unknown;
  /** The life asked for; undefined is that of the one who needs it. */
  readonly level: number | undefined;
  /** Which of the values of `make`. */
  readonly at: number;
  /** For messages: `field 'rates'`. */
  readonly place: string;
  /** Where it is declared. Lazy: `file:line` costs a formatted stack. */
  readonly source: { readonly where: string };
  /** Why `what` is not known. */
  readonly erased?: string;
}

const plans = new WeakMap<object, Plan>();

/** The plan of a resource, a class or a plain factory. */
export function planOf(key: Exclude<Key, TokenDefinition>): Plan {
  let plan = plans.get(key);
  if (plan === undefined) {
    plan = isResource(key) ? planResource(key) : isClass(key) ? planClass(key) : planFactory(key);
    plans.set(key, plan);
  }
  return plan;
}

function planResource(key: ResourceDefinition): Plan {
  const needs = key.needs.map((need, at): PlannedNeed => {
    const [scope, what] = Array.isArray(need) ? (need as readonly [Scope, unknown]) : [undefined, need as unknown];
    return { what, level: scope === undefined ? undefined : levelOf(scope), at, place: `need ${at + 1}`, source: key };
  });
  return { kind: 'resource', key, name: key.name, needs, width: needs.length, make: caller(key.make, needs.length) };
}

function planFactory(make: Factory): Plan {
  return { kind: 'resource', key: make, name: nameOf(make), needs: [], width: 0, make: caller(make, 0) };
}

function caller(factory: Factory, width: number): Plan['make'] {
  const make = factory as (...values: readonly unknown[]) => unknown;
  return width === 0 ? () => make() : (values) => make(...values);
}

function planClass(key: ConcreteClass): Plan {
  const spec = getDependenciesSpec(key);
  const injected = spec.required > 0 && spec.parameters.length === 0 ? findInjected(key) : undefined;
  const parameters = injected === undefined ? planParameters(key, spec) : planInjected(key, injected.tokens);
  const width = injected?.tokens.length ?? spec.parameters.length;
  const fields = spec.fields.map((field, index) => planned(key, field, width + index));
  const kind = findProcessorSpec(key) === undefined ? 'class' : 'processor';
  const construct = injected?.construct ?? constructor(key, width);
  const properties = fields.map((_, index) => spec.fields[index]?.property ?? '');
  const make = properties.length === 0 ? construct : builder(construct, width, properties);
  return { kind, key, name: nameOf(key), needs: [...parameters, ...fields], width: width + fields.length, make };
}

function constructor(key: ConcreteClass, width: number): Plan['make'] {
  return width === 0 ? () => new key() : (values) => new key(...values);
}

/** Fields are set after construction: a declared field is defined as undefined by the constructor. */
function builder(construct: Plan['make'], width: number, properties: readonly string[]): Plan['make'] {
  return (values) => {
    const built = construct(values.slice(0, width)) as Record<string, unknown>;
    for (let index = 0; index < properties.length; index++) built[properties[index] as string] = values[width + index];
    return built;
  };
}

function planParameters(key: ConcreteClass, spec: DependenciesSpec): PlannedNeed[] {
  const needs: PlannedNeed[] = [];
  for (let at = 0; at < Math.max(spec.parameters.length, spec.required); at++) {
    const parameter = spec.parameters[at];
    if (parameter !== undefined) needs.push(planned(key, parameter, at));
    else if (at < spec.required) needs.push(undeclared(key, spec, at));
  }
  return needs;
}

function planInjected(key: ConcreteClass, tokens: readonly unknown[]): PlannedNeed[] {
  const source = { where: whereOf(key) ?? '' };
  return tokens.flatMap((what, at) =>
    what === undefined ? [] : { what, level: undefined, at, place: `constructor parameter ${at + 1}`, source },
  );
}

function planned(key: ConcreteClass, spec: DependsSpec, at: number): PlannedNeed {
  const need = { what: spec.provider, level: levelOf(spec.scope), at, place: spec.place, source: spec };
  return spec.provider === undefined ? { ...need, erased: whyErased(declaredType(key, spec)) } : need;
}

/** A parameter that must be given, of which nothing says what. */
function undeclared(key: ConcreteClass, spec: DependenciesSpec, at: number): PlannedNeed {
  const source = { where: whereOf(key) ?? spec.parameters.find((one) => one !== undefined)?.where ?? spec.fields[0]?.where ?? '' };
  const erased = 'has neither @Depends() nor a default value, so that nothing says what it is to be given';
  return { what: undefined, level: undefined, at, place: `constructor parameter ${at + 1}`, source, erased };
}

function declaredType(key: ConcreteClass, spec: DependsSpec): unknown {
  if (spec.property !== undefined) return designTypeOf(key, spec.property);
  for (let one: unknown = key; typeof one === 'function'; one = Object.getPrototypeOf(one)) {
    const types = designParameterTypes(one as ConcreteClass);
    if (types !== undefined) return types[spec.index ?? 0];
  }
  return undefined;
}

function whyErased(type: unknown): string {
  if (type === undefined) {
    return 'names no provider, and its declared type was not emitted: the compiler writes no decorator metadata (esbuild and tsx never do; others need "emitDecoratorMetadata"), or the class was not defined yet';
  }
  if (type === Object)
    return 'names no provider, and its declared type is gone at run time: it is an interface, a union, or imported by `import type`';
  const name = typeof type === 'function' ? type.name : typeof type;
  return `names no provider, and its declared type is ${name} at run time, which is nothing to build`;
}
