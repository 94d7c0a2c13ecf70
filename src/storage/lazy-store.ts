import type { Filter, Query, Row } from '../types.js';
import { storeClosed } from './ownership.js';
import { createRows } from './rows.js';
import type { Index, Rows, Stage, StageOwner, Store } from './store.js';

/** A store whose engine is loaded by its first operation: programs that only declare stores do not wait for what runs them. */
export class LazyStore implements Store {
  readonly url: string;
  readonly #load: () => Promise<Store>;
  #loading: Promise<Store> | undefined;
  /** Once it is there, operations go straight to it. */
  #loaded: Store | undefined;
  #closed: Promise<void> | undefined;

  constructor(url: string, load: () => Promise<Store>) {
    this.url = url;
    this.#load = load;
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the contract has it
  find<T = any>(collection: string, query?: Query<NoInfer<T>>): Rows<T> {
    return this.#loaded?.find<T>(collection, query) ?? createRows(async () => (await this.#open()).find<T>(collection, query).batches());
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the contract has it
  aggregate<T = any>(collection: string, pipeline: readonly object[]): Rows<T> {
    return (
      this.#loaded?.aggregate<T>(collection, pipeline) ??
      createRows(async () => (await this.#open()).aggregate<T>(collection, pipeline).batches())
    );
  }

  count(collection: string, filter?: Filter<unknown>): Promise<number> {
    return this.#ask((store) => store.count(collection, filter));
  }

  insert(collection: string, rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    return this.#ask((store) => store.insert(collection, rows));
  }

  upsert(collection: string, key: readonly string[], rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    return this.#ask((store) => store.upsert(collection, key, rows));
  }

  delete(collection: string, filter: Filter<unknown>): Promise<number> {
    return this.#ask((store) => store.delete(collection, filter));
  }

  collections(): Promise<string[]> {
    return this.#ask((store) => store.collections());
  }

  drop(collection: string): Promise<void> {
    return this.#ask((store) => store.drop(collection));
  }

  createIndex(collection: string, keys: Readonly<Record<string, 1 | -1>>, options?: { readonly unique?: boolean }): Promise<string> {
    return this.#ask((store) => store.createIndex(collection, keys, options));
  }

  indexes(collection: string): Promise<readonly Index[]> {
    return this.#ask((store) => store.indexes(collection));
  }

  version(collection: string): Promise<string | undefined> {
    return this.#ask(async (store) => store.version?.(collection));
  }

  stage(owner: StageOwner): Promise<Stage> {
    return this.#ask((store) => store.stage(owner));
  }

  /** What was never used is not loaded for that. */
  close(): Promise<void> {
    return (this.#closed ??= Promise.resolve(this.#loading?.then((store) => store.close())));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ask<R>(operation: (store: Store) => Promise<R>): Promise<R> {
    return this.#loaded === undefined ? this.#open().then(operation) : operation(this.#loaded);
  }

  async #open(): Promise<Store> {
    if (this.#loading === undefined && this.#closed !== undefined) throw storeClosed(this.url);
    this.#loading ??= this.#load();
    return (this.#loaded = await this.#loading);
  }
}
