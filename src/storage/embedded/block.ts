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
  return typeof id === 'number' || (id as Partial<Bson.ObjectId>)._bsontype === 'ObjectId';
}

/** Whether the second of two plain ids comes after the first; of different kinds, whatever they are, none does. */
function ascends(before: unknown, id: unknown): boolean {
  if (typeof before === 'number' && typeof id === 'number') return before < id;
  if (typeof before === 'string' && typeof id === 'string') return compareStrings(before, id) < 0;
  if (typeof before !== 'object' || typeof id !== 'object') return false;
  const a = (before as Bson.ObjectId).id;
  const b = (id as Bson.ObjectId).id;
  for (let at = 0; at < 12; at++) if (a[at] !== b[at]) return (a[at] as number) < (b[at] as number);
  return false;
}

/** A block taken apart; rows may be replaced and removed. */
export class Block {
  readonly number: number;
  readonly numbers: number[];
  readonly documents: Uint8Array[];

  constructor(number: number, numbers: number[], documents: Uint8Array[]) {
    this.number = number;
    this.numbers = numbers;
    this.documents = documents;
  }

  static parse(number: number, bytes: Buffer): Block {
    let at = 1;
    const numbers: number[] = [];
    if (bytes[0] === listed) {
      const rows = bytes.readUInt16BE(1);
      at = 3 + 2 * rows;
      for (let i = 0; i < rows; i++) numbers.push(number + bytes.readUInt16BE(3 + 2 * i));
    }
    const documents = splitDocuments(bytes, at);
    if (bytes[0] === contiguous) documents.forEach((_, place) => numbers.push(number + place));
    return new Block(number, numbers, documents);
  }

  /** The place of a row in the block; -1 where it was removed. */
  placeOf(number: number): number {
    return this.numbers[number - this.number] === number ? number - this.number : this.numbers.indexOf(number);
  }

  toBytes(): Buffer {
    const isContiguous = this.numbers.every((number, place) => number === this.number + place);
    if (isContiguous) return Buffer.concat([Buffer.of(contiguous), ...this.documents]);
    const head = Buffer.allocUnsafe(3 + 2 * this.numbers.length);
    head[0] = listed;
    head.writeUInt16BE(this.numbers.length, 1);
    this.numbers.forEach((number, place) => head.writeUInt16BE(number - this.number, 3 + 2 * place));
    return Buffer.concat([head, ...this.documents]);
  }
}

function splitDocuments(bytes: Buffer, start: number): Uint8Array[] {
  const documents: Uint8Array[] = [];
  for (let at = start; at < bytes.length; ) {
    const length = lengthAt(bytes, at);
    documents.push(bytes.subarray(at, at + length));
    at += length;
  }
  return documents;
}

/** Every row of a block, read. */
export function readBlock(bson: typeof Bson, bytes: Buffer): Row[] {
  const options = { ...readOptions, index: bytes[0] === listed ? 3 + 2 * bytes.readUInt16BE(1) : 1 }; // one object for all: this is the hot path of reads
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
