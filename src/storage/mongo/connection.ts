import type { ClientSession, Db, Document, MongoClient, MongoClientOptions } from 'mongodb';

import { MillraceError } from '../../errors.js';
import { maskUrl } from '../../mask.js';
import { storeClosed } from '../ownership.js';
import type { Address } from './address.js';
import { isLost, toFailure, type Doing } from './failure.js';

/** Milliseconds, where the URL does not say. */
const selection = 5000;
/** How long a client that is closed may take to say so to its server. */
const farewell = 5000;
/** After which a short operation counts as not answered. */
const quick = 30_000;
/** The same for one that may take long: an aggregation, an index, a rename, a merge. */
const slow = 600_000;

/** What the clocks said at one moment, in milliseconds. */
interface Clock {
  readonly server: number;
  /** Of this process: it stands still while the machine sleeps. */
  readonly steady: number;
  /** It does not, but may be set. */
  readonly wall: number;
}
/** What the two clocks of this process may differ by before the server is asked for the time again. */
const drift = 1000;

/** A server forgets a session, and the cursors in it, after half an hour without a sign of life: longer than one may work on a batch. */
export interface ReadSession {
  /** Reads as the URL says. */
  readonly db: Db;
  readonly session: ClientSession;
  end(): Promise<void>;
}
/** Milliseconds between signs of life. */
const keepEvery = 300_000;

interface Opened {
  readonly client: MongoClient;
  /** Reads the primary, whatever the URL says: what is decided on is never a moment old. */
  readonly db: Db;
  /** Reads as the URL says. */
  readonly reading: Db;
  /** A read sees a collection as it is, or is told that it is gone: so MongoDB itself. */
  readonly isExact: boolean;
  /** Reached through `mongos`. */
  readonly isSharded: boolean;
}

/** One lazily connected client. Whatever the driver throws leaves here as an error that names host and operation. */
export class Connection {
  readonly address: Address;
  readonly #quick: number;
  readonly #retired = new Set<MongoClient>();
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;
  #clock: Clock | undefined;
  #closed: Promise<void> | undefined;

