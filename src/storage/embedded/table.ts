import type { Row } from '../../types.js';
import { Block, readBlock, readRow } from './block.js';
import type { CollectionRecord } from './catalog.js';
import type { Database, Snapshot } from './database.js';
import { encodeKey } from './key.js';

/** Blocks read at once: enough to hide the cost of the call, few enough to stop soon. */
const blocksAtOnce = 16;

/** Blocks kept apart for rows that are fetched one by one. */
const keptBlocks = 64;

/** Key of the block that begins with a row. */
export function rowKey(id: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(10);
  key.writeUInt32BE(id, 0);
  key.writeUIntBE(number, 4, 6);
  return key;
}

/** Key of an entry: what the index is, then what the row has. */
export function entryKey(id: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 4;
  for (const part of parts) length += part.length;
  const key = Buffer.allocUnsafe(length);
  key.writeUInt32BE(id, 0);
  let at = 4;
  for (const part of parts) {
    key.set(part, at);
    at += part.length;
  }
  return key;
}

/** A row's number as a value, or at the end of a key. */
export function numberBytes(number: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(number, 0, 6);
  return bytes;
}

export function readNumber(bytes: Buffer): number {
  return bytes.readUIntBE(0, 6);
}

/**
 * The index on `_id` has two kinds of entries. Where the ids of a block ascend, and come after all those before, one entry says where
 * the block begins; all other rows have one each. So rows that get their ids here cost an entry a block.
 */
export const ofBlock = Buffer.of(0);
export const ofRow = Buffer.of(1);

/** The rows of a collection as one transaction sees them. */
export class Table {
  readonly database: Database;
  readonly record: CollectionRecord;
  protected readonly transaction: { readonly transaction?: Snapshot };
  protected readonly kept = new Map<number, Block>();

  /** Without a snapshot: within a write transaction. */
  constructor(database: Database, record: CollectionRecord, snapshot?: Snapshot) {
    this.database = database;
    this.record = record;
    this.transaction = snapshot ? { transaction: snapshot } : {};
  }

  /** All rows, block by block, in natural order or against it. */
  *rows(reverse = false): Generator<Row[], void> {
    for (const { bytes } of this.blocks(reverse)) {
      const rows = readBlock(this.database.bson, bytes);
      yield reverse ? rows.reverse() : rows;
    }
  }

  /** Every block as it is stored. No cursor stays open between two of them. */
  *blocks(reverse = false): Generator<{ readonly number: number; readonly bytes: Buffer }, void> {
    const { id } = this.record;
    const low = rowKey(id, 0);
    const high = entryKey(id + 1);
    let edge = reverse ? high : low;
    for (;;) {
      const range = reverse ? { start: edge, end: entryKey(id), reverse, exclusiveStart: true } : { start: edge, end: high };
      const found = [...this.database.rows.getRange({ ...range, limit: blocksAtOnce, ...this.transaction })];
      for (const { key, value } of found) yield { number: readNumber(key.subarray(4)), bytes: value };
      const last = found[found.length - 1];
      if (!last || found.length < blocksAtOnce) return;
      edge = reverse ? last.key : Buffer.concat([last.key, Buffer.of(0)]);
    }
  }

  /** The row of a number; undefined where it was removed. */
  row(number: number): Row | undefined {
    const block = this.blockAt(number);
    const place = block?.placeOf(number) ?? -1;
    return block && place >= 0 ? readRow(this.database.bson, block.document(place)) : undefined;
  }

  /** The block that holds a number, if any does. */
  blockAt(number: number): Block | undefined {
    const { id } = this.record;
    const range = { start: rowKey(id, number), end: entryKey(id), reverse: true, limit: 1 };
    const cached = this.#lastKept;
    if (cached && cached.number <= number && number <= cached.last) return cached;
    for (const key of this.database.rows.getKeys({ ...range, ...this.transaction })) {
      const first = readNumber(key.subarray(4));
      return (this.#lastKept = this.kept.get(first) ?? this.#keep(first, key));
    }
    return undefined;
  }

  #lastKept: Block | undefined;

  #keep(first: number, key: Buffer): Block | undefined {
    const bytes = this.database.rows.get(key, this.transaction);
    if (!bytes) return undefined;
    const block = new Block(first, bytes);
    if (this.kept.size >= keptBlocks) this.letGo();
    this.kept.set(first, block);
    return block;
  }

  /** Forgets the blocks kept. */
  protected letGo(): void {
    this.kept.clear();
    this.#lastKept = undefined;
  }

  /** The number of the row with this `_id`. */
  findId(id: unknown): number | undefined {
    return this.findEncodedId(encodeKey(id));
  }

  protected findEncodedId(bytes: Buffer): number | undefined {
    const { ids, last, loose } = this.record;
    if (loose > 0) {
      const own = this.database.index.get(entryKey(ids, ofRow, bytes), this.transaction);
      if (own) return readNumber(own);
    }
    if (last === '' || Buffer.compare(bytes, Buffer.from(last, 'hex')) > 0) return undefined;
    const range = { start: entryKey(ids, ofBlock, bytes), end: entryKey(ids, ofBlock), reverse: true, limit: 1 };
    for (const { value } of this.database.index.getRange({ ...range, ...this.transaction }))
      return this.#searchBlock(readNumber(value), bytes);
    return undefined;
  }

  /** Halves a block whose ids ascend. */
  #searchBlock(first: number, bytes: Buffer): number | undefined {
    const block = this.blockAt(first);
    if (block?.number !== first) return undefined;
    let low = 0;
    let high = block.rows;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = readRow(this.database.bson, block.document(middle)) as { readonly _id?: unknown };
      const difference = Buffer.compare(encodeKey(row._id), bytes);
      if (difference === 0) return block.numberAt(middle);
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  /** Numbers that entries of an index between two keys hold, in the order of the entries. */
  *entries(low: Buffer, high: Buffer, reverse = false): Generator<{ readonly key: Buffer; readonly number: number }, void> {
    let edge = reverse ? high : low;
    for (;;) {
      const range = reverse ? { start: edge, end: low, reverse, inclusiveEnd: true, exclusiveStart: true } : { start: edge, end: high };
      const found = [...this.database.index.getRange({ ...range, limit: entriesAtOnce, ...this.transaction })];
      for (const { key, value } of found) yield { key, number: readNumber(value) };
      const last = found[found.length - 1];
      if (!last || found.length < entriesAtOnce) return;
      edge = reverse ? last.key : Buffer.concat([last.key, Buffer.of(0)]);
    }
  }
}

const entriesAtOnce = 512;
