import type { Document } from 'mongodb';

import { idIndexName, indexKeys, keyDuplicate, keyOf, type IndexSpec } from '../index-spec.js';
import { order, orderOf } from '../query/compare.js';
import { keyText } from '../query/key-text.js';
import type { Index } from '../store.js';
import type { Row } from '../../types.js';
import type { Connection } from './connection.js';
import type { Doing } from './failure.js';
import { heldBy, listIndexes, uniqueIndexes, type ServerIndex } from './index-list.js';
import { primary, readBatches } from './read.js';

/** Rows whose keys are looked up together. */
const together = 1000;

/** The rows that have one of the keys under which an index holds these rows. */
export function sameKeys(rows: readonly Row[], spec: IndexSpec): Document {
  const [path] = Object.keys(spec.keys);
  const keys = rows.flatMap((row) => indexKeys(row, spec));
  if (spec.paths.length === 1 && path !== undefined && keys.every(([value]) => isPlain(value)))
    return { [path]: { $in: keys.map(([value]) => value ?? null) } };
  return { $or: keys.map((values) => Object.fromEntries(Object.keys(spec.keys).map((one, at) => [one, { $eq: values[at] ?? null }]))) };
}

/** Whether `$in` surely compares it: a regular expression is a pattern to it, and not every server looks into documents and fractions there. */
export function isPlain(value: unknown): boolean {
  const kind = orderOf(value);
  if (kind === order.number) return Number.isInteger(Number(value));
  return kind !== order.regExp && kind !== order.object && kind !== order.array;
}

/** The unique index that a row breaks with what its collection holds; undefined where it breaks none any more. */
export async function findViolated(connection: Connection, collection: string, row: Row): Promise<Index | undefined> {
  const indexes = await listIndexes(connection, collection);
  for (const { index, spec } of uniqueIndexes(indexes)) {
    const filter = { $and: [heldBy(index), sameKeys([row], spec)] };
    const found = await connection.run({ what: `looking up a key in '${collection}'` }, (db) =>
      db.collection(collection).findOne(filter, collated(index)),
    );
    if (found !== null) return spec;
  }
  return undefined;
}

interface Merge {
  readonly connection: Connection;
  /** Rows with the `_id` that they will have in the target. */
  readonly staging: string;
  readonly target: string;
  readonly indexes: readonly ServerIndex[];
  /** A staged row takes the place of the target's row of the same `_id`. */
  readonly replaces: boolean;
  /** Every `_id` was made for its row: no other row has it. */
  readonly freshIds: boolean;
}

/**
 * Makes sure that staged rows can be merged into a target without breaking one of its unique indexes.
 *
 * @throws MillraceError `KEY_DUPLICATE`.
 */
export async function checkMerge(merge: Merge): Promise<void> {
  for (const { index, spec } of uniqueIndexes(merge.indexes)) {
    if (index.name === idIndexName && (merge.replaces || merge.freshIds)) continue;
    await checkIndex(merge, index, spec);
  }
}

async function checkIndex(merge: Merge, index: ServerIndex, spec: IndexSpec): Promise<void> {
  const { connection, staging, target } = merge;
  const doing: Doing = { what: `checking the unique index '${index.name}' of '${target}'` };
  const projection = { _id: 1, ...Object.fromEntries(Object.keys(spec.keys).map((path) => [path, 1])) };
  const staged = readBatches<Row>({
    connection,
    collection: staging,
    doing,
    open: (db, own) =>
      db.collection(staging, primary).find(heldBy(index), { projection, batchSize: together, promoteLongs: false, ...own }),
  });
  for await (const rows of staged) {
    const filter = { $and: [heldBy(index), sameKeys(rows, spec)] };
    const held = await connection.run(doing, (db) =>
      db
        .collection(target)
        .find(filter, { projection, batchSize: together + 1, promoteLongs: false, ...collated(index) })
        .toArray(),
    );
    const [conflict] = merge.replaces ? await notReplaced(merge, held, doing) : held;
    if (conflict !== undefined) throw keyDuplicate(target, index.name, keyOf(conflict, spec.keys));
  }
}

/** Rows of the target that stay. */
async function notReplaced({ connection, staging }: Merge, held: readonly Document[], doing: Doing): Promise<readonly Document[]> {
  if (held.length === 0) return [];
  const ids = held.map(({ _id }) => _id as unknown);
  const replaced = await connection.run(doing, (db) =>
    db
      .collection(staging)
      .find({ _id: { $in: ids as never[] } }, { projection: { _id: 1 }, promoteLongs: false, batchSize: ids.length + 1 })
      .toArray(),
  );
  const gone = new Set(replaced.map(({ _id }) => keyText(_id)));
  return held.filter(({ _id }) => !gone.has(keyText(_id)));
}

function collated(index: ServerIndex): { readonly collation?: NonNullable<ServerIndex['collation']> } {
  return index.collation === undefined ? {} : { collation: index.collation };
}
