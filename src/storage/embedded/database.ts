import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type * as Bson from 'bson';
import type * as Lmdb from 'lmdb';

import { MillraceError } from '../../errors.js';
import { makeFolders } from '../folder.js';
import { loadBson } from '../ids.js';
import { findDamage } from './damage.js';

/** A read transaction: what it sees does not change. */
export type Snapshot = Lmdb.Transaction;

/** Which entries of a database, and as of when. */
export interface Range<K> {
  readonly start?: K;
  readonly end?: K;
  readonly limit?: number;
  readonly reverse?: boolean;
  readonly exclusiveStart?: boolean;
  readonly inclusiveEnd?: boolean;
  readonly transaction?: Snapshot;
}

/** The part of an lmdb database that is used here. Within a transaction its writes happen at once, and answer nothing. */
export interface Entries<V, K> {
  get(key: K, options?: { readonly transaction?: Snapshot }): V | undefined;
  put(key: K, value: V): void;
  remove(key: K): void;
  getKeys(range: Range<K>): Iterable<K>;
  getRange(range: Range<K>): Iterable<{ readonly key: K; readonly value: V }>;
}

/** lmdb's `open` with what its types leave out. */
type Options = Lmdb.RootDatabaseOptionsWithPath & { readonly maxReaders: number };

/** Rows, index entries and records of one folder; shared by every store of this process that uses it. */
export class Database {
  readonly path: string;
  readonly bson: typeof Bson;
  /** Blocks of rows. */
  readonly rows: Entries<Buffer, Buffer>;
  readonly index: Entries<Buffer, Buffer>;
  /** The catalogue, stages, commits. */
  readonly records: Entries<unknown, string>;
  readonly #root: Lmdb.RootDatabase;
  #users = 0;

  private constructor(path: string, bson: typeof Bson, root: Lmdb.RootDatabase) {
    this.path = path;
    this.bson = bson;
    this.#root = root;
    this.rows = root.openDB({ name: 'rows', encoding: 'binary', keyEncoding: 'binary' });
    this.index = root.openDB({ name: 'index', encoding: 'binary', keyEncoding: 'binary' });
    this.records = root.openDB({ name: 'records', encoding: 'json' });
  }

  /** @throws MillraceError `STORE_UNAVAILABLE`, `STORE_DAMAGED`, `STORE_FULL`. */
  static async open(folder: string): Promise<Database> {
    const [bson, lmdb] = await Promise.all([loadBson(), import('lmdb')]);
    const path = makeFolder(folder);
    let found = open.get(path);
    if (!found) open.set(path, (found = openDatabase(path, bson, lmdb)));
    found.#users++;
    return found;
  }

  /** Makes a database of an open environment. */
  static of(path: string, bson: typeof Bson, root: Lmdb.RootDatabase): Database {
    return new Database(path, bson, root);
  }

  /** Closes the files when nobody uses them any more. */
  async close(): Promise<void> {
    if (--this.#users > 0) return;
    open.delete(this.path);
    await this.#root.close();
  }

  /** What the latest commit, of whatever process, left; end it with `done()`. */
  snapshot(): Snapshot {
    this.#root.resetReadTxn();
    try {
      return this.#root.useReadTransaction();
    } catch (error) {
      throw storageError(this.path, error);
    }
  }

  /** Reads the state of now. */
  read<T>(body: (snapshot: Snapshot) => T): T {
    const snapshot = this.snapshot();
    try {
      return body(snapshot);
    } catch (error) {
      throw storageError(this.path, error);
    } finally {
      snapshot.done();
    }
  }

  /** The same items; an error of the database comes as what it means. */
  *guard<T>(items: Iterable<T>): Generator<T, void> {
    try {
      yield* items;
    } catch (error) {
      throw storageError(this.path, error);
    }
  }

  /** All of it is durable when this returns, or nothing has happened. Waits for other writers. */
  write<T>(body: () => T): T {
    let failed: { readonly error: unknown } | undefined;
    try {
      return this.#root.transactionSync(() => {
        try {
          return body();
        } catch (error) {
          failed = { error };
          throw error;
        }
      });
    } catch (error) {
      throw storageError(this.path, failed ? failed.error : error);
    }
  }

  /** Does it, and undoes it: for what it would throw. */
  tryOut(body: () => void): void {
    const undo = new Error('undo');
    try {
      this.#root.transactionSync(() => {
        body();
        throw undo;
      });
    } catch (error) {
      if (error !== undo) throw storageError(this.path, error);
    }
  }

  /** Frees what dead processes were reading. */
  clearReaders(): void {
    this.#root.readerCheck();
  }
}

const open = new Map<string, Database>();

/** So many finds at once, over all processes. */
const maxReaders = 1024;

function makeFolder(folder: string): string {
  try {
    makeFolders(folder);
    if (!statSync(folder).isDirectory()) throw new Error('it is a file');
    return realpathSync(folder);
  } catch (error) {
    const isFile = ['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw unavailable(folder, isFile ? 'a file stands where its folder should be' : (error as Error).message, error);
  }
}

function openDatabase(path: string, bson: typeof Bson, lmdb: typeof Lmdb): Database {
  try {
    const fault = findDamage(join(path, 'data.mdb'));
    if (fault !== undefined) throw damaged(path, fault);
    const options: Options = { path, noSubdir: false, maxReaders, encoding: 'binary', noMemInit: false };
    return Database.of(path, bson, lmdb.open(options));
  } catch (error) {
    throw storageError(path, error, 'open');
  }
}

const codes = {
  corrupted: [-30796, -30797, -30793, -30794, -30795, -30779],
  full: [-30792, -30788, 28, 27, 122, 5],
  denied: [13, 1, 30, 21, 20, 2],
};

/** An error of lmdb or of its files as what it means to the user; other errors as they are. */
export function storageError(path: string, error: unknown, during: 'open' | 'use' = 'use'): unknown {
  if (error instanceof MillraceError || !(error instanceof Error)) return error;
  const code: unknown = (error as { code?: unknown }).code;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return unavailable(path, error.message, error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return storeFull(path, error);
  if (typeof code === 'number') {
    if (codes.corrupted.includes(code)) return damaged(path, error.message, error);
    if (during === 'open' && codes.denied.includes(code)) return unavailable(path, error.message, error);
    if (codes.full.includes(code)) return storeFull(path, error);
    return unavailable(path, `${error.message} (lmdb ${code})`, error);
  }
  if (error.name === 'BSONError' || /block of rows/.test(error.message)) return damaged(path, error.message, error);
  if (/closed database|database has been closed|Database is closed/.test(error.message)) return unavailable(path, 'it was closed', error);
  return error;
}

function unavailable(path: string, why: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'STORE_UNAVAILABLE',
    `embedded store ${path} cannot be used: ${why}. Give a folder that this process may write to.`,
    { cause },
  );
}

/** A short write is an I/O error to lmdb, so that one means a full disk too. */
function storeFull(path: string, cause: Error): MillraceError {
  return new MillraceError(
    'STORE_FULL',
    `embedded store ${path} could not write: ${cause.message}. The disk or a quota is full (or failing); nothing of this operation was kept. Free some space and run again.`,
    { cause },
  );
}

function damaged(path: string, why: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'STORE_DAMAGED',
    `embedded store ${path} is damaged: ${why}. Restore ${join(path, 'data.mdb')} from a backup, or move the folder away to begin with an empty store.`,
    cause === undefined ? {} : { cause },
  );
}
