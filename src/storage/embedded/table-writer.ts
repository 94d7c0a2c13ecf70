import type { Row } from '../../types.js';
import { replacing, withId } from '../ids.js';
import { idIndexName, indexKeys, keyDuplicate, keyOf, type IndexSpec } from '../index-spec.js';
import { Block, Packer, readBlock, readRow, serializeRow, type PackedBlock } from './block.js';
import { specOf, type CollectionRecord, type IndexRecord } from './catalog.js';
import type { Database } from './database.js';
import { after, encodeKey, encodeKeys } from './key.js';
import { entryKey, numberBytes, ofBlock, ofRow, readNumber, rowKey, Table } from './table.js';
import { rowFinder, lastOfEqual } from './upsert.js';

/** A key that another row has; `row` is the place among the rows given. */
export class KeyTaken extends Error {
  readonly collection: string;
  readonly index: string;
  readonly row: number;
  readonly key: object;
  constructor(collection: string, index: string, row: number, key: object) {
    super(`index ${index} of ${collection}`);
    this.collection = collection;
    this.index = index;
    this.row = row;
    this.key = key;
  }
}

/** What becomes of an `_id` that is there already. */
export type OnTaken = (taken: KeyTaken) => void;

/** Changes a collection; only within a write transaction. The record changes with it, and is the caller's to save. */
export class TableWriter extends Table {
  readonly #name: string;
  readonly #changed = new Set<Block>();

  constructor(database: Database, name: string, record: CollectionRecord) {
    super(database, record);
    this.#name = name;
  }

  /**
   * Adds blocks at the end.
   *
   * @param rows - the rows of the blocks, where they are at hand.
   * @param onTaken - may let an `_id` pass that is there already.
   * @throws KeyTaken
   */
  append(blocks: readonly PackedBlock[], rows?: readonly Row[], onTaken: OnTaken = fail): void {
    const { record } = this;
    let place = 0;
    for (const block of blocks) {
      const own = rows?.slice(place, place + block.rows);
      this.#addIds(block, place, onTaken);
      if (record.indexes.length > 0) this.#addToIndexes(own ?? readBlock(this.database.bson, block.bytes), place);
      this.database.rows.put(rowKey(record.id, record.next), block.bytes);
      record.next += block.rows;
      record.rows += block.rows;
      place += block.rows;
    }
  }

