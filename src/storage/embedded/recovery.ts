import { placeFiles, removeFiles } from '../place-files.js';
import type { Peer } from '../store.js';
import type { Database } from './database.js';
import { isDead } from './owner.js';
import { dropStage, publishStage } from './stage.js';
import { commits, findCommit, findStage, removeCommit, removeStage, stages, type CommitRecord, type StageRecord } from './stage-record.js';
import { discard } from './garbage.js';

/** Opens a store by its URL; undefined where it is gone, or cannot be opened from here. */
export type OpenPeer = (url: string) => Promise<(Peer & AsyncDisposable) | undefined>;

/**
 * Finishes what dead processes left: what they had committed is published, what they had not is dropped. Two that do it at once do no harm:
 * each step is a transaction that looks first.
 */
export async function recover(database: Database, openPeer: OpenPeer): Promise<void> {
  database.clearReaders();
  const [committed, staged] = database.read((snapshot) => [commits(database, snapshot), stages(database, snapshot)] as const);
  for (const [id, record] of committed) if (isDead(record.owner, record.lease)) await finishCommit(database, id, record, openPeer);
  for (const [id, record] of staged) if (isDead(record.owner, record.lease)) await endStage(database, id, record, openPeer);
}

async function finishCommit(database: Database, id: string, { files, participants }: CommitRecord, openPeer: OpenPeer): Promise<void> {
  await placeFiles(files);
  let open = 0;
  for (const { url, id: stage } of participants) {
    const settled = await withPeer(url, openPeer, (peer) => peer.settle(stage, true));
    if (settled === 'unreachable') open++;
  }
  if (open === 0) database.write(() => removeCommit(database, id)); // else the participant asks, or the next opener reaches it
}

async function endStage(database: Database, id: string, { coordinator }: StageRecord, openPeer: OpenPeer): Promise<void> {
  if (coordinator === undefined) return dropStage(database, id);
  let committed = false;
  const asked = await withPeer(coordinator, openPeer, async (peer) => void (committed = await peer.decide(id)));
  if (asked !== 'unreachable') await settleStage(database, id, committed);
}

/** As a participant. */
export function settleStage(database: Database, id: string, committed: boolean): Promise<void> {
  return committed ? publishStage(database, id) : dropStage(database, id);
}

/** As the coordinator. A stage that asks before the commit will never be committed: its record goes, and without it no commit can be. */
export async function decideStage(database: Database, id: string): Promise<boolean> {
  const { committed, files } = database.write(() => {
    if (findCommit(database, id)) return { committed: true, files: [] };
    const record = findStage(database, id);
    for (const staged of Object.values(record?.collections ?? {})) discard(database, staged);
    removeStage(database, id);
    return { committed: false, files: record?.files ?? [] };
  });
  await removeFiles(files);
  return committed;
}

/** A store that is gone has nothing left to ask or to publish; one that cannot be reached may come back. */
async function withPeer(url: string, openPeer: OpenPeer, ask: (peer: Peer) => Promise<void>): Promise<'asked' | 'gone' | 'unreachable'> {
  let peer: (Peer & AsyncDisposable) | undefined;
  try {
    peer = await openPeer(url);
    if (!peer) return 'gone';
    await ask(peer);
    return 'asked';
  } catch {
    return 'unreachable';
  } finally {
    await peer?.[Symbol.asyncDispose]();
  }
}
