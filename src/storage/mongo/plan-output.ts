import { checkOwnership, upsertKey } from '../ownership.js';
import type { StagedOutput } from '../store.js';
import type { Row } from '../../types.js';
import type { Connection } from './connection.js';
import { buildIndexes, listIndexes, type ServerIndex } from './index-list.js';
import type { Placing } from './ledger.js';
import type { Room } from './publish.js';
import { primary, readBatches } from './read.js';
import { byId } from './reading-order.js';
import { checkRename, createCollection, describeTarget, type TargetInfo } from './target.js';
import { checkMerge } from './unique.js';
import { dropKeyIndex, resolveUpsert } from './upsert.js';

/** The rows staged for one collection. */
export interface Staged {
  readonly collection: string;
  /** The staging collection. */
  readonly name: string;
  /** Rows stand in `row` under numbers that count up: for an upsert the last of equal keys wins. */
  readonly numbered: boolean;
  rows: number;
  /** No row came with an `_id` of its own. */
  freshIds: boolean;
  /** Answers when the staging collection is there. */
  readonly made: Promise<void>;
}

interface Planning {
  readonly room: Room;
  readonly output: StagedOutput;
  /** Undefined where nothing was written. */
  readonly staged: Staged | undefined;
  /** Stages no rows, where nothing was written and the output is to become just that. */
  readonly makeRoom: () => Staged;
  /** The indexes of the target that its staging has already. */
  readonly built: readonly ServerIndex[];
}

/** Indexes take long on many rows: they are built before others are kept from publishing. */
export async function buildAhead(
  connection: Connection,
  output: StagedOutput,
  staged: Staged | undefined,
): Promise<readonly ServerIndex[]> {
  const indexes = await listIndexes(connection, output.collection);
  if (staged === undefined || staged.rows === 0) return [];
  await buildIndexes(connection, staged.name, output.collection, indexes);
  return indexes;
}

/**
 * Checks that the rows of an output can be published, and makes their staging collection such that one step of the server does it.
 *
 * @returns undefined where there is nothing to put into place.
 */
export async function planOutput({ room, output, staged, makeRoom, built }: Planning): Promise<Placing | undefined> {
  const { connection } = room;
  const { collection, mode } = output;
  const target = await describeTarget(connection, collection);
  const rows = staged?.rows ?? 0;
  if (rows === 0 && !target.exists && output.sparse === true) return undefined;
  await checkTaken(room, output, target);
  const from = staged ?? makeRoom();
  if (rows === 0 && target.exists && mode !== 'replace') return { collection, mode, from: from.name, how: 'merge' };
  if (mode === 'replace' || !target.exists) await checkRename(connection, collection);
  const indexes = await listIndexes(connection, collection);
  if (mode === 'upsert' && rows > 0) return planUpsert(connection, output, from, target, indexes);
  await from.made;
  if (rows === 0) await createCollection(connection, from.name, target.options);
  if (mode === 'replace') {
    if (!sameIndexes(indexes, built)) await buildIndexes(connection, from.name, collection, indexes);
    return { collection, mode, from: from.name, how: 'rename' };
  }
  if (!target.exists) return { collection, mode, from: from.name, how: 'found' };
  await buildUnique(connection, from.name, collection, indexes);
  await checkMerge({ connection, staging: from.name, target: collection, indexes, replaces: false, freshIds: from.freshIds });
  return { collection, mode, from: from.name, how: 'merge' };
}

async function planUpsert(
  connection: Connection,
  output: StagedOutput,
  staged: Staged,
  target: TargetInfo,
  indexes: readonly ServerIndex[],
): Promise<Placing> {
  const { collection, mode } = output;
  const into = `${staged.name}r`;
  if (Object.keys(target.options).length > 0) await createCollection(connection, into, target.options);
  const rows = readStaged(connection, staged);
  await resolveUpsert({ connection, key: upsertKey(output), rows, into, target: collection, targetExists: target.exists });
  if (!target.exists) {
    await dropKeyIndex(connection, into);
    return { collection, mode, from: into, how: 'found' };
  }
  await buildUnique(connection, into, collection, indexes);
  await checkMerge({ connection, staging: into, target: collection, indexes, replaces: true, freshIds: false });
  return { collection, mode, from: into, how: 'merge' };
}

/** In the order in which they were written, as far as they are numbered. */
async function* readStaged(connection: Connection, { name, numbered }: Staged): AsyncGenerator<readonly Row[]> {
  const batches = readBatches<Row>({
    connection,
    collection: name,
    doing: { what: 'reading the rows that an upsert has staged' },
    open: (db, own) => db.collection(name, primary).find({}, { batchSize: 1000, promoteLongs: false, ...(numbered ? byId : {}), ...own }),
  });
  if (!numbered) yield* batches;
  else for await (const batch of batches) yield batch.map((document) => (document as { readonly row: Row }).row);
}

async function buildUnique(connection: Connection, staging: string, collection: string, indexes: readonly ServerIndex[]): Promise<void> {
  await buildIndexes(
    connection,
    staging,
    collection,
    indexes.filter(({ unique }) => unique === true),
  );
}

async function checkTaken({ connection, registry }: Room, output: StagedOutput, { exists }: TargetInfo): Promise<void> {
  const { collection, mode, overwrite } = output;
  if (mode !== 'replace' || overwrite === true || !exists) return;
  if (await registry.isPublished(collection)) return;
  const rows = await connection.run({ what: `counting '${collection}'` }, (db) => db.collection(collection).countDocuments({}), 'long');
  checkOwnership(output, { rows, published: false });
}

function sameIndexes(a: readonly ServerIndex[], b: readonly ServerIndex[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
