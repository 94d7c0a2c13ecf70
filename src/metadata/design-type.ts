// The only user of reflect-metadata. It has to be loaded before the user's classes are, since compiled code calls `Reflect.metadata`.
import { createRequire } from 'node:module';
import type {} from 'reflect-metadata';
import type { Class } from '../types.js';

const require = createRequire(import.meta.url);
// An import has Node read the whole file for its exports first, which costs twice the loading itself.
require('reflect-metadata');

/** What `design:type` says of a property, own or inherited; undefined where the compiler emitted nothing. */
export function designTypeOf(target: Class, property: string): unknown {
  return Reflect.getMetadata('design:type', target.prototype as object, property);
}

/** What `design:paramtypes` says of the class's own constructor; undefined where the compiler emitted nothing. */
export function designParameterTypes(target: Class): readonly unknown[] | undefined {
  return Reflect.getOwnMetadata('design:paramtypes', target) as readonly unknown[] | undefined;
}
