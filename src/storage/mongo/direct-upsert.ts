import type { AnyBulkWriteOperation } from 'mongodb';

import type { Row } from '../../types.js';
import { valueAt } from '../query/path.js';
import type { Connection } from './connection.js';
import { KeyMatch } from './upsert.js';
import { upsertBatch } from './write.js';

interface Upserting {
  readonly connection: Connection;
  readonly collection: string;
  readonly key: readonly string[];
  readonly rows: readonly Row[];
  /** How many rows of the call came before these. */
  readonly taken: number;
}

/** Replaces the rows of the same key, keeping their `_id`, or inserts; the server settles each row in one step. */
export async function upsertRows(upserting: Upserting): Promise<void> {
  const { connection, collection, key, rows, taken } = upserting;
  const operations = rows.some(hasId) && !key.includes('_id') ? await withIds(upserting) : rows.map((row) => replace(key, row));
  await upsertBatch(connection, collection, operations, taken);
}

function replace(key: readonly string[], row: Row): AnyBulkWriteOperation {
  const { _id, ...replacement } = row as { readonly _id?: unknown };
  const filter = Object.fromEntries(key.map((path) => [path, { $eq: valueAt(row, path.split('.')) ?? null }]));
  return { replaceOne: { filter, replacement, upsert: true } };
}

/** A row that brings an `_id` keeps it only where it is new, which the server cannot be told in one step. */
async function withIds({ connection, collection, key, rows }: Upserting): Promise<AnyBulkWriteOperation[]> {
  const match = new KeyMatch(connection, key, { what: `looking up keys in '${collection}'` });
  const there = await match.find(collection, rows);
  const operations: AnyBulkWriteOperation[] = [];
  for (const [text, row] of match.group(rows)) {
    if (!there.has(text) && hasId(row)) operations.push({ insertOne: { document: row } });
    else operations.push(replace(key, row));
  }
  return operations;
}

function hasId(row: Row): boolean {
  return (row as { readonly _id?: unknown })._id !== undefined;
}
