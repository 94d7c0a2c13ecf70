import { createHash } from 'node:crypto';

import type { Code, ObjectId } from 'bson';

import { binaryOf, fieldsOf, order, orderOf, regExpOf, timestampOf } from '../query/compare.js';
import { numberText, toDouble, type BsonNumber } from '../query/number.js';

/** A value as bytes whose order is BSON's order of the values. */
export interface EncodedKey {
  readonly bytes: Buffer;
  /** Not so where bytes were cut or a number is no double: equal values still have equal bytes, but their order is only roughly right. */
  readonly exact: boolean;
}

/** The longest key that is kept whole; lmdb takes 1,978 bytes with what stands before and after it. */
const longest = 1850;

/** The keys of one index entry, each ascending or descending. */
export function encodeKeys(values: readonly unknown[], directions: readonly (1 | -1)[] = []): EncodedKey {
  const writer = new KeyWriter();
  values.forEach((value, at) => {
    const start = writer.length;
    writer.value(value);
    if (directions[at] === -1) writer.invert(start);
  });
  return writer.finish();
}

/** One value. */
export function encodeKey(value: unknown): Buffer {
  return encodeKeys([value]).bytes;
}

/** Where the values of a kind begin, and where those after it do: the bounds of a comparison within the kind. */
export function kindBounds(kind: number, direction: 1 | -1): { readonly low: Buffer; readonly high: Buffer } {
  const rank = ranks[kind] ?? 0;
  return direction === 1
    ? { low: Buffer.of(rank), high: Buffer.of(rank + 1) }
    : { low: Buffer.of(~rank & 0xff), high: Buffer.of((~rank & 0xff) + 1) };
}

/** The least bytes that are greater than all that begin with these. */
export function after(bytes: Buffer): Buffer {
  const next = Buffer.from(bytes);
  for (let at = next.length - 1; at >= 0; at--) {
    const byte = next[at] as number;
    if (byte === 0xff) continue;
    next[at] = byte + 1;
    return next.subarray(0, at + 1);
  }
  return Buffer.concat([bytes, Buffer.alloc(8, 0xff)]); // nothing is longer and all ones
}

/** The first byte of a value, with room between kinds: the next byte up bounds one. */
const ranks: Readonly<Record<number, number>> = {
  [order.minKey]: 2,
  [order.missing]: 4,
  [order.null]: 6,
  [order.number]: 10,
  [order.string]: 20,
  [order.object]: 30,
  [order.array]: 40,
  [order.binary]: 50,
  [order.objectId]: 60,
  [order.boolean]: 70,
  [order.date]: 80,
  [order.timestamp]: 85,
  [order.regExp]: 90,
  [order.code]: 100,
  [order.codeWithScope]: 105,
  [order.maxKey]: 250,
};

const end = 0;

class KeyWriter {
  length = 0;
  #bytes = Buffer.allocUnsafe(128);
  #exact = true;

  value(value: unknown): void {
    const kind = orderOf(value);
    this.#byte(ranks[kind] ?? 0);
    this.#payload(kind, value);
  }

  /** Turns the order around from here on. */
  invert(start: number): void {
    for (let at = start; at < this.length; at++) this.#bytes[at] = ~(this.#bytes[at] as number) & 0xff;
  }

  finish(): EncodedKey {
    const bytes = this.#bytes.subarray(0, this.length);
    if (bytes.length <= longest) return { bytes, exact: this.#exact };
    return { bytes: Buffer.concat([bytes.subarray(0, longest), createHash('sha1').update(bytes).digest()]), exact: false };
  }

  #payload(kind: number, value: unknown): void {
    switch (kind) {
      case order.number:
        return this.#number(value as BsonNumber);
      case order.string:
        return this.#string(String(value));
      case order.object:
        return this.#object(value as object);
      case order.array:
        for (const element of value as readonly unknown[]) this.value(element ?? null);
        return this.#byte(end);
      case order.binary:
        return this.#binary(value);
      case order.objectId:
        return this.#raw((value as ObjectId).id);
      case order.boolean:
        return this.#byte(value === true ? 1 : 0);
      case order.date:
        return this.#double(Number(value) || 0);
      case order.timestamp:
        return this.#unsigned(timestampOf(value));
      case order.regExp: {
        const { pattern, flags } = regExpOf(value);
        this.#string(pattern);
        return this.#string(flags);
      }
      case order.code:
      case order.codeWithScope:
        this.#string((value as Code).code);
        return (value as Code).scope ? this.#object((value as Code).scope as object) : undefined;
      default:
        return undefined;
    }
  }

  #number(value: BsonNumber): void {
    const { double, exact } = toDouble(value);
    this.#double(double);
    if (exact) return;
    this.#exact = false;
    this.#byte(0xff);
    this.#raw(createHash('sha1').update(numberText(value)).digest());
  }

  /** Sign bit flipped for what is positive, all bits for what is negative: the bytes then order as the numbers; NaN comes first. */
  #double(value: number): void {
    this.#reserve(8);
    if (Number.isNaN(value)) this.#bytes.fill(0, this.length, this.length + 8);
    else {
      this.#bytes.writeDoubleBE(value === 0 ? 0 : value, this.length);
      const negative = ((this.#bytes[this.length] as number) & 0x80) !== 0;
      if (negative) for (let at = this.length; at < this.length + 8; at++) this.#bytes[at] = ~(this.#bytes[at] as number) & 0xff;
      else this.#bytes[this.length] = (this.#bytes[this.length] as number) | 0x80;
    }
    this.length += 8;
  }

  #unsigned(value: bigint): void {
    this.#reserve(8);
    this.#bytes.writeBigUInt64BE(value, this.length);
    this.length += 8;
  }

  /** Ends with two zeros; a zero inside is followed by 0xff, so that a string comes before those that begin with it. */
  #string(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    if (!bytes.includes(0)) this.#raw(bytes);
    else for (const byte of bytes) this.#raw(byte === 0 ? escapedZero : Buffer.of(byte));
    this.#byte(end);
    this.#byte(end);
  }

  /** As the order compares: kind, name, value. */
  #object(value: object): void {
    for (const [name, one] of fieldsOf(value)) {
      const kind = orderOf(one);
      this.#byte(ranks[kind] ?? 0);
      this.#string(name);
      this.#payload(kind, one);
    }
    this.#byte(end);
  }

  #binary(value: unknown): void {
    const { bytes, subtype } = binaryOf(value);
    this.#reserve(5);
    this.#bytes.writeUInt32BE(bytes.length, this.length);
    this.#bytes[this.length + 4] = subtype;
    this.length += 5;
    this.#raw(bytes);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = byte;
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.length + more));
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}

const escapedZero = Buffer.of(0, 0xff);
