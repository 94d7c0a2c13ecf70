import { describeValue, MillraceError, suggestName } from '../errors.js';
import { findProcessorSpec, type CallSite } from '../metadata/registry.js';
import { scopeOrder, type ConcreteClass, type Need, type Resource, type Scope, type Token } from '../types.js';

/**
 * What tells our own objects from a user's that look alike. A registered symbol: what one copy of Millrace made, another in the same
 * process understands.
 */
export const brand = Symbol.for('millrace.dependency');

/** A resource with what users do not see of it. */
export interface ResourceDefinition extends Resource<unknown> {
  readonly [brand]: 'resource';
  readonly needs: readonly Need[];
  readonly make: Factory;
  readonly where: string;
}
export interface TokenDefinition extends Token<unknown> {
  readonly [brand]: 'token';
  readonly where: string;
}
/** Stands for a class that is declared further down. */
export interface Forward {
  readonly [brand]: 'forward';
  readonly get: () => unknown;
  readonly where: string;
}
export type Factory = (...values: never[]) => unknown;

/** By what a container knows a dependency: a forward reference is its class. */
export type Key = ResourceDefinition | TokenDefinition | ConcreteClass | Factory;

export function isResource(value: unknown): value is ResourceDefinition {
  return brandOf(value) === 'resource';
}
export function isToken(value: unknown): value is TokenDefinition {
  return brandOf(value) === 'token';
}

function brandOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { readonly [brand]?: unknown })[brand] : undefined;
}

/** Whether a function is a class to build, not a factory to call: a class's `prototype` is fixed, or has methods. */
export function isClass(value: unknown): value is ConcreteClass {
  if (typeof value !== 'function') return false;
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  if (prototype === undefined || typeof prototype.value !== 'object' || prototype.value === null) return false;
  // A generator's prototype is no more than what its objects inherit from.
  if (!Object.hasOwn(prototype.value as object, 'constructor')) return false;
  return prototype.writable === false || Object.getOwnPropertyNames(prototype.value).length > 1;
}

/** What a dependency is known by; undefined for what is none, such as a class whose module is still loading. */
export function toKey(what: unknown): Key | undefined {
  if (typeof what === 'function') return what as Key;
  if (isResource(what) || isToken(what)) return what;
  return brandOf(what) === 'forward' ? toKey(follow(what as Forward)) : undefined;
}

function follow({ get }: Forward): unknown {
  try {
    return get();
  } catch {
    return undefined; // the class is asked for before its declaration has run, which the check tells with all other faults
  }
}

/** A dependency as messages name it. */
export function nameOf(key: Key): string {
  if (typeof key !== 'function') return key.name;
  const name = isClass(key) ? (findProcessorSpec(key)?.name ?? key.name) : key.name;
  return name === '' ? (isClass(key) ? '(anonymous class)' : '(anonymous factory)') : name;
}

/** `file:line` of a dependency where it is known; a class without `@Processor` does not tell its own. */
export function whereOf(key: Key): string | undefined {
  if (typeof key !== 'function') return key.where;
  return isClass(key) ? findProcessorSpec(key)?.where : undefined;
}

/** A life as a number: the longer the life, the smaller. */
export function levelOf(scope: Scope): number {
  const level = scopeOrder.indexOf(scope);
  if (level >= 0) return level;
  throw new MillraceError(
    'DECORATOR_MISUSED',
    typeof scope === 'string'
      ? `Scope '${scope as string}' is not known. ${suggestName(scope, scopeOrder)}`
      : `A scope must be one of Scope, such as Scope.Task, not ${describeValue(scope)}.`,
  );
}

export function scopeAt(level: number): Scope {
  return scopeOrder[level] ?? 'GLOBAL_CONFIG';
}

/** Facts with a `where` that is worked out when someone asks. */
export function placed<T extends object>(facts: T, where: CallSite): T & { readonly where: string } {
  return Object.freeze(Object.defineProperty(facts, 'where', { get: where, enumerable: false })) as T & { readonly where: string };
}
