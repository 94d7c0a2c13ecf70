import type { Row } from '../../types.js';
import { order, orderOf } from '../query/compare.js';
import { compileFilter } from '../query/filter.js';
import { keyText } from '../query/key-text.js';
import { valueAt } from '../query/path.js';
import { Block, readBlock } from './block.js';
import { newIndex, type CollectionRecord, type IndexRecord } from './catalog.js';
import { after, encodeKeys } from './key.js';
import { entryKey, readNumber, type Table } from './table.js';

/** A table that can be given an index. */
type IndexedTable = Table & { addIndex(index: IndexRecord): void };

/** Finds the row that has the key of another one. */
export interface RowFinder {
  find(row: Row): number | undefined;
  /** The index that leads to it, if one does. */
  readonly index: IndexRecord | undefined;
}

/**
 * How upserts find the row of a key: by `_id`, by an index that begins with the key, or by one that is made for it and kept (without
 * it every row would be looked for among all).
 */
export function rowFinder(table: IndexedTable, key: readonly string[]): RowFinder {
  if (key.length === 1 && key[0] === '_id')
    return { find: (row) => table.findId((row as { readonly _id?: unknown })._id), index: undefined };
  const index = indexOn(table.record, key) ?? makeIndex(table, key);
  const paths = Object.keys(index.keys).slice(0, key.length);
  const directions = Object.values(index.keys).slice(0, key.length);
  const parts = paths.map((path) => path.split('.'));
  const find = (row: Row): number | undefined => {
    const values = parts.map((path) => valueAt(row, path) ?? null);
    if (values.some((value) => orderOf(value) === order.array)) return scanFor(table, paths, values);
    const low = entryKey(index.id, encodeKeys(values, directions).bytes);
    return index.hidden ? firstAt(table, low) : leastOf(table, low);
  };
  return { find, index };
}

/** A hidden index has the first row of a value under the value alone. */
function firstAt(table: Table, key: Buffer): number | undefined {
  const found = table.database.index.get(key);
  return found && readNumber(found);
}

function leastOf(table: Table, low: Buffer): number | undefined {
  let least: number | undefined;
  for (const { number } of table.entries(low, after(low))) if (least === undefined || number < least) least = number;
  return least;
}

/** An index whose first properties are those of the key, in any order; a hidden one has no others. */
function indexOn(record: CollectionRecord, key: readonly string[]): IndexRecord | undefined {
  return record.indexes.find(({ keys, hidden }) => {
    const paths = Object.keys(keys);
    const first = paths.slice(0, key.length);
    return first.length === key.length && key.every((path) => first.includes(path)) && (!hidden || paths.length === key.length);
  });
}

function makeIndex(table: IndexedTable, key: readonly string[]): IndexRecord {
  const keys = Object.fromEntries(key.map((path) => [path, 1 as const]));
  const index = newIndex(table.database, { name: `_millrace_${key.join('_')}`, keys, unique: false }, true);
  table.addIndex(index);
  return index;
}

/** An index holds the elements of an array, not the array: such a key is looked for among all rows. */
function scanFor(table: Table, paths: readonly string[], values: readonly unknown[]): number | undefined {
  const same = compileFilter(Object.fromEntries(paths.map((path, at) => [path, { $eq: values[at] }])));
  for (const { number, bytes } of table.blocks()) {
    const place = readBlock(table.database.bson, bytes).findIndex(same);
    if (place >= 0) return new Block(number, bytes).numberAt(place);
  }
  return undefined;
}

/** Of rows with one key the last, in the place and with the `_id` of the first. */
export function lastOfEqual(key: readonly string[], rows: readonly Row[]): readonly Row[] {
  const paths = key.map((path) => path.split('.'));
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const text = paths.map((path) => measured(keyText(valueAt(row, path)))).join('');
    const first = byKey.get(text);
    byKey.set(text, first ? keepingId(first, row) : row);
  }
  return byKey.size === rows.length ? rows : [...byKey.values()];
}

/** With its length, so that no value can be taken for the end of another. */
function measured(text: string): string {
  return `${text.length}:${text}`;
}

function keepingId(first: Row, row: Row): Row {
  const { _id: _own, ...fields } = row as { readonly _id?: unknown };
  const id = (first as { readonly _id?: unknown })._id;
  return id === undefined ? fields : { _id: id, ...fields };
}
