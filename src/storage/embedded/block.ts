import type * as Bson from 'bson';

import { rowInvalid } from '../ids.js';
import { compareStrings } from '../query/compare.js';
import type { Row } from '../../types.js';
import { encodeKey } from './key.js';

/**
 * Rows are kept in blocks: many BSON documents in one value of the database, under the number of their first row. It makes a row cost
 * a copy of its bytes and not an entry of its own.
 *
 * ```
 *  0            rows are numbered on from the block's number
 *  1  n u16  n × u16 number − block's number          after rows were removed
 *  then the documents, each beginning with its length
 * ```
 */
const contiguous = 0;
const listed = 1;

/** Bytes of documents after which a block ends: four pages with what stands around them. */
const full = 16_000;
/** Numbers within a block take two bytes. */
const mostRows = 4096;

/** A block to append. */
export interface PackedBlock {
  readonly bytes: Buffer;
  readonly rows: number;
  /** The `_id`s of the block, encoded: its first and last where they ascend, else all. */
  readonly ids: { readonly first: Buffer; readonly last: Buffer } | { readonly all: readonly Buffer[] };
}

const readOptions = { promoteLongs: false, allowObjectSmallerThanBufferSize: true } as const;

/** Packs rows that have an `_id` into blocks. */
export class Packer {
  readonly #bson: typeof Bson;
  readonly #collection: string;
  #scratch = Buffer.allocUnsafe(4 * full);
  #length = 1;
  #ids: unknown[] = [];
  #ascending = true;
  #blocks: PackedBlock[] = [];
  /** Bytes in blocks that wait to be taken. */
  bytes = 0;

  constructor(bson: typeof Bson, collection: string) {
    this.#bson = bson;
    this.#collection = collection;
  }

