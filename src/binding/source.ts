import { MillraceError, describeValue } from '../errors.js';
import type { FileFormat } from '../storage/files/format.js';
import type { Rows, Store } from '../storage/store.js';
import type { Column, Query, Row } from '../types.js';
import type { CollectionOptions } from './binding.js';
import type { ChannelReader } from './channel.js';
import { gather } from './gather.js';
import { unwrapSpooled } from './spool.js';

export const batchSize = 1000;

export type Batches = AsyncIterable<readonly Row[]>;

/** What an input is bound to, ready to be read as often as asked. */
export interface Source {
  batches(queries: readonly Query<Row>[], size: number): Batches;
  /** How many rows; undefined where only reading them tells. */
  count(queries: readonly Query<Row>[]): Promise<number> | number | undefined;
  /** The attempt is over: whoever waits for rows is let go. */
  close?(): void;
  /** Where the rows are a collection, unchanged or narrowed: for aggregations that run where the rows are. */
  readonly collection?: { readonly store: Store; readonly name: string; readonly queries: readonly Query<Row>[] } | undefined;
}

export const emptySource: Source = arraySource([]);

export function arraySource(rows: readonly Row[]): Source {
  return {
    batches: (queries, size) => narrow(slices(rows, size), queries, size),
    count: (queries) => (queries.length === 0 ? rows.length : undefined),
  };
}

/** Rows from a function, which is called for each pass. */
export function madeSource(make: () => unknown, text: string): Source {
  return {
    batches: (queries, size) => narrow(chunks(make, text, size), queries, size),
    count: () => undefined,
  };
}

/** Rows that another task writes at the same time: they pass once. */
export function streamSource(reader: ChannelReader, port: string): Source {
  let read = false;
  return {
    batches(queries, size) {
      if (read) throw linkConsumed(port);
      read = true;
      return narrow({ [Symbol.asyncIterator]: () => new Pieces(reader, size) }, queries, size);
    },
    count: () => undefined,
    close: () => {
      reader.close();
    },
  };
}

function linkConsumed(port: string): MillraceError {
  return new MillraceError(
    'LINK_CONSUMED',
    `${port} is linked to an output that streams, and its rows have passed already: to pass over them more than once, declare it as @Input({ rereads: true })`,
  );
}

/** What another task has published, as it wrote it: without the `_id` that the store added, unless it had one. */
export function publishedSource(store: Store, name: string, hasIds: () => boolean): Source {
  const source = (): Source => collectionSource(store, name, hasIds() ? {} : { projection: { _id: 0 } });
  return {
    batches: (queries, size) => source().batches(queries, size),
    count: (queries) => source().count(queries),
    get collection() {
      return source().collection;
    },
  };
}

/** What another task has written and a store keeps, row by row in a wrapping. */
export function spoolSource(store: Store, collection: string): Source {
  const all = (size: number): Batches => unwrapped(store.find<Row>(collection).batches(size));
  return {
    batches: (queries, size) => narrow(all(size), queries, size),
    count: (queries) => (queries.length === 0 ? store.count(collection) : undefined),
  };
}

async function* unwrapped(batches: Batches): AsyncGenerator<readonly Row[]> {
  for await (const batch of batches) yield unwrapSpooled(batch);
}

export function fileSource(path: string, format: FileFormat, gzip: boolean, columns: readonly Column[] | undefined): Source {
  async function* read(batchSize: number): AsyncGenerator<readonly Row[]> {
    const { readFile } = await import('../storage/files/read.js');
    yield* readFile(path, { format, gzip, batchSize, ...(columns === undefined ? {} : { columns }) });
  }
  return {
    batches: (queries, size) => narrow(read(size), queries, size),
    count: () => undefined,
  };
}

export function collectionSource(store: Store, name: string, options: CollectionOptions<Row>): Source {
  const own = queryOf(options);
  const all = (queries: readonly Query<Row>[]): readonly Query<Row>[] => (own === undefined ? queries : [own, ...queries]);
  const { pipeline } = options;
  if (pipeline !== undefined) {
    const stages = (queries: readonly Query<Row>[]): object[] => [...toStages(all([])), ...pipeline, ...toStages(queries)];
    return {
      batches: (queries, size) => checked(queries, () => store.aggregate<Row>(name, stages(queries)).batches(size)),
      count: () => undefined,
    };
  }
  return {
    batches(queries, size) {
      const merged = mergeQueries(all(queries));
      if (merged !== undefined && queries.length <= 1) return store.find<Row>(name, merged).batches(size);
      const read = (): Rows<Row> => (merged === undefined ? store.aggregate(name, toStages(all(queries))) : store.find(name, merged));
      return checked(queries, () => read().batches(size));
    },
    count(queries) {
      const merged = mergeQueries(all(queries));
      if (merged === undefined) return undefined;
      const { filter = {}, skip = 0, limit = 0 } = merged;
      const count = checkQueries(queries).then(() => store.count(name, filter));
      return count.then((count) => Math.min(Math.max(0, count - skip), limit === 0 ? Infinity : limit));
    },
    collection: { store, name, queries: all([]) },
  };
}

