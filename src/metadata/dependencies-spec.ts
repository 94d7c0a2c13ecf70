import type { Class } from '../types.js';
import { findRecord, lineage, readRecords, type Wanted } from './class-record.js';
import { designParameterTypes, designTypeOf } from './design-type.js';
import { withWhere } from './facts.js';
import { mergeMembers } from './members.js';
import { hasOwnConstructor } from './own-constructor.js';
import type { DependenciesSpec, DependsSpec } from './spec.js';

const specs = new WeakMap<Class, DependenciesSpec>();

/**
 * What a class wants injected, its base classes' fields included; empty for a class that wants nothing. Constructor parameters are
 * those of the nearest class that has a constructor. Made once, when first asked for.
 */
export function getDependenciesSpec(target: Class): DependenciesSpec {
  const known = specs.get(target);
  if (known !== undefined) return known;
  const spec = Object.freeze({ fields: Object.freeze(toFields(target)), ...toParameters(target) });
  specs.set(target, spec);
  return spec;
}

function toFields(target: Class): DependsSpec[] {
  return [...mergeMembers(readRecords(target))].flatMap(([property, member]) =>
    member.kind === 'depends' ? toSpec(member.wanted, designTypeOf(target, property), { property, place: `field '${property}'` }) : [],
  );
}

function toParameters(target: Class): Pick<DependenciesSpec, 'parameters' | 'required'> {
  const owner = constructorOwner(target);
  const wanted = owner === undefined ? undefined : findRecord(owner)?.parameters;
  const parameters: (DependsSpec | undefined)[] = [];
  if (owner !== undefined && wanted !== undefined && wanted.size > 0) {
    const types = designParameterTypes(owner);
    for (let index = 0; index <= Math.max(...wanted.keys()); index++) {
      const one = wanted.get(index);
      parameters.push(one && toSpec(one, types?.[index], { index, place: `constructor parameter ${index + 1}` }));
    }
  }
  return { parameters: Object.freeze(parameters), required: owner?.length ?? 0 };
}

/** The class whose constructor gets the arguments. */
function constructorOwner(target: Class): Class | undefined {
  return lineage(target).findLast((one) => (findRecord(one)?.parameters.size ?? 0) > 0 || hasOwnConstructor(one));
}

function toSpec(
  wanted: Wanted,
  declared: unknown,
  at: { readonly property?: string; readonly index?: number; readonly place: string },
): DependsSpec {
  const provider = wanted.provider ?? meantBy(declared);
  return withWhere({ scope: wanted.scope, ...(provider === undefined ? {} : { provider }), ...at }, wanted.where);
}

/** What compilers emit for a type that is no class: interfaces and unions become Object, literals the class that wraps them. */
const erased = new Set<unknown>([Object, String, Number, Boolean, Symbol, BigInt, Function, Array, Promise]);

function meantBy(declared: unknown): Class | undefined {
  return typeof declared === 'function' && !erased.has(declared) ? (declared as Class) : undefined;
}
