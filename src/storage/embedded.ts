import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Filter, Query, Row } from '../types.js';
import { checkPipeline, runPipeline } from './aggregate.js';
import { compileFind } from './aggregate/compile.js';
import { inPipeline, leadingQuery } from './aggregate/leading-query.js';
import { collectionNames, findCollection, newCollection, newIndex, removeCollection, saveCollection, specOf } from './embedded/catalog.js';
import { Database } from './embedded/database.js';
import { discard, hasGarbage } from './embedded/garbage.js';
import { Inserter } from './embedded/inserter.js';
import { leaseTime, thisProcess } from './embedded/owner.js';
import { choosePlan, type Plan } from './embedded/plan.js';
import { Readings } from './embedded/readings.js';
import { decideStage, recover, settleStage } from './embedded/recovery.js';
import { findNumbers, findRows } from './embedded/source.js';
import { EmbeddedStage, type StageHome } from './embedded/stage.js';
import { findStage } from './embedded/stage-record.js';
import { Sweeper } from './embedded/sweeper.js';
import { Table } from './embedded/table.js';
import { KeyTaken, TableWriter } from './embedded/table-writer.js';
import { MillraceError } from '../errors.js';
import { checkRow, sayInserted } from './ids.js';
import { findSame, idIndexName, keyDuplicate, parseIndex } from './index-spec.js';
import { checkFilter, checkKey, checkName, inChunks, ownPrefix } from './input.js';
import { storeClosed } from './ownership.js';
import { openKnownPeer, type OpenPeer } from './peer.js';
import { sortedNames } from './query/key-text.js';
import { runQuery, type CompiledQuery } from './query/query.js';
import { createRows } from './rows.js';
import type { Index, Peer, Rows, Stage, StageOwner, Store } from './store.js';

const scheme = 'embedded:';
const chunk = 1000;

/**
 * A database in a folder, with what tests and other stores ask of it.
 *
 * @internal Kept out of the declarations: they would lead users to those of lmdb, which do not compile for them.
 */
export class EmbeddedStore implements Store, Peer {
  readonly url: string;
  readonly #folder: string;
  #opening: Promise<Database> | undefined;
  #recovering: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #readings = new Readings();
  readonly #stages = new Set<EmbeddedStage>();
  #renewal: NodeJS.Timeout | undefined;
  readonly #sweeper = new Sweeper();

  /** @param folder - an absolute path. */
  constructor(folder: string) {
    this.#folder = folder;
    this.url = scheme + folder;
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the contract has it
  find<T = any>(collection: string, query?: Query<NoInfer<T>>): Rows<T> {
    return createRows(() =>
      this.#use(
        collection,
        async (database) => this.#read(database, collection, await compileFind(query as Query<object>)) as Iterable<readonly T[]>,
      ),
    );
  }

  count(collection: string, filter?: Filter<unknown>): Promise<number> {
    return this.#use(collection, async (database) => {
      if (filter === undefined || Object.keys(filter).length === 0) {
        return database.read((snapshot) => findCollection(database, collection, snapshot)?.rows ?? 0);
      }
      let rows = 0;
      for await (const batch of createRows(async () => this.#read(database, collection, await compileFind({ filter }))).batches())
        rows += batch.length;
      return rows;
    });
  }