/** The queries as aggregation stages, in the order in which they narrow. */
export function toStages(queries: readonly Query<Row>[]): object[] {
  return queries.flatMap(({ filter, sort, skip, limit, projection }) => [
    ...(isFilled(filter) ? [{ $match: filter }] : []),
    ...(isFilled(sort) ? [{ $sort: sort }] : []),
    ...(skip === undefined || skip === 0 ? [] : [{ $skip: skip }]),
    ...(limit === undefined || limit === 0 ? [] : [{ $limit: limit }]),
    ...(isFilled(projection) ? [{ $project: projection }] : []),
  ]);
}

/** One query that does what these do in turn; undefined where none can. */
function mergeQueries(queries: readonly Query<Row>[]): Query<Row> | undefined {
  const [first = {}, ...more] = queries;
  return more.reduce<Query<Row> | undefined>((merged, next) => (merged === undefined ? undefined : mergeTwo(merged, next)), first);
}

function mergeTwo(before: Query<Row>, after: Query<Row>): Query<Row> | undefined {
  const cut = (before.skip ?? 0) > 0 || (before.limit ?? 0) > 0 || isFilled(before.projection);
  if (cut) return undefined;
  const filters = [before.filter, after.filter].filter(isFilled);
  const sort = isFilled(after.sort) ? after.sort : before.sort;
  const [filter] = filters.length > 1 ? [{ $and: filters }] : filters;
  return { ...after, ...(sort === undefined ? {} : { sort }), ...(filter === undefined ? {} : { filter }) };
}

function queryOf({ filter, sort, projection, skip, limit }: CollectionOptions<Row>): Query<Row> | undefined {
  const query = Object.fromEntries(Object.entries({ filter, sort, projection, skip, limit }).filter(([, value]) => value !== undefined));
  return isFilled(query) ? query : undefined;
}

function isFilled<T extends object>(value: T | undefined): value is T {
  return value !== undefined && Object.keys(value).length > 0;
}

function narrow(batches: Batches, queries: readonly Query<Row>[], size: number): Batches {
  return queries.length === 0 ? batches : regroup(aggregated(batches, queries), size);
}

async function* aggregated(batches: Batches, queries: readonly Query<Row>[]): AsyncGenerator<readonly Row[]> {
  await checkQueries(queries);
  const stages = toStages(queries);
  const { aggregateRows } = await import('../storage/aggregate.js');
  yield* stages.length === 0 ? batches : aggregateRows(batches, stages, {});
}

async function* checked(queries: readonly Query<Row>[], read: () => Batches): AsyncGenerator<readonly Row[]> {
  await checkQueries(queries);
  yield* read();
}

/** Refuses what a store would refuse: a query means the same wherever the rows are. */
async function checkQueries(queries: readonly Query<Row>[]): Promise<void> {
  if (queries.length === 0) return;
  const { compileFind } = await import('../storage/aggregate/compile.js');
  for (const query of queries) await compileFind(query);
}

async function* slices(rows: readonly Row[], size: number): AsyncGenerator<readonly Row[]> {
  if (rows.length > 0 && rows.length <= size) yield rows;
  else for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

async function* chunks(make: () => unknown, text: string, size: number): AsyncGenerator<readonly Row[]> {
  const made: unknown = make();
  let batch: Row[] = [];
  if (isIterable(made)) {
    for (const row of made) {
      batch.push(row);
      if (batch.length >= size) {
        yield batch;
        batch = [];
      }
    }
  } else if (isAsyncIterable(made)) {
    yield* gather(made[Symbol.asyncIterator](), size);
  } else {
    throw new MillraceError(
      'BINDING_INVALID',
      `${text}: the function returned ${describeValue(made)}, not an iterable of rows; return an array or a generator`,
    );
  }
  if (batch.length > 0) yield batch;
}

/** Batches of at most the size asked for. */
async function* regroup(batches: Batches, size: number): AsyncGenerator<readonly Row[]> {
  for await (const batch of batches) {
    if (batch.length <= size) yield batch;
    else yield* slices(batch, size);
  }
}

export function isIterable(value: unknown): value is Iterable<Row> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<Row> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Batches of at most the size asked for, without the cost of a generator. */
class Pieces implements AsyncIterator<readonly Row[]> {
  readonly #batches: AsyncIterator<readonly Row[]>;
  readonly #size: number;
  #batch: readonly Row[] = [];
  #at = 0;

  constructor(batches: AsyncIterator<readonly Row[]>, size: number) {
    this.#batches = batches;
    this.#size = size;
  }

  async next(): Promise<IteratorResult<readonly Row[]>> {
    if (this.#at === 0) {
      const next = await this.#batches.next();
      if (next.done === true || next.value.length <= this.#size) return next;
      this.#batch = next.value;
    }
    const piece = this.#batch.slice(this.#at, this.#at + this.#size);
    this.#at = this.#at + this.#size < this.#batch.length ? this.#at + this.#size : 0;
    return { done: false, value: piece };
  }

  async return(): Promise<IteratorResult<readonly Row[]>> {
    await this.#batches.return?.();
    return { done: true, value: undefined };
  }
}
