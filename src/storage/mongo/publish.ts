import { placeFiles, removeFiles } from '../place-files.js';
import type { Superseded } from '../store.js';
import type { Connection } from './connection.js';
import type { Ledger, StageRecord } from './ledger.js';
import { persist } from './ledger.js';
import type { Locks } from './lock.js';
import { thisProcess } from './owner.js';
import { Blocked, placeOutput } from './place.js';
import type { Registry } from './registry.js';
import { dropStaged } from './staging.js';

/** Milliseconds during which a publish goes on trying where the server is out of reach. */
const patience = 30_000;

/** What a store works with when it publishes. */
export interface Room {
  readonly connection: Connection;
  readonly ledger: Ledger;
  readonly locks: Locks;
  readonly registry: Registry;
}

/**
 * Puts the outputs of a committed stage into place. Each step may be repeated, in this order: staging is gone before the locks are,
 * so whoever repeats it after the next run has published finds nothing to put into place.
 *
 * @returns the runs whose rows it replaced though they had published after it began.
 */
export async function publishOutputs(room: Room, record: StageRecord): Promise<readonly Superseded[]> {
  const superseded: Superseded[] = [];
  try {
    for (const placing of record.outputs) {
      await persist(patience, () => placeOutput(room.connection, placing));
      if (!(await persist(patience, () => room.ledger.isThere(record._id)))) return superseded; // others have done it all, however long ago
      superseded.push(...(await persist(patience, () => room.registry.note(placing, record))));
    }
  } catch (error) {
    if (error instanceof Blocked) await block(room, record);
    throw error;
  }
  await persist(patience, () => dropStaged(room.connection, record._id));
  await persist(patience, () => room.locks.release(record._id));
  return superseded;
}

/** Files are where they were written: a process of another machine leaves them to this one's next. */
export async function publishFiles({ files, owner }: StageRecord): Promise<boolean> {
  if (files.length > 0 && owner.host !== thisProcess().host) return false;
  await placeFiles(files);
  return true;
}

/** Drops a stage that will not be published; its record says so already. */
export async function dropStage({ connection, ledger, locks }: Room, { _id: id, held }: StageRecord): Promise<void> {
  await dropStaged(connection, id);
  await removeFiles(held);
  await locks.release(id);
  await ledger.remove(id);
}

async function block({ ledger, locks }: Room, { _id: id }: StageRecord): Promise<void> {
  try {
    await ledger.change(id, ['committed'], { state: 'blocked' });
    await locks.release(id);
  } catch {
    // whoever has the record by now, or finds it next, is kept from it too, and says so
  }
}
