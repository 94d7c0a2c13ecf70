import type { Filter, Query, Row } from '../types.js';
import { runPipeline } from './aggregate.js';
import { compileFind, compileMatch } from './aggregate/compile.js';
import { checkRow, loadBson, sayInserted, withId } from './ids.js';
import { findSame, idIndexName, parseIndex } from './index-spec.js';
import { checkKey, checkName, inChunks, ownPrefix } from './input.js';
import { MemoryCollection } from './memory/collection.js';
import { MemoryStage, type MemoryData } from './memory/stage.js';
import { storeClosed } from './ownership.js';
import { sortedNames } from './query/key-text.js';
import { runQuery } from './query/query.js';
import { createRows } from './rows.js';
import type { Index, Rows, Stage, StageOwner, Store } from './store.js';

const url = 'memory:';
const chunk = 1000;

/** A store of plain objects, gone with the process. */
export class MemoryStore implements Store {
  readonly url = url;
  readonly #data: MemoryData = { collections: new Map(), stages: new Map() };
  #closed = false;

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the contract has it
  find<T = any>(collection: string, query?: Query<NoInfer<T>>): Rows<T> {
    return createRows(async () => {
      this.#check(collection);
      const compiled = await compileFind(query);
      return runQuery(slices(this.#rows(collection)), compiled) as Iterable<readonly T[]>;
    });
  }

  async count(collection: string, filter?: Filter<unknown>): Promise<number> {
    this.#check(collection);
    const rows = this.#rows(collection);
    if (filter === undefined) return rows.length;
    const matches = await compileMatch(filter);
    return rows.filter(matches).length;
  }

  async insert(collection: string, rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    this.#check(collection);
    const { ObjectId } = await loadBson();
    let inserted = 0;
    for await (const batch of inChunks(rows, chunk)) {
      this.#check(collection);
      for (const row of batch) {
        try {
          checkRow(collection, row, inserted);
          this.#ensure(collection).insert(withId(row, () => new ObjectId()));
        } catch (error) {
          throw sayInserted(error, inserted);
        }
        inserted++;
      }
    }
    return inserted;
  }

  async upsert(collection: string, key: readonly string[], rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    this.#check(collection);
    checkKey(collection, key);
    const { ObjectId } = await loadBson();
    let taken = 0;
    for await (const batch of inChunks(rows, chunk)) {
      this.#check(collection);
      batch.forEach((row, at) => checkRow(collection, row, taken + at));
      this.#ensure(collection).upsert(key, batch, (row) => withId(row, () => new ObjectId()));
      taken += batch.length;
    }
    return taken;
  }

  async delete(collection: string, filter: Filter<unknown>): Promise<number> {
    this.#check(collection);
    const matches = await compileMatch(filter);
    return this.#data.collections.get(collection)?.delete(matches) ?? 0;
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the contract has it
  aggregate<T = any>(collection: string, pipeline: readonly object[]): Rows<T> {
    return createRows(() => {
      this.#check(collection);
      const read = (name: string): Iterable<readonly Row[]> => slices(this.#rows(name));
      return runPipeline(read(collection), pipeline, read) as AsyncIterable<readonly T[]>;
    });
  }

  async collections(): Promise<string[]> {
    this.#check();
    return sortedNames(this.#data.collections.keys()).filter((name) => !name.startsWith(ownPrefix));
  }

  async drop(collection: string): Promise<void> {
    this.#check(collection);
    this.#data.collections.delete(collection);
  }

  async createIndex(
    collection: string,
    keys: Readonly<Record<string, 1 | -1>>,
    options: { readonly unique?: boolean } = {},
  ): Promise<string> {
    this.#check(collection);
    const spec = parseIndex(keys, options.unique ?? false);
    if (spec.name === '_id_1') return idIndexName;
    const target = this.#ensure(collection);
    if (!findSame(collection, spec, target.indexes)) target.addIndex(spec);
    return spec.name;
  }

  async indexes(collection: string): Promise<readonly Index[]> {
    this.#check(collection);
    return (this.#data.collections.get(collection)?.indexes ?? []).map(({ name, keys, unique }) => ({ name, keys, unique }));
  }

  async version(collection: string): Promise<string> {
    this.#check(collection);
    return this.#data.collections.get(collection)?.state ?? 'none';
  }

  async stage(owner: StageOwner): Promise<Stage> {
    this.#check();
    const { ObjectId } = await loadBson();
    return MemoryStage.open(
      owner.id,
      this.#data,
      (row) => withId(row, () => new ObjectId()),
      () => this.#check(),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stage of this.#data.stages.values()) await stage.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #rows(collection: string): readonly Row[] {
    return this.#data.collections.get(collection)?.rows ?? [];
  }

  #ensure(collection: string): MemoryCollection {
    let found = this.#data.collections.get(collection);
    if (!found) this.#data.collections.set(collection, (found = new MemoryCollection(collection)));
    return found;
  }

  #check(collection?: string): void {
    if (this.#closed) throw storeClosed(url);
    if (collection !== undefined) checkName(collection);
  }
}

function* slices(rows: readonly Row[]): Generator<readonly Row[], void> {
  for (let at = 0; at < rows.length; at += chunk) yield rows.slice(at, at + chunk);
}
