import type { Index } from '../store.js';
import { toSpec, type IndexSpec } from '../index-spec.js';
import type { Database, Snapshot } from './database.js';

/** What the catalogue says of a collection. Its name is in the key, so that another one can take the name at once. */
export interface CollectionRecord {
  /** Number of the rows' blocks. */
  id: number;
  /** Number of the index on `_id`. */
  ids: number;
  rows: number;
  /** How often it was changed. */
  changes: number;
  /** Number of the next row. */
  next: number;
  /** A run has published to it. */
  published: boolean;
  /** The greatest `_id` of the blocks whose ids ascend, encoded, in hex; empty where there is none. */
  last: string;
  /** Rows that have an entry of their own in the index on `_id`: those of the other blocks. */
  loose: number;
  indexes: IndexRecord[];
}

export interface IndexRecord extends Index {
  readonly id: number;
  /** Made for upserts, not by a user. */
  readonly hidden: boolean;
  /** Some row has several entries: it goes through an array. */
  multikey: boolean;
  /** Some entries are not in the exact order of their values. */
  inexact: boolean;
}

const nextId = 'n';

/** In a write transaction: a number that was never used. */
export function newId(database: Database): number {
  const id = ((database.records.get(nextId) as number | undefined) ?? 0) + 1;
  database.records.put(nextId, id);
  return id;
}

/** In a write transaction. */
export function newCollection(database: Database): CollectionRecord {
  return { id: newId(database), ids: newId(database), rows: 0, changes: 0, next: 0, published: false, last: '', loose: 0, indexes: [] };
}

/** In a write transaction. */
export function newIndex(database: Database, index: Index, hidden = false): IndexRecord {
  const { name, keys, unique } = index;
  return { id: newId(database), name, keys, unique, hidden, multikey: false, inexact: false };
}

const specs = new WeakMap<IndexRecord, IndexSpec>();

/** An index with its keys taken apart, once. */
export function specOf(index: IndexRecord): IndexSpec {
  let spec = specs.get(index);
  if (!spec) specs.set(index, (spec = toSpec(index)));
  return spec;
}

/** The record of a collection; undefined where there is none. */
export function findCollection(database: Database, name: string, transaction?: Snapshot): CollectionRecord | undefined {
  return database.records.get(`c/${name}`, options(transaction)) as CollectionRecord | undefined;
}

/** In a write transaction. */
export function saveCollection(database: Database, name: string, record: CollectionRecord): void {
  database.records.put(`c/${name}`, { ...record, changes: record.changes + 1 });
}

/** In a write transaction: forgets the collection; its rows are dropped later. */
export function removeCollection(database: Database, name: string): void {
  database.records.remove(`c/${name}`);
}

/** Names of all collections, Millrace's own too. */
export function collectionNames(database: Database, transaction: Snapshot): string[] {
  return [...database.records.getKeys({ start: 'c/', end: 'c0', transaction })].map((key) => key.slice(2));
}

function options(transaction: Snapshot | undefined): { transaction?: Snapshot } {
  return transaction ? { transaction } : {};
}
