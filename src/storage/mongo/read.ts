import type { AbstractCursor, ClientSession, Db } from 'mongodb';

import type { Connection, ReadSession } from './connection.js';
import { codeOf, replaced, server, type Doing } from './failure.js';
import { identityOf, readSteadily } from './identity.js';

/** Rows asked for at a time: beyond this the server is not faster, and memory grows. */
export const readSize = 2000;

/** In a filter `undefined` is null, as on the other stores: a condition that is left out would take every row. */
export const asNull = { ignoreUndefined: false } as const;
export const aggregateOptions = { ...asNull, allowDiskUse: true } as const;

/** For rows of our own, whatever the URL says. */
export const primary = { readPreference: 'primary' } as const;

export interface Reading<T> {
  readonly connection: Connection;
  readonly collection: string;
  readonly doing: Doing;
  open(db: Db, options: CursorOptions): AbstractCursor<T>;
  /** Says more of what the server refused. */
  clarify?(error: unknown): Promise<unknown>;
}

/** What every cursor is opened with. */
export interface CursorOptions {
  readonly session: ClientSession;
  readonly signal: AbortSignal;
}

interface Opened<T> {
  readonly cursor: AbstractCursor<T>;
  readonly first: readonly T[] | undefined;
}

/** Milliseconds during which rows may be given before it is seen that they are still those of the collection that was opened. */
const checkAfter = 500;

/**
 * The rows of a cursor, in the batches in which they come; the next batch is on its way while one is worked on. Where the collection is
 * replaced meanwhile, all rows are those of the old one, or it fails before it ends.
 */
export async function* readBatches<T>(reading: Reading<T>): AsyncGenerator<readonly T[], void> {
  const { connection, collection, doing } = reading;
  const stop = new AbortController();
  const cursors: AbstractCursor<T>[] = [];
  let opened: ReadSession | undefined;
  let identity: string | undefined;
  let rows = 0;
  let ended = false;
  /** When the collection was last seen to be the same; undefined while nothing has come since. */
  let unchecked: number | undefined;
  const checkSame = async (age: number): Promise<void> => {
    if (identity === undefined || unchecked === undefined || performance.now() - unchecked < age) return;
    unchecked = undefined;
    if ((await identityOf(connection, collection, doing)) !== identity) throw replaced(collection, rows);
  };
  try {
    const { db, session } = (opened = await connection.openSession(doing));
    const options = { session, signal: stop.signal };
    const steady = await readSteadily(connection, collection, doing, () => openCursor(reading.open(db, options), cursors));
    identity = steady.identity;
    const { cursor, first } = steady.result;
    let batch = first;
    while (batch !== undefined) {
      const hasMore = cursor.id !== undefined && !cursor.id.isZero();
      const next = hasMore ? take(cursor) : Promise.resolve(undefined);
      next.catch(() => undefined); // met when it is its turn
      await checkSame(checkAfter);
      rows += batch.length;
      yield batch;
      batch = await next;
      if (hasMore) unchecked ??= performance.now();
    }
    await checkSame(0);
    ended = true;
  } catch (error) {
    ended = true;
    throw await explain(error, reading, identity, rows);
  } finally {
    stop.abort();
    for (const cursor of cursors) await cursor.close().catch(() => undefined); // the server forgets it in time
    await opened?.end();
    if (!ended) await checkSame(0); // whoever stops early has rows too
  }
}

async function openCursor<T>(cursor: AbstractCursor<T>, cursors: AbstractCursor<T>[]): Promise<Opened<T>> {
  cursors.push(cursor);
  return { cursor, first: await take(cursor) };
}

/** What is there of the next batch; undefined at the end. */
async function take<T>(cursor: AbstractCursor<T>): Promise<readonly T[] | undefined> {
  return (await cursor.hasNext()) ? cursor.readBufferedDocuments() : undefined;
}

async function explain<T>(error: unknown, reading: Reading<T>, identity: string | undefined, rows: number): Promise<unknown> {
  const { connection, collection, doing } = reading;
  const code = codeOf(error);
  if (code === server.queryPlanKilled) return replaced(collection, rows, error);
  if (code === server.cursorNotFound && identity !== undefined) {
    const now = await identityOf(connection, collection, doing).catch(() => identity);
    if (now !== identity) return replaced(collection, rows, error);
  }
  const failure = connection.failure(error, doing);
  return reading.clarify === undefined ? failure : reading.clarify(failure);
}
