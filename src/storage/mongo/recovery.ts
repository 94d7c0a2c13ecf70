import { withPeer, type OpenPeer } from '../peer.js';
import type { StageRecord } from './ledger.js';
import { dropStage, publishFiles, publishOutputs, type Room } from './publish.js';
import { sweepStaged } from './staging.js';

/** Finishes what processes committed that are gone, and drops what they staged besides. */
export async function recover(room: Room, openPeer: OpenPeer): Promise<void> {
  const records = await room.ledger.all();
  for (const record of records) if (room.ledger.isAbandoned(record)) await endStage(room, record, openPeer);
  await sweepStaged(room.connection, async () => (await room.ledger.all()).map(({ _id }) => _id));
}

/** Finishes or drops a stage whose owner is gone, unless someone else is faster. */
export async function endStage(room: Room, record: StageRecord, openPeer: OpenPeer): Promise<void> {
  if (record.state === 'blocked') return;
  const committed = record.state === 'committed' || (await isDecided(record, openPeer));
  if (committed === undefined) return; // the coordinator is out of reach: whoever comes next asks again
  const taken = await room.ledger.take(record, committed ? 'committed' : 'dropped');
  if (taken === undefined) return;
  await kept(room, record._id, () => (committed ? finishStage(room, taken, record, openPeer) : dropStage(room, taken)));
}

/** As the coordinator. A stage that asks before the commit will never be committed: its record goes, and without it no commit can be. */
export async function decideStage(room: Room, id: string): Promise<boolean> {
  for (;;) {
    const record = await room.ledger.find(id);
    if (record === undefined || record.state === 'dropped') return false;
    if (record.state === 'committed' || record.state === 'blocked') return true;
    const taken = await room.ledger.take(record, 'dropped');
    if (taken === undefined) continue; // it has changed meanwhile
    await kept(room, id, () => dropStage(room, taken));
    return false;
  }
}

/** As a participant. */
export async function settleStage(room: Room, id: string, committed: boolean): Promise<void> {
  const record = await room.ledger.find(id);
  if (record === undefined || record.state === 'dropped' || record.state === 'blocked') return;
  const taken = await room.ledger.take(record, committed ? 'committed' : 'dropped');
  if (taken === undefined) return settleStage(room, id, committed);
  await kept(room, id, async () => {
    if (!committed) return dropStage(room, taken);
    await publishOutputs(room, taken);
    await room.ledger.remove(id);
  });
}

/** What was taken over is this store's while it works on it. */
async function kept({ ledger }: Room, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    ledger.forget(id);
    throw error;
  }
  ledger.forget();
}

/** Whether a stage is to be published; undefined where nobody can tell yet. */
async function isDecided({ state, coordinator, _id }: StageRecord, openPeer: OpenPeer): Promise<boolean | undefined> {
  if (state !== 'prepared' || coordinator === undefined) return false;
  let committed = false;
  const asked = await withPeer(coordinator, openPeer, async (peer) => void (committed = await peer.decide(_id)));
  return asked === 'unreachable' ? undefined : committed;
}

async function finishStage(room: Room, record: StageRecord, { owner }: StageRecord, openPeer: OpenPeer): Promise<void> {
  await publishOutputs(room, record);
  let left = (await publishFiles({ ...record, owner })) ? 0 : 1;
  for (const { url, id } of record.participants) {
    if ((await withPeer(url, openPeer, (peer) => peer.settle(id, true))) === 'unreachable') left++;
  }
  if (left === 0) await room.ledger.remove(record._id); // else the next opener reaches it, or the participant asks
}
