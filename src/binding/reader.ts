import type { Query, Reader, Row } from '../types.js';
import type { Gate } from './gate.js';
import { portClosed, type RowGuard } from './row-guard.js';
import { batchSize, type Source } from './source.js';

/** What all readers of one port in one attempt share. */
export interface InputState {
  readonly processor: string;
  readonly port: string;
  readonly property: string;
  readonly source: Source;
  readonly gate: Gate;
  readonly guard: RowGuard;
  /** Properties of the schema, for a projection that leaves some out. */
  readonly properties: readonly string[];
  rows: number;
  batches: number;
  /** Told the port's total after each batch. */
  onRows: ((port: string, rows: number) => void) | undefined;
}

/** A reader over a source; `find` answers with one over the same port, narrowed. */
export class PortReader<T> implements Reader<T> {
  readonly #state: InputState;
  readonly #queries: readonly Query<Row>[];
  readonly #only: ReadonlySet<string> | undefined;
  /** How many rows the longest pass has met: a later pass counts only what is beyond. */
  #seen = 0;

  constructor(state: InputState, queries: readonly Query<Row>[] = []) {
    this.#state = state;
    this.#queries = queries;
    this.#only = keptProperties(queries, state.source.collection?.queries ?? [], state.properties);
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return new RowIterator<T>(this.#pass(this.#queries, batchSize)[Symbol.asyncIterator](), () => this.#refuseUse());
  }

  batches(size = batchSize): AsyncIterable<readonly T[]> {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`batches(size): a whole number of rows from 1, not ${String(size)}`);
    return { [Symbol.asyncIterator]: () => this.#pass(this.#queries, size)[Symbol.asyncIterator]() as AsyncIterator<readonly T[]> };
  }

  find(query: Query<T>): Reader<T> {
    return new PortReader<T>(this.#state, [...this.#queries, query]);
  }

  async first(): Promise<T | undefined> {
    const one = this.#state.guard.mayDrop ? this.#queries : [...this.#queries, { limit: 1 }];
    for await (const batch of this.#pass(one, 1)) return batch[0] as T;
    return undefined;
  }

  async toArray(): Promise<T[]> {
    const all: T[] = [];
    for await (const batch of this.batches()) for (const row of batch) all.push(row);
    return all;
  }

  async count(): Promise<number> {
    this.#throwIfClosed();
    const counted = await this.#state.source.count(this.#queries);
    return counted ?? this.#state.gate.whileOpen(this.#countByReading(), () => this.#closedError());
  }

  /** For aggregations: where the rows are, and how they are narrowed. */
  get origin(): { readonly state: InputState; readonly queries: readonly Query<Row>[] } {
    return { state: this.#state, queries: this.#queries };
  }

  async *#pass(queries: readonly Query<Row>[], size: number): AsyncGenerator<readonly Row[]> {
    const { source, gate, guard } = this.#state;
    this.#throwIfClosed();
    const batches = source.batches(queries, size)[Symbol.asyncIterator]();
    const forget = gate.onClose(() => void end(batches));
    let index = 0;
    try {
      for (;;) {
        const next = await gate.whileOpen(batches.next(), () => this.#closedError());
        if (next.done === true) return;
        const admitted = guard.admit(next.value, index, this.#only, this.#seen);
        index += next.value.length;
        const rows = admitted instanceof Promise ? await admitted : admitted;
        this.#count(index);
        await guard.drained();
        if (rows.length > 0) yield rows;
      }
    } catch (error) {
      this.#count(index);
      throw error;
    } finally {
      forget();
      if (!gate.isClosed) await end(batches); // it has been told to end, and may never do so
    }
  }

  async #countByReading(): Promise<number> {
    let count = 0;
    for await (const batch of this.#state.source.batches(this.#queries, batchSize)) {
      this.#throwIfClosed();
      count += batch.length;
    }
    return count;
  }

  #count(index: number): void {
    const state = this.#state;
    if (index <= this.#seen) return;
    state.rows += index - this.#seen;
    state.batches++;
    this.#seen = index;
    state.onRows?.(state.property, state.rows);
  }

  #refuseUse(): Error | undefined {
    return this.#state.gate.isClosed ? this.#closedError() : undefined;
  }

  #throwIfClosed(): void {
    if (this.#state.gate.isClosed) throw this.#closedError();
  }

  #closedError(): Error {
    const { processor, port, gate } = this.#state;
    return portClosed(processor, 'input', port, gate.reason);
  }
}

const done = { done: true, value: undefined } as const;

/** Rows out of batches with one promise a row: a generator would cost three. */
class RowIterator<T> implements AsyncIterator<T> {
  readonly #batches: AsyncIterator<readonly Row[]>;
  readonly #refuseUse: () => Error | undefined;
  #batch: readonly Row[] = [];
  #at = 0;
  #refilling: Promise<IteratorResult<T>> | undefined;

  constructor(batches: AsyncIterator<readonly Row[]>, refuseUse: () => Error | undefined) {
    this.#batches = batches;
    this.#refuseUse = refuseUse;
  }

  next(): Promise<IteratorResult<T>> {
    const refusal = this.#refuseUse();
    if (refusal !== undefined) return Promise.reject(refusal);
    if (this.#refilling !== undefined) return this.#refilling.then(() => this.next());
    if (this.#at < this.#batch.length) return Promise.resolve({ done: false, value: this.#batch[this.#at++] as T });
    return (this.#refilling = this.#refill().finally(() => (this.#refilling = undefined)));
  }

  async return(): Promise<IteratorResult<T>> {
    this.#batch = [];
    await end(this.#batches);
    return done;
  }

  async #refill(): Promise<IteratorResult<T>> {
    const next = await this.#batches.next();
    if (next.done === true) {
      this.#batch = [];
      return done;
    }
    this.#batch = next.value;
    this.#at = 1;
    return { done: false, value: next.value[0] as T };
  }
}

/** Ends an iteration that may have ended or failed already: what it says then is of no interest. */
async function end(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // the pass is over: an error of its clean-up changes nothing for rows that were read
  }
}

/** The properties (or dotted paths) that projections leave in a row; undefined where all stay. */
function keptProperties(
  queries: readonly Query<Row>[],
  own: readonly Query<Row>[],
  properties: readonly string[],
): ReadonlySet<string> | undefined {
  const kept = [...own, ...queries]
    .flatMap(({ projection = {} }) => (Object.keys(projection).length === 0 ? [] : [projection]))
    .map((projection) => keptBy(projection, properties));
  const [first, ...more] = kept;
  return first === undefined ? undefined : new Set([...first].filter((name) => more.every((names) => names.has(name))));
}

/** A property of which a part is left out is left out whole: what is left of it breaks rules that the row does not. */
function keptBy(projection: Readonly<Record<string, 0 | 1>>, properties: readonly string[]): ReadonlySet<string> {
  const names = Object.keys(projection);
  const including = names.some((name) => projection[name] === 1 && (name !== '_id' || names.length === 1));
  if (including) return new Set(names.filter((name) => projection[name] === 1));
  const cut = new Set(names.map((name) => name.split('.')[0]));
  return new Set(properties.filter((property) => !cut.has(property)));
}
