import { randomUUID } from 'node:crypto';

import type { Document } from 'mongodb';

import type { Filter, Query, Row } from '../types.js';
import { checkRow, loadBson, sayInserted, soundRows, withId } from './ids.js';
import { findSame, idIndexName, keyDuplicate, parseIndex } from './index-spec.js';
import { checkFilter, checkKey, checkName, inChunks, ownPrefix } from './input.js';
import { parseAddress } from './mongo/address.js';
import { Connection } from './mongo/connection.js';
import { upsertRows } from './mongo/direct-upsert.js';
import { isUnreachable, type Doing } from './mongo/failure.js';
import { readSteadily } from './mongo/identity.js';
import { findTwice, listIndexes, toIndex } from './mongo/index-list.js';
import { Ledger } from './mongo/ledger.js';
import { Locks } from './mongo/lock.js';
import { checkReads } from './mongo/pipeline.js';
import { readingOrder } from './mongo/reading-order.js';
import type { Room } from './mongo/publish.js';
import { aggregateOptions, asNull, readBatches, readSize } from './mongo/read.js';
import { decideStage, endStage, recover, settleStage } from './mongo/recovery.js';
import { clarifyFilter, clarifyPipeline } from './mongo/refusal.js';
import { Registry } from './mongo/registry.js';
import { MongoStage } from './mongo/stage.js';
import { versionOf } from './mongo/version.js';
import { insertBatch } from './mongo/write.js';
import { openKnownPeer } from './peer.js';
import { sortedNames } from './query/key-text.js';
import { compileQuery } from './query/query.js';
import { createRows } from './rows.js';
import type { Index, Peer, Rows, Stage, StageOwner, Store } from './store.js';

/** What server and database a store is on, and how long it keeps what nobody claims. */
export interface MongoStoreOptions {
  /** `mongodb://host:port/database` or `mongodb+srv://…`, with whatever options the driver knows. */
  readonly url: string;
  /** Default: the URL's, else `millrace`. */
  readonly database?: string;
  /**
   * Milliseconds after which what a run has staged may be dropped where its process gives no sign of life. Default 30,000; it is
   * dropped at once where the process is known to have ended.
   */
  readonly lease?: number;
}

/** Rows sent at a time. */
const chunk = 2000;

/**
 * A store on a MongoDB server. The driver is loaded, and the server asked, by the first operation.
 *
 * @internal
 */
