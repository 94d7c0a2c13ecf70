import type { Row } from '../../types.js';
import { idIndexName, keyDuplicate } from '../index-spec.js';
import { checkOwnership, upsertKey } from '../ownership.js';
import { compileFilter } from '../query/filter.js';
import type { StagedOutput } from '../store.js';
import { Block, readBlock, readRow, type PackedBlock } from './block.js';
import { findCollection, newCollection, newIndex, saveCollection, type CollectionRecord, type IndexRecord } from './catalog.js';
import type { Database } from './database.js';
import { discard, discardNumber } from './garbage.js';
import { encodeKey } from './key.js';
import type { StagedCollection } from './stage-record.js';
import { Table } from './table.js';
import { KeyTaken, TableWriter } from './table-writer.js';

/**
 * Puts what was staged for an output into place; only within a write transaction.
 *
 * @throws MillraceError `KEY_DUPLICATE`, `COLLECTION_NOT_OURS`.
 */
export function place(database: Database, output: StagedOutput, staged: StagedCollection | undefined): void {
  const { collection, mode } = output;
  const target = findCollection(database, collection);
  if (!staged && !target && output.sparse === true) return;
  if (staged && mode !== 'upsert') checkTwice(collection, staged);
  checkOwnership(output, target);
  try {
    if (mode === 'replace' || (mode === 'append' && !target)) replace(database, collection, staged, target);
    else if (mode === 'append') append(database, collection, staged, target as CollectionRecord);
    else upsert(database, output, staged, target);
  } catch (error) {
    throw error instanceof KeyTaken ? keyDuplicate(collection, error.index, error.key, error) : error;
  }
}

/**
 * Removes the rows of a target that have a key which rows of a certain commit are to have; only within a write transaction.
 *
 * @param key - what the error of `place` said.
 */
export function makeRoom(database: Database, collection: string, key: object): void {
  const record = findCollection(database, collection);
  if (!record) return;
  const filter = Object.fromEntries(
    Object.entries(key).map(([path, value]) => [path, Array.isArray(value) ? { $in: value as unknown[] } : { $eq: value as unknown }]),
  );
  new TableWriter(database, collection, record).delete(compileFilter(filter));
  saveCollection(database, collection, record);
}

/** @throws MillraceError `KEY_DUPLICATE` where two staged rows have one `_id`. */
export function checkTwice(collection: string, { twice }: StagedCollection): void {
  if (twice !== undefined) throw keyDuplicate(collection, idIndexName, twice);
}

/** Whether putting rows in may meet a key that is taken: only then it need be tried out. */
export function mayConflict({ mode }: StagedOutput, staged: StagedCollection | undefined, target: CollectionRecord | undefined): boolean {
  return (
    staged !== undefined && mode !== 'replace' && target !== undefined && (staged.ownIds || target.indexes.some(({ unique }) => unique))
  );
}

/** The indexes of a target on the rows that shall replace its own; those that are there already are kept. In a write transaction. */
export function carryIndexes(database: Database, collection: string, staged: StagedCollection, target: CollectionRecord | undefined): void {
  const wanted = (target?.indexes ?? []).filter(({ hidden }) => !hidden);
  const present = staged.indexes;
  for (const index of present) if (!wanted.some((one) => isSame(one, index))) discardNumber(database, index.id);
  staged.indexes = present.filter((index) => wanted.some((one) => isSame(one, index)));
  const writer = new TableWriter(database, collection, staged);
  for (const index of wanted) if (!staged.indexes.some((one) => isSame(one, index))) writer.addIndex(newIndex(database, index));
}

function isSame(a: IndexRecord, b: IndexRecord): boolean {
  return a.name === b.name && a.unique === b.unique;
}

function replace(database: Database, collection: string, staged: StagedCollection | undefined, target: CollectionRecord | undefined): void {
  const fresh = staged ?? { ...newCollection(database), ownIds: false };
  carryIndexes(database, collection, fresh, target);
  if (target) discard(database, target);
  const { ownIds: _own, twice: _twice, ...record } = fresh;
  saveCollection(database, collection, { ...record, published: true });
}

/** Blocks go over as they are; rows are read only where indexes ask for them. */
function append(database: Database, collection: string, staged: StagedCollection | undefined, target: CollectionRecord): void {
  if (staged) {
    const writer = new TableWriter(database, collection, target);
    for (const { number, bytes } of new Table(database, staged).blocks())
      writer.append([pack(database, new Block(number, bytes), bytes, staged)]);
    discard(database, staged);
  }
  saveCollection(database, collection, { ...target, published: true });
}

function pack({ bson }: Database, block: Block, bytes: Buffer, staged: StagedCollection): PackedBlock {
  const idAt = (place: number): Buffer => encodeKey((readRow(bson, block.document(place)) as { readonly _id?: unknown })._id);
  const { rows } = block;
  const ids =
    staged.loose === 0 ? { first: idAt(0), last: idAt(rows - 1) } : { all: Array.from({ length: rows }, (_, place) => idAt(place)) };
  return { bytes, rows, ids };
}

/** Bytes of rows that are merged in one go: many, so that a block of the target is written once for many of its rows. */
const atOnce = 4 << 20;

function upsert(
  database: Database,
  output: StagedOutput,
  staged: StagedCollection | undefined,
  target: CollectionRecord | undefined,
): void {
  const { collection } = output;
  const key = upsertKey(output);
  const record = target ?? newCollection(database);
  if (staged) {
    const writer = new TableWriter(database, collection, record);
    let batch: Row[] = [];
    let size = 0;
    for (const { bytes } of new Table(database, staged).blocks()) {
      batch.push(...readBlock(database.bson, bytes));
      size += bytes.length;
      if (size < atOnce) continue;
      writer.upsert(key, batch);
      batch = [];
      size = 0;
    }
    if (batch.length > 0) writer.upsert(key, batch);
    discard(database, staged);
  }
  saveCollection(database, collection, { ...record, published: true });
}