  /** @throws MillraceError `ROW_INVALID` for what BSON cannot hold; `index` is for its message. */
  add(row: Row, index: number): void {
    const end = this.#write(row, index);
    if (this.#ids.length > 0 && (end > full || this.#ids.length === mostRows)) this.#shift(end);
    else this.#length = end;
    const id = (row as { readonly _id?: unknown })._id;
    this.#ascending &&= isPlain(id) && (this.#ids.length === 0 || ascends(this.#ids[this.#ids.length - 1], id));
    this.#ids.push(id);
  }

  /** The blocks so far, the last one too. */
  take(): PackedBlock[] {
    if (this.#ids.length > 0) this.#end(this.#length);
    const blocks = this.#blocks;
    this.#blocks = [];
    this.bytes = 0;
    return blocks;
  }

  #write(row: Row, index: number): number {
    try {
      return writeRow(this.#bson, row, this.#scratch, this.#length);
    } catch (error) {
      if (!(error instanceof RangeError)) throw rowInvalid(this.#collection, index, `cannot be kept: ${(error as Error).message}`, error);
    }
    const bytes = serializeRow(this.#bson, row, this.#collection, index);
    const grown = Buffer.allocUnsafe(2 * (this.#length + bytes.length));
    this.#scratch.copy(grown, 0, 0, this.#length);
    this.#scratch = grown;
    this.#scratch.set(bytes, this.#length);
    return this.#length + bytes.length;
  }

  /** The row just written begins the next block. */
  #shift(end: number): void {
    const start = this.#length;
    this.#end(start);
    this.#scratch.copyWithin(1, start, end);
    this.#length = 1 + end - start;
    this.#ascending = true;
  }

  #end(length: number): void {
    this.#scratch[0] = contiguous;
    const bytes = Buffer.from(this.#scratch.subarray(0, length));
    const ids = this.#ascending
      ? { first: encodeKey(this.#ids[0]), last: encodeKey(this.#ids[this.#ids.length - 1]) }
      : { all: this.#ids.map(encodeKey) };
    this.#blocks.push({ bytes, rows: this.#ids.length, ids });
    this.bytes += length;
    this.#length = 1;
    this.#ids = [];
    this.#ascending = true;
  }
}

function writeRow(bson: typeof Bson, row: Row, into: Buffer, at: number): number {
  return bson.serializeWithBufferAndIndex(row, into, { index: at, ignoreUndefined: true }) + 1;
}

/** A row's bytes; `index` is for the message of the error. */
export function serializeRow(bson: typeof Bson, row: Row, collection: string, index: number): Uint8Array {
  try {
    return bson.serialize(row, { ignoreUndefined: true });
  } catch (error) {
    throw rowInvalid(collection, index, `cannot be kept: ${(error as Error).message}`, error);
  }
}

/** Kinds whose encoding is always exact, so that blocks of them can be ordered. */
function isPlain(id: unknown): boolean {
  if (typeof id === 'string') return id.length <= 100;
  return typeof id === 'number' || (id as Partial<Bson.ObjectId> | null)?._bsontype === 'ObjectId';
}

/** Whether the second of two plain ids comes after the first; of different kinds, whatever they are, none does. */
function ascends(before: unknown, id: unknown): boolean {
  if (typeof before === 'number' && typeof id === 'number') return before < id;
  if (typeof before === 'string' && typeof id === 'string') return compareStrings(before, id) < 0;
  if (typeof before !== 'object' || typeof id !== 'object') return false; // else both are ObjectIds
  const a = (before as Bson.ObjectId).id;
  const b = (id as Bson.ObjectId).id;
  for (let at = 0; at < 12; at++) if (a[at] !== b[at]) return (a[at] as number) < (b[at] as number);
  return false;
}

/** A block taken apart; rows may be replaced and removed. */
export class Block {
  readonly number: number;
  readonly #bytes: Buffer;
  /** Where the document of each row begins in the bytes, or the document that took its place. */
  readonly #parts: (number | Uint8Array)[];
  /** Numbers of the rows, where they are not simply the next ones. */
  #numbers: number[] | undefined;

  constructor(number: number, bytes: Buffer) {
    this.number = number;
    this.#bytes = bytes;
    this.#parts = [];
    const rows = bytes[0] === listed ? bytes.readUInt16BE(1) : 0;
    if (bytes[0] === listed) this.#numbers = Array.from({ length: rows }, (_, at) => number + bytes.readUInt16BE(3 + 2 * at));
    for (let at = firstDocument(bytes); at < bytes.length; at += lengthAt(bytes, at)) this.#parts.push(at);
  }

  get rows(): number {
    return this.#parts.length;
  }

  /** The number of the last row; the block's own where it has none. */
  get last(): number {
    return this.rows === 0 ? this.number : this.numberAt(this.rows - 1);
  }

  numberAt(place: number): number {
    return this.#numbers ? (this.#numbers[place] as number) : this.number + place;
  }

  numbers(): number[] {
    return this.#numbers ? [...this.#numbers] : this.#parts.map((_, place) => this.number + place);
  }

  /** The place of a row in the block; -1 where it was removed. */
  placeOf(number: number): number {
    if (this.#numbers) return this.#numbers.indexOf(number);
    const place = number - this.number;
    return place < this.rows ? place : -1;
  }

  document(place: number): Uint8Array {
    const part = this.#parts[place] as number | Uint8Array;
    return typeof part === 'number' ? this.#bytes.subarray(part, part + lengthAt(this.#bytes, part)) : part;
  }

  replace(place: number, document: Uint8Array): void {
    this.#parts[place] = document;
  }

  remove(place: number): void {
    this.#numbers ??= this.numbers();
    this.#numbers.splice(place, 1);
    this.#parts.splice(place, 1);
  }

  toBytes(): Buffer {
    const documents = this.#parts.map((_, place) => this.document(place));
    if (!this.#numbers) return Buffer.concat([Buffer.of(contiguous), ...documents]);
    const head = Buffer.allocUnsafe(3 + 2 * this.rows);
    head[0] = listed;
    head.writeUInt16BE(this.rows, 1);
    this.#numbers.forEach((number, place) => head.writeUInt16BE(number - this.number, 3 + 2 * place));
    return Buffer.concat([head, ...documents]);
  }
}

function firstDocument(bytes: Buffer): number {
  return bytes[0] === listed ? 3 + 2 * bytes.readUInt16BE(1) : 1;
}

/** Every row of a block, read. */
export function readBlock(bson: typeof Bson, bytes: Buffer): Row[] {
  const options = { ...readOptions, index: firstDocument(bytes) }; // one object for all: this is the hot path of reads
  const rows: Row[] = [];
  while (options.index < bytes.length) {
    const length = lengthAt(bytes, options.index);
    rows.push(bson.deserialize(bytes, options));
    options.index += length;
  }
  return rows;
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes.length - at < 5 ? 0 : bytes.readInt32LE(at);
  if (length < 5 || at + length > bytes.length) throw new Error('a block of rows does not end where its last row does');
  return length;
}

/** One row, read. */
export function readRow(bson: typeof Bson, document: Uint8Array): Row {
  return bson.deserialize(document, readOptions);
}
