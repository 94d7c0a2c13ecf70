import type { Binary, BSONRegExp, Code, ObjectId, Timestamp, DBRef } from 'bson';

import { compareNumbers, type BsonNumber } from './number.js';

/**
 * The place of each kind of value in BSON's comparison order. Kinds of the same place compare with each other; `undefined`
 * stands for a property that is not there.
 */
export const order = {
  minKey: -1,
  missing: 0,
  null: 5,
  number: 10,
  string: 15,
  object: 20,
  array: 25,
  binary: 30,
  objectId: 35,
  boolean: 40,
  date: 45,
  timestamp: 47,
  regExp: 50,
  code: 60,
  codeWithScope: 65,
  maxKey: 127,
} as const;

/** The place of a value's kind in BSON's comparison order. */
export function orderOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return order.string;
    case 'number':
    case 'bigint':
      return order.number;
    case 'boolean':
      return order.boolean;
    case 'object':
      return value === null ? order.null : orderOfObject(value);
    default:
      return order.missing; // undefined, and functions, which no store keeps
  }
}

function orderOfObject(value: object): number {
  if (Array.isArray(value)) return order.array;
  if (value instanceof Date) return order.date;
  const kind = (value as { _bsontype?: unknown })._bsontype;
  if (kind !== undefined) return orderOfBson(kind, value);
  if (value instanceof RegExp) return order.regExp;
  if (value instanceof Uint8Array) return order.binary;
  return order.object;
}

function orderOfBson(kind: unknown, value: object): number {
  switch (kind) {
    case 'ObjectId':
      return order.objectId;
    case 'Long':
    case 'Int32':
    case 'Double':
    case 'Decimal128':
      return order.number;
    case 'Binary':
      return order.binary;
    case 'Timestamp':
      return order.timestamp;
    case 'BSONSymbol':
      return order.string;
    case 'BSONRegExp':
      return order.regExp;
    case 'Code':
      return (value as Code).scope ? order.codeWithScope : order.code;
    case 'MinKey':
      return order.minKey;
    case 'MaxKey':
      return order.maxKey;
    default:
      return order.object;
  }
}

/** BSON's comparison order over all values; a missing one (`undefined`) comes before null. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number' && a === a && b === b) return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  const kind = orderOf(a);
  const other = orderOf(b);
  return kind === other ? compareAlike(kind, a, b) : kind - other;
}

/** Compares two values whose kinds have the same place. */
export function compareAlike(kind: number, a: unknown, b: unknown): number {
  switch (kind) {
    case order.number:
      return compareNumbers(a as BsonNumber, b as BsonNumber);
    case order.string:
      return compareStrings(String(a), String(b));
    case order.object:
      return compareObjects(a as object, b as object);
    case order.array:
      return compareArrays(a as readonly unknown[], b as readonly unknown[]);
    case order.binary:
      return compareBinaries(binaryOf(a), binaryOf(b));
    case order.objectId:
      return Buffer.compare((a as ObjectId).id, (b as ObjectId).id);
    case order.boolean:
    case order.date:
      return Number(a) - Number(b);
    case order.timestamp:
      return compareNumbers(timestampOf(a), timestampOf(b));
    case order.regExp:
      return compareRegExps(regExpOf(a), regExpOf(b));
    case order.code:
    case order.codeWithScope:
      return compareCodes(a as Code, b as Code);
    default:
      return 0; // null, missing, MinKey and MaxKey have one value each
  }
}

/** Whether two values are the same to the server: `1` and `Long(1)` are, `[1]` and `1` are not. */
export function equalValues(a: unknown, b: unknown): boolean {
  return a === b || compareValues(a, b) === 0;
}

/** By UTF-8 bytes, which is by code points: JavaScript's own `<` orders by UTF-16 units, which differ from U+D800 on. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** A surrogate belongs to a code point above U+FFFF, so it comes after every unit that stands for itself. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Field by field in the order they have: kind of value first, then name, then value; the shorter is less. */
function compareObjects(a: object, b: object): number {
  const left = fieldsOf(a);
  const right = fieldsOf(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const [name, value] = left[i] as [string, unknown];
    const [otherName, otherValue] = right[i] as [string, unknown];
    const kind = orderOf(value);
    const difference = kind - orderOf(otherValue) || compareStrings(name, otherName) || compareAlike(kind, value, otherValue);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** A reference is a class to the driver and a document like any other to the server. */
export function asDocument(value: object): object {
  if ((value as { readonly _bsontype?: unknown })._bsontype !== 'DBRef') return value;
  const { collection, oid, db, fields } = value as DBRef;
  return { $ref: collection, $id: oid, ...(db ? { $db: db } : {}), ...fields };
}

/** The fields that a store keeps: not the undefined ones. */
export function fieldsOf(value: object): [string, unknown][] {
  const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : (Object.entries(asDocument(value)) as [string, unknown][]);
  return entries.filter(([, one]) => one !== undefined && typeof one !== 'function');
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = compareValues(a[i] ?? null, b[i] ?? null);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Bytes and subtype of a Binary, a UUID, a Buffer. */
export function binaryOf(value: unknown): { readonly bytes: Uint8Array; readonly subtype: number } {
  if (value instanceof Uint8Array) return { bytes: value, subtype: 0 };
  const binary = value as Binary;
  return { bytes: binary.buffer.subarray(0, binary.position), subtype: binary.sub_type };
}

type Bytes = ReturnType<typeof binaryOf>;
function compareBinaries(a: Bytes, b: Bytes): number {
  return a.bytes.length - b.bytes.length || a.subtype - b.subtype || Buffer.compare(a.bytes, b.bytes);
}

/** Unsigned, unlike the Long that holds it. */
export function timestampOf(value: unknown): bigint {
  return BigInt.asUintN(64, (value as Timestamp).toBigInt());
}

/** Pattern and the flags that BSON keeps, sorted. */
export function regExpOf(value: unknown): { readonly pattern: string; readonly flags: string } {
  if (value instanceof RegExp) return { pattern: value.source, flags: [...value.flags.replace(/[dgvy]/g, '')].sort().join('') };
  const { pattern, options } = value as BSONRegExp;
  return { pattern, flags: [...options].sort().join('') };
}

type Pattern = ReturnType<typeof regExpOf>;
function compareRegExps(a: Pattern, b: Pattern): number {
  return compareStrings(a.pattern, b.pattern) || compareStrings(a.flags, b.flags);
}

function compareCodes(a: Code, b: Code): number {
  return compareStrings(a.code, b.code) || compareValues(a.scope ?? undefined, b.scope ?? undefined);
}
