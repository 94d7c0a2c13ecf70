import { MillraceError } from '../errors.js';
import type { Class, Dependency, ProcessorOptions, Scope } from '../types.js';
import type { CallSite } from './call-site.js';
import { misused, nameOf, type Place } from './misuse.js';
import type { InputSpec, OutputSpec, ParamsSpec } from './spec.js';

/** What the decorators of one class have said, without its base classes. */
export interface ClassRecord {
  processor?: OwnProcessor;
  /** Ports, params and injected fields by property, in declaration order: a property is one of them only. */
  readonly members: Map<string, Member>;
  /** By index, of the constructor. */
  readonly parameters: Map<number, Wanted>;
  readonly secrets: Map<string, CallSite>;
}

/** `@Processor` as it was written. */
export interface OwnProcessor {
  readonly options: ProcessorOptions;
  readonly where: CallSite;
}

export type Member =
  | { readonly kind: 'input'; readonly spec: InputSpec }
  | { readonly kind: 'output'; readonly spec: OutputSpec }
  | { readonly kind: 'params'; readonly spec: ParamsSpec }
  | { readonly kind: 'depends'; readonly wanted: Wanted };

/** `@Depends` as it was written. */
export interface Wanted {
  readonly scope: Scope;
  readonly provider: Dependency<unknown> | (() => unknown) | undefined;
  readonly where: CallSite;
}

/**
 * The record hangs on the class itself, under a registered symbol: there is no registry, a class that is forgotten takes its record
 * along, and a second copy of Millrace in the process reads what the first one wrote. The number goes up with the record's shape.
 */
const version = 1;
const prefix = 'millrace.class.';
const key = Symbol.for(`${prefix}${version}`);

/** Classes of which a spec was made: what is said of them later would be heard by some and not by others. */
const read = new WeakSet<Class>();

export function findRecord(target: Class): ClassRecord | undefined {
  if (typeof target !== 'function' || !Object.hasOwn(target, key)) return undefined;
  return (target as unknown as Record<symbol, ClassRecord>)[key];
}

/** Whether the class carries the record of a Millrace of another shape. */
export function hasForeignRecord(target: Class): boolean {
  return Object.getOwnPropertySymbols(target).some((symbol) => symbol !== key && Symbol.keyFor(symbol)?.startsWith(prefix) === true);
}

/** The record of a class to write to, made when there is none. */
export function openRecord(target: Class, place: Place): ClassRecord {
  if (read.has(target)) throw misused(place, `${nameOf(target)} is in use already: apply every decorator before the class is first used.`);
  const known = findRecord(target);
  if (known !== undefined) return known;
  const record: ClassRecord = { members: new Map(), parameters: new Map(), secrets: new Map() };
  Object.defineProperty(target, key, { value: record });
  return record;
}

/** The records of a class and its base classes, base first; from now on they may not be written to. */
export function readRecords(target: Class): readonly ClassRecord[] {
  const classes = lineage(target);
  for (const one of classes) read.add(one);
  return recordsOf(classes);
}

export function recordsOf(classes: readonly Class[]): readonly ClassRecord[] {
  return classes.flatMap((one) => findRecord(one) ?? []);
}

/** A class and its base classes, base first. */
export function lineage(target: Class): readonly Class[] {
  if (typeof target !== 'function') throw new MillraceError('DECORATOR_MISUSED', `A class was expected, not ${String(target)}.`);
  const classes: Class[] = [];
  for (let one: unknown = target; typeof one === 'function' && one !== Function.prototype; one = Object.getPrototypeOf(one)) {
    classes.unshift(one as Class);
  }
  return classes;
}
