import { toError } from '../errors.js';
import type { Store } from '../storage/store.js';
import type { Row, Writer } from '../types.js';
import type { Gate } from './gate.js';
import { portClosed, type RowGuard } from './row-guard.js';
import { batchSize, isAsyncIterable, isIterable } from './source.js';
import { nowhere, type Target } from './target.js';

/** What a writer works with in one attempt. */
export interface OutputState {
  readonly processor: string;
  readonly port: string;
  readonly property: string;
  readonly target: Target;
  readonly gate: Gate;
  readonly guard: RowGuard;
  rows: number;
  batches: number;
  /** Told the port's total after each batch. */
  onRows: ((port: string, rows: number) => void) | undefined;
}

const taken = Promise.resolve();

/** Whether nothing is bound or linked to the output of a writer. */
export function isUnread(writer: unknown): boolean {
  return writer instanceof PortWriter && writer.state.target === nowhere;
}

/** A writer that checks rows, gathers them into batches and keeps one batch on its way to the target. */
export class PortWriter<T> implements Writer<T> {
  readonly #state: OutputState;
  #buffer: Row[] = [];
  /** How many rows were offered: the index of the next one. */
  #offered = 0;
  #sending: Promise<void> | undefined;
  #failure: Error | undefined;
  /** Writes that have not been taken yet: what `flush` waits for, awaited by the action or not. */
  readonly #writing = new Set<Promise<void>>();
  /** Where rows are checked asynchronously, a write waits for the one before it. */
  #turn: Promise<void> = taken;

  constructor(state: OutputState) {
    this.#state = state;
  }