  insert(collection: string, rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    return this.#use(collection, async (database) => {
      const inserter = new Inserter(database, collection);
      for await (const batch of inChunks(rows, chunk)) inserter.add(batch);
      return inserter.finish();
    });
  }

  upsert(collection: string, key: readonly string[], rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    return this.#use(collection, async (database) => {
      checkKey(collection, key);
      let taken = 0;
      for await (const batch of inChunks(rows, chunk)) {
        batch.forEach((row, at) => checkRow(collection, row, taken + at));
        try {
          this.#change(database, collection, (table) => table.upsert(key, batch));
        } catch (error) {
          throw error instanceof KeyTaken ? sayInserted(keyDuplicate(collection, error.index, error.key), taken) : error;
        }
        taken += batch.length;
      }
      return taken;
    });
  }

  delete(collection: string, filter: Filter<unknown>): Promise<number> {
    return this.#use(collection, async (database) => {
      checkFilter(filter);
      const query = await compileFind({ filter });
      const removed = database.write(() => {
        const record = findCollection(database, collection);
        if (!record) return 0;
        const table = new TableWriter(database, collection, record);
        const rows = query.matches ? table.delete(query.matches, findNumbers(table, query)) : record.rows;
        if (rows > 0 && (record.rows === 0 || !query.matches)) {
          // Nothing is left: new numbers for the same indexes cost less than removing entry by entry.
          const indexes = record.indexes.map((index) => newIndex(database, index, index.hidden));
          discard(database, record);
          saveCollection(database, collection, { ...newCollection(database), published: record.published, indexes });
        } else saveCollection(database, collection, record);
        return rows;
      });
      this.#sweeper.begin(database);
      return removed;
    });
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the contract has it
  aggregate<T = any>(collection: string, pipeline: readonly object[]): Rows<T> {
    return createRows(() =>
      this.#use(collection, async (database) => {
        checkPipeline(pipeline, 'pipeline');
        const { query, rest } = leadingQuery(pipeline);
        const read = async (name: string, narrowed: Query<object> = {}): Promise<Iterable<readonly Row[]>> =>
          this.#read(database, name, await inPipeline('pipeline', () => compileFind(narrowed)));
        return runPipeline(await read(collection, query), rest, read) as AsyncIterable<readonly T[]>;
      }),
    );
  }

  collections(): Promise<string[]> {
    return this.#use(undefined, (database) => {
      const names = database.read((snapshot) => collectionNames(database, snapshot));
      return sortedNames(names.filter((name) => !name.startsWith(ownPrefix)));
    });
  }

  drop(collection: string): Promise<void> {
    return this.#use(collection, (database) => {
      database.write(() => {
        const record = findCollection(database, collection);
        if (!record) return;
        discard(database, record);
        removeCollection(database, collection);
      });
      this.#sweeper.begin(database);
    });
  }

  createIndex(collection: string, keys: Readonly<Record<string, 1 | -1>>, options: { readonly unique?: boolean } = {}): Promise<string> {
    return this.#use(collection, (database) => {
      const spec = parseIndex(keys, options.unique ?? false);
      if (spec.name === '_id_1') return idIndexName;
      this.#change(database, collection, (table) => {
        const visible = table.record.indexes.filter(({ hidden }) => !hidden);
        if (!findSame(collection, spec, visible)) table.addIndex(newIndex(database, spec));
      });
      return spec.name;
    });
  }

  indexes(collection: string): Promise<readonly Index[]> {
    return this.#use(collection, (database) => {
      const record = database.read((snapshot) => findCollection(database, collection, snapshot));
      return (record?.indexes ?? [])
        .filter(({ hidden }) => !hidden)
        .map((index) => ({ name: index.name, keys: specOf(index).keys, unique: index.unique }));
    });
  }

  version(collection: string): Promise<string> {
    return this.#use(collection, (database) => {
      const record = database.read((snapshot) => findCollection(database, collection, snapshot));
      return record === undefined ? 'none' : `${String(record.id)}.${String(record.changes)}`;
    });
  }

  stage(owner: StageOwner): Promise<Stage> {
    return this.#use(undefined, (database) => {
      const taken =
        database.read((snapshot) => findStage(database, owner.id, snapshot)) ?? [...this.#stages].some(({ id }) => id === owner.id);
      if (taken) throw new MillraceError('DUPLICATE_NAME', `stage '${owner.id}' is open already: each attempt has an id of its own`);
      const stage = new EmbeddedStage(owner, this.#home(database));
      this.#stages.add(stage);
      this.#renewal ??= setInterval(() => this.#renew(database), leaseTime / 3).unref();
      return stage;
    });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** How the rows of a query would be found. */
  explain(collection: string, query: Query<object> = {}): Promise<Plan | undefined> {
    return this.#use(collection, async (database) => {
      const compiled = await compileFind(query);
      const record = database.read((snapshot) => findCollection(database, collection, snapshot));
      return record && choosePlan(record, compiled);
    });
  }

  async decide(stage: string): Promise<boolean> {
    return decideStage(await this.#open(), stage);
  }

  async settle(stage: string, committed: boolean): Promise<void> {
    await settleStage(await this.#open(), stage, committed);
  }

  /** Runs an operation on the store, opened and recovered; `close` waits for it. */
  #use<R>(collection: string | undefined, body: (database: Database) => R | Promise<R>): Promise<R> {
    const running = this.#run(collection, body);
    this.#underWay.add(running);
    const done = (): void => void this.#underWay.delete(running);
    running.then(done, done);
    return running;
  }

  async #run<R>(collection: string | undefined, body: (database: Database) => R | Promise<R>): Promise<R> {
    this.#checkOpen();
    if (collection !== undefined) checkName(collection);
    const database = await this.#open();
    this.#recovering ??= this.#recover(database);
    await this.#recovering;
    return body(database);
  }

  #open(): Promise<Database> {
    this.#checkOpen();
    const opening = (this.#opening ??= Database.open(this.#folder));
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined; // the next operation tries again
    });
    return opening;
  }

  async #recover(database: Database): Promise<void> {
    try {
      await recover(database, openPeer);
    } catch (error) {
      this.#recovering = undefined; // the next operation tries again
      throw error;
    }
    if (hasGarbage(database)) this.#sweeper.begin(database);
  }

  #checkOpen(): void {
    if (this.#closing) throw storeClosed(this.url);
  }

  /** A transaction over one collection, made where it is not there. */
  #change(database: Database, collection: string, change: (table: TableWriter) => void): void {
    database.write(() => {
      const record = findCollection(database, collection) ?? newCollection(database);
      change(new TableWriter(database, collection, record));
      saveCollection(database, collection, record);
    });
  }

  /** Sees the collection as it is at the first batch, whatever happens to it meanwhile. */
  *#read(database: Database, collection: string, query: CompiledQuery): Generator<readonly Row[], void> {
    this.#checkOpen();
    const reading = this.#readings.open(database);
    try {
      const record = findCollection(database, collection, reading.snapshot);
      if (!record) return;
      const { rows, sorted } = findRows(new Table(database, record, reading.snapshot), query);
      for (const batch of database.guard(runQuery(rows, query, { sorted }))) {
        yield batch;
        if (reading.ended) throw storeClosed(this.url);
      }
    } finally {
      this.#readings.end(reading);
    }
  }

  #home(database: Database): StageHome {
    return {
      database,
      owner: thisProcess(),
      checkOpen: () => this.#checkOpen(),
      sweepSoon: () => {
        this.#sweeper.begin(database);
      },
      ended: (stage) => {
        this.#stages.delete(stage);
        if (this.#stages.size > 0) return;
        clearInterval(this.#renewal);
        this.#renewal = undefined;
      },
    };
  }

  #renew(database: Database): void {
    try {
      database.write(() => {
        for (const stage of this.#stages) stage.renew();
      });
    } catch {
      // A disk that is full now may not be at the next turn; the writes of the stages tell their users.
    }
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await Promise.allSettled([...this.#stages].map((stage) => stage.abort())); // what cannot be dropped now is the next opener's
    clearInterval(this.#renewal);
    this.#readings.endAll();
    const database = await this.#opening?.catch(() => undefined);
    if (!database) return;
    this.#sweeper.end(database);
    await database.close();
  }
}

export const openPeer: OpenPeer = async (url) => {
  if (!url.startsWith(scheme)) return openKnownPeer(url);
  const folder = url.slice(scheme.length);
  return existsSync(join(folder, 'data.mdb')) ? new EmbeddedStore(folder) : undefined;
};