  constructor(address: Address) {
    this.address = address;
    const socket = Number(address.options.get('sockettimeoutms') ?? 0);
    this.#quick = socket > 0 ? socket : quick;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Does something on the database; an answer that takes too long is a failure. */
  async run<T>(doing: Doing, work: (db: Db) => Promise<T>, takes: 'short' | 'long' = 'short'): Promise<T> {
    this.check();
    try {
      const { db } = await this.#ready();
      return await (takes === 'long' ? work(db) : within(this.#quick, work(db)));
    } catch (error) {
      if (this.isClosed && !(error instanceof MillraceError)) throw storeClosed(this.address.url);
      if (isLost(error)) this.#retire();
      throw toFailure(error, doing, this.address);
    }
  }

  /** Reads what a user asked for, from where the URL says. */
  async read<T>(doing: Doing, work: (db: Db) => Promise<T>): Promise<T> {
    return this.run(doing, async () => work((await this.#open()).reading), 'long');
  }

  /** For what streams; its errors go through `failure`. */
  async openSession(doing: Doing): Promise<ReadSession> {
    return this.run(doing, async () => {
      const { client, reading } = await this.#open();
      const session = client.startSession({ causalConsistency: false });
      const keep = setInterval(() => {
        client
          .db('admin')
          .command({ refreshSessions: [session.id] })
          .catch(() => undefined); // the next read tells
      }, keepEvery).unref();
      return {
        db: reading,
        session,
        async end() {
          clearInterval(keep);
          await session.endSession().catch(() => undefined); // the server forgets it in time
        },
      };
    });
  }

  failure(error: unknown, doing: Doing): unknown {
    return this.isClosed ? storeClosed(this.address.url) : toFailure(error, doing, this.address);
  }

  /** The server's time: what leases are told by. Only once something has been done. */
  now(): number {
    return this.#clock === undefined ? Date.now() : this.#clock.server + performance.now() - this.#clock.steady;
  }

  /** Whether a read needs no help to notice that its collection is replaced under it. Only once something has been done. */
  get isExact(): boolean {
    return this.#opened?.isExact ?? false;
  }

  /** Whether collections may be spread over several servers. Only once something has been done. */
  get isSharded(): boolean {
    return this.#opened?.isSharded ?? false;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  /** @throws MillraceError `STORE_UNAVAILABLE` after `close`. */
  check(): void {
    if (this.isClosed) throw storeClosed(this.address.url);
  }

  async #ready(): Promise<Opened> {
    const opened = await this.#open();
    if (this.#clock !== undefined && Math.abs(Date.now() - this.#clock.wall - (performance.now() - this.#clock.steady)) > drift)
      await this.#readClock(opened.db); // the machine has slept, or its clock was set
    return opened;
  }

  /** The server's time, taken to be that of the middle between question and answer. */
  async #readClock(db: Db): Promise<Document> {
    const asked = performance.now();
    const hello = await within(this.#quick, db.command({ hello: 1 }));
    const steady = performance.now();
    const { localTime } = hello as { readonly localTime?: unknown };
    const wall = Date.now();
    this.#clock = { server: (localTime instanceof Date ? localTime.getTime() : wall) + (steady - asked) / 2, steady, wall };
    return hello;
  }

  #open(): Promise<Opened> {
    return (this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined; // the next operation tries again
      throw error;
    }));
  }

  /**
   * A client that finds no server may never find one again, even when it is back: where a connection broke at the wrong moment, what
   * watches the server waits for ever. So the next operation has a client of its own; what still runs on the old one may end.
   */
  #retire(): void {
    const client = this.#opened?.client;
    if (client === undefined || this.#retired.has(client)) return;
    this.#opening = undefined;
    this.#retired.add(client);
    setTimeout(() => {
      this.#retired.delete(client);
      client.close().catch(() => undefined); // it has no server to tell
    }, this.#quick).unref();
  }

  async #connect(): Promise<Opened> {
    const { MongoClient } = await import('mongodb');
    const client = create(() => new MongoClient(this.address.connection, this.#options()), this.address);
    try {
      await client.connect();
      const { database } = this.address;
      const [db, reading] = [client.db(database, { readPreference: 'primary' }), client.db(database)];
      const { msg } = await this.#readClock(db);
      const { storageEngines } = await within(this.#quick, db.command({ buildInfo: 1 }));
      const isExact = Array.isArray(storageEngines) && storageEngines.includes('wiredTiger');
      return (this.#opened = { client, db, reading, isExact, isSharded: msg === 'isdbgrid' });
    } catch (error) {
      await client.close().catch(() => undefined); // the error that matters is the first
      throw error;
    }
  }

  #options(): MongoClientOptions {
    const given = this.address.options;
    const defaults = { serverSelectionTimeoutMS: selection, socketTimeoutMS: slow, appName: 'millrace' };
    const unset = Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()));
    return { ...Object.fromEntries(unset), ignoreUndefined: true };
  }

  async #close(): Promise<void> {
    const opening = this.#opening;
    for (const client of this.#retired) client.close().catch(() => undefined);
    if (opening === undefined) return;
    await opening.then(
      ({ client }) => within(farewell, client.close()).catch(() => undefined), // a server that is gone need not be told
      () => undefined,
    );
  }
}

/** The driver's own message shows the URL, and its stack too: neither is passed on. */
function create(make: () => MongoClient, address: Address): MongoClient {
  try {
    return make();
  } catch (error) {
    throw new MillraceError('CONFIG_INVALID', `the MongoDB URL of ${address.url} is not accepted: ${maskUrl((error as Error).message)}`);
  }
}

/** Rejects when the answer takes longer; what was asked goes on, and its outcome is nobody's. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error(`no answer for ${String(ms / 1000)} s`), { name: 'MongoNetworkError' }));
    }, ms);
  });
  work.catch(() => undefined); // it may fail after its time is up
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
