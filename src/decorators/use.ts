import { callSite, type CallSite } from '../metadata/registry.js';
import { misused, nameOf, type Place } from '../metadata/misuse.js';
import type { PropertyPlace } from '../metadata/writers.js';
import { describeValue } from '../errors.js';
import type { Class } from '../types.js';

/** One call of a decorator's factory: `@Input({ … })`. */
export interface Use {
  /** As users write it: `@Input()`. */
  readonly decorator: string;
  readonly where: CallSite;
}

/** What compiled code, or a hand, passes to a decorator: the class or its prototype, the property, its descriptor or the parameter's index. */
export type Target = readonly [target: unknown, key?: unknown, third?: unknown];

/** Called by the factory itself. Its name is not read from it, since a bundler may have shortened that. */
export function useOf(name: string, factory: (...args: never[]) => unknown): Use {
  return { decorator: `@${name}()`, where: callSite(factory) };
}

/** Refuses a factory that was itself used as the decorator, `@Input raw!: …`: what came as its options tells. */
export function refuseBare(use: Use, args: readonly unknown[]): void {
  if (args.length < 2 && typeof args[0] !== 'function') return;
  refuseStandard(use, args);
  const bare = use.decorator.replace('()', '');
  throw misused({ ...use, decorator: bare, target: describeTarget(args) }, `it is used without parentheses: write ${use.decorator}.`);
}

/** Where a decorator for fields stands; everything else is refused by what it is. */
export function fieldOf(use: Use, args: Target): PropertyPlace {
  refuseStandard(use, args);
  const [target, key] = args;
  const place: Place = { ...use, target: describeTarget(args) };
  const problem = problemOfField(args);
  if (problem !== undefined)
    throw misused(place, `${problem}: write it before a plain field, such as \`${use.decorator} readonly name!: Type\`.`);
  return { ...place, class: (target as { constructor: Class }).constructor, property: key as string };
}

function problemOfField([target, key, third]: Target): string | undefined {
  if (typeof target === 'function' && key === undefined)
    return typeof third === 'number' ? 'it does not go on a parameter' : 'it does not go on a class';
  if (typeof third === 'number') return 'it does not go on a parameter';
  if (typeof target === 'function') return 'it does not go on a static property';
  if (!isPrototype(target)) return 'it is not applied to the prototype of a class';
  if (typeof key === 'symbol') return 'a property named by a symbol has no name to bind or show';
  if (typeof key !== 'string' || key === '') return `${describeValue(key)} is no name of a property`;
  const property = (third ?? Object.getOwnPropertyDescriptor(target, key)) as PropertyDescriptor | undefined;
  if (property?.get !== undefined || property?.set !== undefined) return 'it does not go on an accessor';
  if (typeof property?.value === 'function') return 'it does not go on a method';
  return undefined;
}

/** Where a decorator for classes stands. */
export function classOf(use: Use, args: Target): Place & { readonly class: Class } {
  refuseStandard(use, args);
  const place: Place = { ...use, target: describeTarget(args) };
  const [target, key, third] = args;
  if (isClass(target) && key === undefined && third === undefined) return { ...place, class: target };
  throw misused(place, `it goes on a class only: write ${use.decorator} above \`class\`.`);
}

/** The parameter of a constructor that a decorator stands on; undefined where it stands on something else. */
export function parameterOf(use: Use, args: Target): (Place & { readonly class: Class; readonly index: number }) | undefined {
  const [target, key, index] = args;
  if (typeof index !== 'number') return undefined;
  const place: Place = { ...use, target: describeTarget(args) };
  if (isClass(target) && key === undefined) return { ...place, class: target, index };
  throw misused(place, 'of parameters, it goes on those of a constructor only: make it a field, or a parameter of the constructor.');
}

export function isClass(value: unknown): value is Class {
  return typeof value === 'function' && isPrototype(value.prototype);
}

function isPrototype(value: unknown): value is { readonly constructor: Class } {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'constructor')) return false;
  const { constructor } = value;
  return typeof constructor === 'function' && constructor.prototype === value;
}

/** Decorators as the language will have them get a context object, and come without parameter decorators and metadata of types. */
function refuseStandard(use: Use, [value, context]: readonly unknown[]): void {
  if (!isStandardContext(context)) return;
  const { kind, name } = context;
  const target = kind === 'class' && typeof value === 'function' ? nameOf(value) : `${kind} '${String(name)}'`;
  throw misused(
    { ...use, target },
    'it was called as a standard decorator: set "experimentalDecorators": true in the tsconfig.json that compiles this file (or in the options of its compiler).',
  );
}

export function isStandardContext(value: unknown): value is { readonly kind: string; readonly name: unknown } {
  return typeof value === 'object' && value !== null && 'kind' in value && 'name' in value && 'addInitializer' in value;
}

function describeTarget([target, key, third]: readonly unknown[]): string {
  const owner = describeOwner(target);
  const name = typeof key === 'symbol' ? `[${key.toString()}]` : String(key);
  const of = typeof target === 'function' ? `static ${owner}` : owner;
  if (typeof third !== 'number') return key === undefined ? owner : `${of}.${name}`;
  return key === undefined ? `constructor parameter ${third + 1} of ${owner}` : `parameter ${third + 1} of ${of}.${name}()`;
}

function describeOwner(target: unknown): string {
  if (typeof target === 'function') return nameOf(target);
  return isPrototype(target) ? nameOf(target.constructor) : describeValue(target);
}
