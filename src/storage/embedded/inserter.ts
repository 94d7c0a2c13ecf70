import type { Row } from '../../types.js';
import { checkRow, sayInserted, withId } from '../ids.js';
import { keyDuplicate } from '../index-spec.js';
import { Packer, type PackedBlock } from './block.js';
import { findCollection, newCollection, saveCollection } from './catalog.js';
import type { Database } from './database.js';
import { KeyTaken, TableWriter } from './table-writer.js';

/** Bytes of rows that go into one transaction of an insert: a transaction costs a flush of the disk. */
const most = 1 << 20;

/** Rows of one insert, in transactions of some size. */
export class Inserter {
  readonly #database: Database;
  readonly #collection: string;
  #packer: Packer;
  #rows: Row[] = [];
  #inserted = 0;

  constructor(database: Database, collection: string) {
    this.#database = database;
    this.#collection = collection;
    this.#packer = new Packer(database.bson, collection);
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) this.#add(row);
    if (this.#packer.bytes >= most) this.#flush();
  }

  finish(): number {
    this.#flush();
    return this.#inserted;
  }

  #add(row: Row): void {
    const index = this.#inserted + this.#rows.length;
    try {
      checkRow(this.#collection, row, index);
      const stored = withId(row, () => new this.#database.bson.ObjectId());
      this.#packer.add(stored, index);
      this.#rows.push(stored);
    } catch (error) {
      this.#flush(); // the rows before it go in
      throw sayInserted(error, this.#inserted);
    }
  }

  #flush(): void {
    const rows = this.#rows;
    const blocks = this.#packer.take();
    this.#rows = [];
    try {
      this.#append(blocks, rows);
    } catch (error) {
      if (!(error instanceof KeyTaken)) throw sayInserted(error, this.#inserted);
      const before = rows.slice(0, error.row);
      before.forEach((row, at) => this.#packer.add(row, at));
      this.#append(this.#packer.take(), before);
      throw sayInserted(keyDuplicate(this.#collection, error.index, error.key), this.#inserted);
    }
  }

  #append(blocks: readonly PackedBlock[], rows: readonly Row[]): void {
    if (rows.length === 0) return;
    this.#database.write(() => {
      const record = findCollection(this.#database, this.#collection) ?? newCollection(this.#database);
      new TableWriter(this.#database, this.#collection, record).append(blocks, rows);
      saveCollection(this.#database, this.#collection, record);
    });
    this.#inserted += rows.length;
  }
}