export class MongoStore implements Store, Peer {
  readonly url: string;
  readonly #connection: Connection;
  readonly #room: Room;
  readonly #stages = new Set<MongoStage>();
  #recovery: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor({ url, database, lease = 30_000 }: MongoStoreOptions) {
    const connection = new Connection(parseAddress(url, database));
    this.url = connection.address.url;
    this.#connection = connection;
    const ledger = new Ledger(connection, randomUUID(), lease);
    const locks: Locks = new Locks(connection, ledger, (record) => endStage(this.#room, record, openKnownPeer));
    this.#room = { connection, ledger, locks, registry: new Registry(connection) };
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the contract has it
  find<T = any>(collection: string, query: Query<NoInfer<T>> = {}): Rows<T> {
    const { filter = {}, projection, skip, limit } = query;
    const doing: Doing = { what: `reading '${collection}'`, refused: 'QUERY_INVALID' };
    const options = {
      ...asNull,
      batchSize: readSize,
      promoteLongs: false,
      ...(projection === undefined ? {} : { projection }),
      ...(skip === undefined ? {} : { skip }),
      ...(limit === undefined ? {} : { limit }),
    };
    return createRows<T>(async () => {
      await this.#ready(collection);
      compileQuery({ ...query, filter: {} }); // the filter's operators are the server's to judge
      const order = await readingOrder(this.#connection, collection, query, doing);
      return readBatches({
        connection: this.#connection,
        collection,
        doing,
        open: (db, own) => db.collection(collection).find<T & Document>(filter as Document, { ...options, ...order, ...own }),
        clarify: (error) => clarifyFilter(error, filter),
      });
    });
  }

  async count(collection: string, filter: Filter<unknown> = {}): Promise<number> {
    await this.#ready(collection);
    const doing: Doing = { what: `counting '${collection}'`, refused: 'QUERY_INVALID', reads: collection };
    const count = (): Promise<number> =>
      this.#connection.read(doing, (db) => db.collection(collection).countDocuments(filter as Document, asNull));
    const { result } = await this.#filtered(filter, () => readSteadily(this.#connection, collection, doing, count));
    return result;
  }

  async version(collection: string): Promise<string | undefined> {
    await this.#ready(collection);
    return versionOf(this.#connection, collection);
  }

  async insert(collection: string, rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    await this.#ready(collection);
    const { ObjectId } = await loadBson();
    let inserted = 0;
    for await (const batch of inChunks(rows, chunk)) {
      const { sound, refusal } = soundRows(collection, batch, inserted);
      const documents = sound.map((row) => withId(row, () => new ObjectId()));
      if (documents.length > 0) await insertBatch(this.#connection, { into: collection, named: collection }, documents, inserted);
      inserted += sound.length;
      if (refusal !== undefined) throw sayInserted(refusal, inserted);
    }
    return inserted;
  }

  async upsert(collection: string, key: readonly string[], rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    await this.#ready(collection);
    checkKey(collection, key);
    let taken = 0;
    for await (const batch of inChunks(rows, chunk)) {
      batch.forEach((row, at) => checkRow(collection, row, taken + at));
      await upsertRows({ connection: this.#connection, collection, key, rows: batch, taken });
      taken += batch.length;
    }
    return taken;
  }

  async delete(collection: string, filter: Filter<unknown>): Promise<number> {
    await this.#ready(collection);
    checkFilter(filter);
    const doing: Doing = { what: `deleting from '${collection}'`, refused: 'QUERY_INVALID' };
    const deleted = await this.#filtered(filter, () =>
      this.#connection.run(doing, (db) => db.collection(collection).deleteMany(filter as Document, asNull), 'long'),
    );
    return deleted.deletedCount;
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the contract has it
  aggregate<T = any>(collection: string, pipeline: readonly object[]): Rows<T> {
    const doing: Doing = { what: `aggregating '${collection}'`, refused: 'PIPELINE_INVALID' };
    return createRows<T>(async () => {
      await this.#ready(collection);
      checkReads(pipeline);
      return readBatches({
        connection: this.#connection,
        collection,
        doing,
        open: (db, own) =>
          db
            .collection(collection)
            .aggregate<T & Document>(pipeline as Document[], { ...aggregateOptions, batchSize: readSize, promoteLongs: false, ...own }),
        clarify: (error) => clarifyPipeline(error, pipeline),
      });
    });
  }

  async collections(): Promise<string[]> {
    await this.#ready();
    const found = await this.#connection.run({ what: 'listing collections' }, (db) => db.listCollections({}, { nameOnly: true }).toArray());
    return sortedNames(found.map(({ name }) => name).filter((name) => !name.startsWith(ownPrefix) && !name.startsWith('system.')));
  }

  async drop(collection: string): Promise<void> {
    await this.#ready(collection);
    await this.#connection.run({ what: `dropping '${collection}'` }, (db) => db.dropCollection(collection), 'long');
    await this.#room.registry.forget(collection);
  }

  async createIndex(
    collection: string,
    keys: Readonly<Record<string, 1 | -1>>,
    options: { readonly unique?: boolean } = {},
  ): Promise<string> {
    await this.#ready(collection);
    const spec = parseIndex(keys, options.unique ?? false);
    if (spec.name === '_id_1') return idIndexName;
    if (findSame(collection, spec, await this.indexes(collection))) return spec.name;
    const doing: Doing = { what: `building index '${spec.name}' of '${collection}'`, refused: 'QUERY_INVALID' };
    const index = { name: spec.name, key: { ...keys }, ...(spec.unique ? { unique: true } : {}) };
    try {
      await this.#connection.run(doing, (db) => db.collection(collection).createIndexes([index]), 'long');
    } catch (error) {
      const key = spec.unique && !isUnreachable(error) ? await findTwice(this.#connection, collection, index, spec, doing) : undefined;
      throw key === undefined ? error : keyDuplicate(collection, spec.name, key);
    }
    return spec.name;
  }

  async indexes(collection: string): Promise<readonly Index[]> {
    await this.#ready(collection);
    return (await listIndexes(this.#connection, collection)).flatMap((index) => toIndex(index) ?? []);
  }

  async stage(owner: StageOwner): Promise<Stage> {
    await this.#ready();
    const { ObjectId } = await loadBson();
    const record = await this.#room.ledger.open(owner);
    const stage: MongoStage = new MongoStage({
      room: this.#room,
      record,
      makeId: () => new ObjectId(),
      ended: (left) => {
        this.#stages.delete(stage);
        this.#room.ledger.forget(left ? record._id : undefined);
        if (left) this.#recovery = undefined; // the next operation sees to it
      },
    });
    this.#stages.add(stage);
    return stage;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  decide(stage: string): Promise<boolean> {
    return decideStage(this.#room, stage);
  }

  settle(stage: string, committed: boolean): Promise<void> {
    return settleStage(this.#room, stage, committed);
  }

  #filtered<R>(filter: object, work: () => Promise<R>): Promise<R> {
    return work().catch(async (error: unknown) => {
      throw await clarifyFilter(error, filter);
    });
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#stages].map((stage) => stage.abort()));
    this.#room.ledger.stop();
    await this.#connection.close();
  }

  /** The first operation finishes what earlier processes left. */
  async #ready(collection?: string): Promise<void> {
    this.#connection.check();
    if (collection !== undefined) checkName(collection);
    await (this.#recovery ??= recover(this.#room, openKnownPeer).catch((error: unknown) => {
      this.#recovery = undefined; // the next operation tries again
      throw error;
    }));
  }
}
