import type { AnyBulkWriteOperation, Document } from 'mongodb';

import { keyText } from '../query/key-text.js';
import { valueAt } from '../query/path.js';
import type { Row } from '../../types.js';
import type { Connection } from './connection.js';
import { listIndexes, uniqueIndexes } from './index-list.js';
import type { Placing } from './ledger.js';
import { primary, readBatches } from './read.js';

/** Rows looked at together. */
const together = 1000;

/**
 * Rows of an upsert may swap the values of a unique index: in between, two rows would have the same. So those values are taken out
 * of the rows that are about to be replaced and will have others, and come back with the rows. Only a value that is still the old one
 * is taken out: where another process has replaced the row meanwhile, nothing happens to it.
 */
export async function park(connection: Connection, { from, collection }: Placing): Promise<void> {
  const doing = { what: `making way for the rows that are published to '${collection}'` };
  const paths = uniqueIndexes(await listIndexes(connection, collection)).flatMap(({ spec }) => spec.paths);
  const tops = [...new Set(paths.map(([top]) => top ?? ''))].filter((top) => top !== '_id');
  const projection = { _id: 1, ...Object.fromEntries(tops.map((top) => [top, 1])) };
  const staged = readBatches<Row & { readonly _id: unknown }>({
    connection,
    collection: from,
    doing,
    open: (db, own) =>
      db
        .collection(from, primary)
        .find<Row & { readonly _id: unknown }>({}, { projection, batchSize: together, promoteLongs: false, ...own }),
  });
  for await (const rows of staged) {
    const coming = new Map(rows.map((row) => [keyText(row._id), row]));
    const ids = rows.map(({ _id }) => _id) as never[];
    const there = await connection.run(doing, (db) =>
      db
        .collection(collection)
        .find({ _id: { $in: ids } }, { projection, promoteLongs: false, batchSize: ids.length + 1 })
        .toArray(),
    );
    const operations = there.flatMap((row) => parkRow(row, coming.get(keyText(row._id)), tops, paths));
    if (operations.length > 0)
      await connection.run(doing, (db) =>
        db.collection(collection).bulkWrite(operations, { ordered: false, bypassDocumentValidation: true }),
      );
  }
}

function parkRow(
  row: Document,
  coming: Row | undefined,
  tops: readonly string[],
  paths: readonly (readonly string[])[],
): AnyBulkWriteOperation[] {
  if (coming === undefined) return [];
  return tops.flatMap((top) => {
    const old = valueAt(row, [top]);
    if (keyText(old) === keyText(valueAt(coming, [top]))) return [];
    const same = old === undefined ? { [top]: { $exists: false } } : { $expr: { $eq: [`$${top}`, { $literal: old }] } };
    return { updateOne: { filter: { _id: row['_id'] as never, ...same }, update: { $set: { [top]: stand(row['_id'], top, paths) } } } };
  });
}

/** What no other row has at these paths. */
function stand(id: unknown, top: string, paths: readonly (readonly string[])[]): unknown {
  const place: Record<string, unknown> = {};
  for (const path of paths) if (path[0] === top) setAt(place, path, { millrace: id });
  return place[top];
}

function setAt(row: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) row[name] = value;
  else setAt((row[name] ??= {}) as Record<string, unknown>, rest, value);
}