  write(rows: T | Iterable<T> | AsyncIterable<T>): Promise<void> {
    if (this.#state.gate.isClosed) return Promise.reject(this.#closedError());
    if (this.#failure !== undefined) return this.#watch(Promise.reject(this.#failure));
    if (this.#state.guard.mayBeAsync) return this.#watch(this.#whileOpen((this.#turn = this.#turn.then(() => this.#writeAny(rows)))));
    if (isAsyncIterable(rows)) return this.#watch(this.#whileOpen(this.#writeStream(rows)));
    try {
      const pending = isIterable(rows) ? this.#writeMany(rows) : this.#writeOne(rows as Row);
      const wait = pending ?? this.#state.guard.drained();
      return wait === undefined ? taken : this.#watch(this.#whileOpen(wait));
    } catch (error) {
      return this.#watch(Promise.reject(this.#fail(error)));
    }
  }

  /** Sends what is gathered, and resolves when the target has taken everything; throws the first error of any write. */
  async flush(): Promise<void> {
    while (this.#writing.size > 0) await Promise.allSettled(this.#writing);
    await this.settle();
    await this.#state.target.flush?.();
  }

  /** Sends what is gathered, so that `state.rows` counts it. */
  async settle(): Promise<void> {
    if (this.#failure === undefined && this.#buffer.length > 0) void this.#send(this.#takeBuffer());
    await this.#sending;
    this.#throwFailure();
  }

  /** Takes what a pipeline makes of a collection without seeing the rows; undefined where they must come by here. After `settle`. */
  async aggregate(store: Store, from: string, pipeline: readonly object[]): Promise<number | undefined> {
    const state = this.#state;
    if (!state.guard.passesAll || state.target.aggregate === undefined) return undefined;
    this.#throwIfClosed();
    const rows = await this.#watch(
      state.target.aggregate(store, from, pipeline).catch((error: unknown) => {
        throw this.#fail(error); // some of its rows may be staged
      }),
    );
    if (rows === undefined) return undefined;
    this.#offered += rows;
    state.rows += rows;
    state.batches++;
    state.onRows?.(state.property, state.rows);
    return rows;
  }

  get state(): OutputState {
    return this.#state;
  }

  #writeOne(row: Row): Promise<void> | undefined {
    return this.#state.guard.passes(row, this.#offered++) ? this.#gather(row) : undefined;
  }

  #writeMany(rows: Iterable<Row>): Promise<void> | undefined {
    if (Array.isArray(rows) && rows.length <= batchSize) return this.#gatherAll(this.#admit(rows as Row[]));
    return this.#writeSlices(rows);
  }

  async #writeSlices(rows: Iterable<Row>): Promise<void> {
    let slice: Row[] = [];
    try {
      for (const row of rows) {
        slice.push(row);
        if (slice.length < batchSize) continue;
        await this.#gatherAll(this.#admit(slice));
        await this.#state.guard.drained();
        slice = [];
        this.#throwIfClosed();
      }
      await this.#gatherAll(this.#admit(slice));
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async #writeStream(rows: AsyncIterable<unknown>): Promise<void> {
    try {
      if (hasBatches(rows)) {
        for await (const batch of rows.batches()) {
          this.#throwIfClosed();
          await this.#writeBatch(batch);
        }
        return;
      }
      for await (const row of rows) {
        this.#throwIfClosed();
        await this.#writeBatch([row as Row]);
      }
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async #writeBatch(rows: readonly Row[]): Promise<void> {
    const admitted = this.#state.guard.admit(rows, this.#offered, undefined);
    this.#offered += rows.length;
    await this.#gatherAll(admitted instanceof Promise ? await admitted : admitted);
    await this.#state.guard.drained();
  }

  async #writeAny(rows: unknown): Promise<void> {
    try {
      this.#throwIfClosed();
      if (isAsyncIterable(rows)) return await this.#writeStream(rows);
      if (!isIterable(rows)) return await this.#writeBatch([rows as Row]);
      for (const row of rows) await this.#writeBatch([row]);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #admit(rows: readonly Row[]): readonly Row[] {
    const admitted = this.#state.guard.admit(rows, this.#offered, undefined) as readonly Row[];
    this.#offered += rows.length;
    return admitted;
  }

  #gather(row: Row): Promise<void> | undefined {
    if (this.#buffer.push(row) < batchSize) return undefined;
    return this.#send(this.#takeBuffer());
  }

  #gatherAll(rows: readonly Row[]): Promise<void> | undefined {
    if (rows.length === 0) return undefined;
    if (this.#buffer.length === 0 && rows.length >= batchSize) return this.#send(rows.slice());
    for (const row of rows) this.#buffer.push(row);
    return this.#buffer.length < batchSize ? undefined : this.#send(this.#takeBuffer());
  }

  #takeBuffer(): Row[] {
    const batch = this.#buffer;
    this.#buffer = [];
    return batch;
  }

  /** Hands a batch on when the one before it has arrived; resolves then, so that one batch is on its way while the next is gathered. */
  #send(batch: readonly Row[]): Promise<void> | undefined {
    const before = this.#sending;
    const sent = before === undefined ? this.#handOn(batch) : before.then(() => this.#handOn(batch));
    if (sent === undefined) return undefined;
    const settled: Promise<void> = sent.then(
      () => this.#arrived(settled),
      (error: unknown) => {
        this.#fail(error);
        this.#arrived(settled);
      },
    );
    this.#sending = settled;
    return before === undefined ? undefined : before.then(() => this.#throwFailure());
  }

  #handOn(batch: readonly Row[]): Promise<void> | undefined {
    const state = this.#state;
    if (this.#failure !== undefined || state.gate.isClosed) return undefined; // what was staged is dropped, or about to be
    const pending = state.target.take(batch);
    state.rows += batch.length;
    state.batches++;
    state.onRows?.(state.property, state.rows);
    return pending ?? undefined;
  }

  #arrived(settled: Promise<void>): void {
    if (this.#sending === settled) this.#sending = undefined;
  }

  #fail(error: unknown): Error {
    this.#failure ??= (error ?? toError(error)) as Error; // what a sink throws is kept as it is; undefined would be no failure
    return this.#failure;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #throwIfClosed(): void {
    if (this.#state.gate.isClosed) throw this.#closedError();
  }

  #closedError(): Error {
    const { gate, processor, port } = this.#state;
    return portClosed(processor, 'output', port, gate.reason);
  }

  #whileOpen(write: Promise<void>): Promise<void> {
    return this.#state.gate.whileOpen(write, () => this.#closedError());
  }

  /** Keeps a write in sight until it settles; a rejection that nobody awaits fails the task in `flush`, not the process. */
  #watch<R>(write: Promise<R>): Promise<R> {
    const settled = write.then(
      () => void this.#writing.delete(settled),
      () => void this.#writing.delete(settled),
    );
    this.#writing.add(settled);
    return write;
  }
}

function hasBatches(rows: AsyncIterable<unknown>): rows is AsyncIterable<Row> & { batches(): AsyncIterable<readonly Row[]> } {
  return 'batches' in rows && typeof rows.batches === 'function';
}
