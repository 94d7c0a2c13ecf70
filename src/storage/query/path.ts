import { asDocument, order, orderOf } from './compare.js';

/** Whether a value has fields of its own: an embedded document, not a date or another value that is an object in JavaScript. */
export function isDocument(value: unknown): value is object {
  return typeof value === 'object' && value !== null && orderOf(value) === order.object;
}

/** A field of a document; undefined where there is none. What a class inherits is not data. */
export function fieldOf(document: object, name: string): unknown {
  if (document instanceof Map) return (document as Map<string, unknown>).get(name);
  const fields = '_bsontype' in document ? asDocument(document) : document;
  if (!Object.hasOwn(fields, name)) return undefined;
  const value = (fields as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'function' ? undefined : value;
}

const indexPattern = /^(?:0|[1-9]\d*)$/;

/** The place in an array that a part of a path names; -1 for the name of a field. */
export function indexOfPart(part: string): number {
  return indexPattern.test(part) ? Number(part) : -1;
}

/**
 * Whether `visit` accepts one of the values that a path leads to, as the server's matcher finds them: through the documents of
 * arrays, by index, and undefined where a document ends the path early. An array in the middle that holds no document leads nowhere.
 *
 * @param leaf - visit the elements of an array at the end of the path before the array itself.
 */
export function someAt(value: unknown, parts: readonly string[], leaf: boolean, visit: (value: unknown) => boolean, from = 0): boolean {
  for (let at = from; at < parts.length; at++) {
    if (Array.isArray(value)) return someInArray(value, parts, leaf, visit, at);
    if (!isDocument(value)) return visit(undefined);
    value = fieldOf(value, parts[at] as string);
  }
  return (leaf && Array.isArray(value) && value.some((element: unknown) => visit(element ?? null))) || visit(value);
}

function someInArray(
  array: readonly unknown[],
  parts: readonly string[],
  leaf: boolean,
  visit: (value: unknown) => boolean,
  at: number,
): boolean {
  const index = indexOfPart(parts[at] as string);
  const last = at + 1 === parts.length;
  return array.some((element, place) => {
    if (isDocument(element) && someAt(element, parts, leaf, visit, at)) return true;
    if (place !== index) return false;
    if (last) return visit(element ?? null);
    return Array.isArray(element)
      ? someInArray(element, parts, leaf, visit, at + 1)
      : isDocument(element) && someAt(element, parts, leaf, visit, at + 1);
  });
}

/**
 * The values that an index or a sort sees at a path: the elements of an array in place of the array, undefined for an empty one
 * and for what is not there.
 */
export function keysAt(row: object, parts: readonly string[]): readonly unknown[] {
  const values: unknown[] = [];
  collectKeys(row, parts, 0, values);
  return values;
}

function collectKeys(value: unknown, parts: readonly string[], at: number, into: unknown[]): void {
  for (; at < parts.length; at++) {
    if (Array.isArray(value)) {
      collectFromArray(value, parts, at, into);
      return;
    }
    if (!isDocument(value)) {
      into.push(null);
      return;
    }
    value = fieldOf(value, parts[at] as string);
  }
  if (!Array.isArray(value)) into.push(value === undefined ? null : value);
  else if (value.length === 0) into.push(undefined);
  else for (const element of value as readonly unknown[]) into.push(element ?? null);
}

function collectFromArray(array: readonly unknown[], parts: readonly string[], at: number, into: unknown[]): void {
  const index = indexOfPart(parts[at] as string);
  if (index >= 0 && index < array.length) {
    collectKeys(array[index] ?? null, parts, at + 1, into);
    return;
  }
  if (array.length === 0) into.push(null);
  for (const element of array) {
    if (isDocument(element)) collectKeys(element, parts, at, into);
    else into.push(null);
  }
}

/** A value by path, through documents only. */
export function valueAt(row: object, parts: readonly string[]): unknown {
  let value: unknown = row;
  for (const part of parts) value = isDocument(value) ? fieldOf(value, part) : undefined;
  return value;
}
