import type { CollectionRecord } from './catalog.js';
import type { Database } from './database.js';
import { entryKey } from './table.js';

/** Entries removed in one transaction: short, so that others get to write. */
const atOnce = 500;

/** In a write transaction: rows and entries that nothing names any more, to be removed when there is time. */
export function discard(database: Database, record: Pick<CollectionRecord, 'id' | 'ids' | 'indexes'>): void {
  discardNumber(database, record.id);
  discardNumber(database, record.ids);
  for (const { id } of record.indexes) discardNumber(database, id);
}

/** In a write transaction. */
export function discardNumber(database: Database, id: number): void {
  database.records.put(`g/${id}`, 1);
}

/** Whether something waits to be removed. */
export function hasGarbage(database: Database): boolean {
  return database.read((transaction) => [...database.records.getKeys({ start: 'g/', end: 'g0', limit: 1, transaction })].length > 0);
}

/**
 * Removes a part of what was discarded. Whoever reads it still, does: its pages stay until the last such reader is done.
 *
 * @returns whether more is left.
 */
export function sweep(database: Database): boolean {
  return database.write(() => {
    const [key] = [...database.records.getKeys({ start: 'g/', end: 'g0', limit: 1 })];
    if (key === undefined) return false;
    const id = Number(key.slice(2));
    let left = atOnce;
    for (const entries of [database.rows, database.index]) {
      const range = { start: entryKey(id), end: entryKey(id + 1), limit: left };
      const keys = [...entries.getKeys(range)];
      for (const one of keys) entries.remove(one);
      left -= keys.length;
    }
    if (left > 0) database.records.remove(key);
    return true;
  });
}