  /** Packs and adds rows that have an `_id`. */
  appendRows(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const packer = new Packer(this.database.bson, this.#name);
    rows.forEach((row, index) => packer.add(row, index));
    this.append(packer.take(), rows);
  }

  /** Replaces rows of the same key, keeping their `_id`; adds the others. Of equal keys in the batch the last one counts. */
  upsert(key: readonly string[], rows: readonly Row[]): void {
    const { find, index } = rowFinder(this, key);
    const fresh: Row[] = [];
    const changes: { readonly number: number; readonly row: Row; readonly place: number }[] = [];
    lastOfEqual(key, rows).forEach((row, place) => {
      const number = find(row);
      if (number === undefined) fresh.push(withId(row, () => new this.database.bson.ObjectId()));
      else changes.push({ number, row, place });
    });
    // In the order of the blocks each is written once; but of rows that pass a unique key on, the first must come first.
    if (!this.record.indexes.some(({ unique }) => unique)) changes.sort((a, b) => a.number - b.number);
    for (const { number, row, place } of changes) this.#replace(number, row, place, index);
    this.appendRows(fresh);
    this.flush();
  }

  /** @returns how many rows went. */
  delete(matches: (row: Row) => boolean, candidates?: Iterable<number>): number {
    let removed = 0;
    for (const number of candidates ?? this.#numbers()) if (this.#remove(number, matches)) removed++;
    this.flush();
    this.record.rows -= removed;
    return removed;
  }

  /** @throws MillraceError `KEY_DUPLICATE` where rows that are there break it. */
  addIndex(index: IndexRecord): void {
    const spec = specOf(index);
    for (const { number, bytes } of this.blocks()) {
      const block = new Block(number, bytes);
      readBlock(this.database.bson, bytes).forEach((row, place) => {
        try {
          this.#addEntries(index, spec, row, block.numberAt(place), place);
        } catch (error) {
          throw error instanceof KeyTaken ? keyDuplicate(this.#name, index.name, error.key) : error;
        }
      });
    }
    this.record.indexes.push(index);
  }

  /** Writes the blocks that rows were replaced in or removed from. */
  flush(): void {
    this.letGo();
  }

  protected override letGo(): void {
    for (const block of this.#changed) {
      const key = rowKey(this.record.id, block.number);
      if (block.rows === 0) this.database.rows.remove(key);
      else this.database.rows.put(key, block.toBytes());
    }
    this.#changed.clear();
    super.letGo();
  }

  *#numbers(): Generator<number, void> {
    for (const { number, bytes } of this.blocks()) yield* new Block(number, bytes).numbers();
  }

  #remove(number: number, matches: (row: Row) => boolean): boolean {
    const block = this.blockAt(number);
    const place = block?.placeOf(number) ?? -1;
    if (!block || place < 0) return false;
    const row = readRow(this.database.bson, block.document(place));
    if (!matches(row)) return false;
    this.#removeEntries(row, number);
    block.remove(place);
    this.#changed.add(block);
    return true;
  }

  /** @param found - the index that led to the row: it has the same keys for the new one. */
  #replace(number: number, row: Row, place: number, found: IndexRecord | undefined): void {
    const block = this.blockAt(number) as Block;
    const at = block.placeOf(number);
    const old = readRow(this.database.bson, block.document(at));
    const fresh = replacing(old, row);
    block.replace(at, serializeRow(this.database.bson, fresh, this.#name, place));
    this.#changed.add(block);
    for (const index of this.record.indexes) {
      if (index === found && index.hidden && !index.multikey) continue;
      const spec = specOf(index);
      const keys = new Set(entriesOf(index, spec, fresh).map((bytes) => bytes.toString('latin1')));
      for (const bytes of entriesOf(index, spec, old)) if (!keys.has(bytes.toString('latin1'))) this.#removeEntry(index, bytes, number);
      this.#addEntries(index, spec, fresh, number, place);
    }
  }

  /**
   * One entry for a block whose ids ascend and come after all others of that kind, if no row that has an entry of its own comes
   * between; else one for each row.
   */
  #addIds(block: PackedBlock, place: number, onTaken: OnTaken): void {
    const { index } = this.database;
    const { record } = this;
    if ('first' in block.ids) {
      const { first, last } = block.ids;
      const isAfter = record.last === '' || Buffer.compare(first, Buffer.from(record.last, 'hex')) > 0;
      if (isAfter && !this.#hasOwnEntry(first, last)) {
        index.put(entryKey(record.ids, ofBlock, first), numberBytes(record.next));
        record.last = last.toString('hex');
        return;
      }
    }
    const rows = readBlock(this.database.bson, block.bytes) as readonly { readonly _id?: unknown }[];
    const ids = 'all' in block.ids ? block.ids.all : rows.map(({ _id }) => encodeKey(_id));
    ids.forEach((id, at) => {
      if (this.findEncodedId(id) !== undefined) onTaken(new KeyTaken(this.#name, idIndexName, place + at, { _id: rows[at]?._id }));
      index.put(entryKey(record.ids, ofRow, id), numberBytes(record.next + at));
      record.loose++;
    });
  }

  #hasOwnEntry(first: Buffer, last: Buffer): boolean {
    const { ids, loose } = this.record;
    if (loose === 0) return false;
    const range = { start: entryKey(ids, ofRow, first), end: entryKey(ids, ofRow, last, Buffer.of(0)), limit: 1 };
    return [...this.database.index.getKeys(range)].length > 0;
  }

  #addToIndexes(rows: readonly Row[], place: number): void {
    for (const index of this.record.indexes) {
      const spec = specOf(index);
      rows.forEach((row, at) => this.#addEntries(index, spec, row, this.record.next + at, place + at));
    }
  }

  #addEntries(index: IndexRecord, spec: IndexSpec, row: Row, number: number, place: number): void {
    for (const bytes of entriesOf(index, spec, row)) {
      if (index.unique) {
        const holder = this.database.index.get(entryKey(index.id, bytes));
        if (holder && readNumber(holder) !== number) throw new KeyTaken(this.#name, index.name, place, keyOf(row, index.keys));
      }
      this.#addEntry(index, bytes, number);
    }
  }

  #removeEntries(row: Row, number: number): void {
    const { record } = this;
    const own = entryKey(record.ids, ofRow, encodeKey((row as { readonly _id?: unknown })._id));
    if (record.loose > 0 && this.database.index.get(own)) {
      this.database.index.remove(own);
      record.loose--;
    }
    for (const index of record.indexes) for (const bytes of entriesOf(index, specOf(index), row)) this.#removeEntry(index, bytes, number);
  }

  /**
   * An entry of a unique index is under its key; of others the number makes the key of several rows with one value different. A hidden
   * index has the first row of a value under the value alone, where an upsert finds it without searching.
   */
  #addEntry({ id, unique, hidden }: IndexRecord, bytes: Buffer, number: number): void {
    const { index } = this.database;
    const own = entryKey(id, bytes);
    if (hidden) {
      const holder = index.get(own);
      const first = holder && readNumber(holder);
      if (first === number) return;
      if (first !== undefined) index.put(entryKey(id, bytes, numberBytes(Math.max(first, number))), numberBytes(Math.max(first, number)));
      if (first === undefined || number < first) index.put(own, numberBytes(number));
    } else index.put(unique ? own : entryKey(id, bytes, numberBytes(number)), numberBytes(number));
  }

  #removeEntry({ id, unique, hidden }: IndexRecord, bytes: Buffer, number: number): void {
    const { index } = this.database;
    const own = entryKey(id, bytes);
    if (unique) index.remove(own);
    else if (!hidden || readNumber(index.get(own) ?? numberBytes(0)) !== number) index.remove(entryKey(id, bytes, numberBytes(number)));
    else {
      index.remove(own);
      const [next] = [...index.getRange({ start: own, end: after(own), limit: 1 })];
      if (!next) return;
      index.remove(next.key);
      index.put(own, next.value);
    }
  }
}

/** What an index has for a row, each once; notes in the index what it cannot be used for any more. */
function entriesOf(index: IndexRecord, spec: IndexSpec, row: Row): Buffer[] {
  const keys = indexKeys(row, spec);
  const encoded = keys.map((values) => encodeKeys(values, spec.directions));
  if (encoded.some(({ exact }) => !exact)) index.inexact = true;
  if (keys.length === 1) return encoded.map(({ bytes }) => bytes);
  index.multikey = true;
  return [...new Map(encoded.map(({ bytes }) => [bytes.toString('latin1'), bytes])).values()];
}

function fail(taken: KeyTaken): never {
  throw taken;
}
