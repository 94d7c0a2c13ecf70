import type { Row } from '../types.js';
import type { Target } from './target.js';

type Batch = readonly Row[];
type Taken = IteratorResult<Batch, undefined>;

/** A writer waits where so many rows wait for its slowest reader. */
const most = 4000;
const done: Taken = { done: true, value: undefined };

/**
 * Carries batches from one output to the readers that are attached to it, each at its own pace; the slowest holds the writer back.
 * A reader that stops, or never begins, is detached and holds nobody back.
 */
export class Channel implements Target {
  readonly #readers = new Set<ChannelReader>();
  #ended = false;
  #waiting: { readonly promise: Promise<void>; resolve(): void } | undefined;

  /** @param onFirst - called once, when there is something to read, or nothing will come. */
  attach(onFirst: () => void): ChannelReader {
    const reader = new ChannelReader(this, onFirst);
    this.#readers.add(reader);
    return reader;
  }

  take(batch: Batch): Promise<void> | undefined {
    for (const reader of this.#readers) reader.put(batch);
    if (!this.#isFull()) return undefined;
    if (this.#waiting === undefined) {
      let resolve: () => void = () => undefined;
      const promise = new Promise<void>((settle) => (resolve = settle));
      this.#waiting = { promise, resolve };
    }
    return this.#waiting.promise;
  }

  /** The writer's attempt is over: nobody waits any more for its rows to be taken. */
  close(): void {
    this.#resume();
  }

  /** The writer has succeeded: readers see the end of its rows. Until then they wait for it. */
  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) reader.end();
  }

  get ended(): boolean {
    return this.#ended;
  }

  detach(reader: ChannelReader): void {
    this.#readers.delete(reader);
    this.drained();
  }

  /** A reader has room again. */
  drained(): void {
    if (this.#waiting !== undefined && !this.#isFull()) this.#resume();
  }

  #isFull(): boolean {
    for (const reader of this.#readers) if (reader.waiting >= most) return true;
    return false;
  }

  #resume(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

/** One reader's end of a channel. */
export class ChannelReader implements AsyncIterator<Batch, undefined> {
  /** Rows that wait. */
  waiting = 0;
  readonly #channel: Channel;
  #onFirst: (() => void) | undefined;
  #queue: Batch[] = [];
  #pending: ((taken: Taken) => void) | undefined;
  #closed = false;

  constructor(channel: Channel, onFirst: () => void) {
    this.#channel = channel;
    this.#onFirst = onFirst;
  }

  put(batch: Batch): void {
    if (this.#pending !== undefined) {
      this.#settle({ done: false, value: batch });
      return;
    }
    this.#queue.push(batch);
    this.waiting += batch.length;
    this.#begin();
  }

  end(): void {
    this.#settle(done);
    this.#begin();
  }

  next(): Promise<Taken> {
    const batch = this.#shift();
    if (batch !== undefined) return Promise.resolve({ done: false, value: batch });
    if (this.#closed || this.#channel.ended) return Promise.resolve(done);
    return new Promise((resolve) => (this.#pending = resolve));
  }

  return(): Promise<Taken> {
    this.close();
    return Promise.resolve(done);
  }

  /** Idempotent: nothing more is read, and nobody waits for this reader. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.waiting = 0;
    this.#onFirst = undefined;
    this.#settle(done);
    this.#channel.detach(this);
  }

  #shift(): Batch | undefined {
    const batch = this.#queue.shift();
    if (batch === undefined) return undefined;
    this.waiting -= batch.length;
    this.#channel.drained();
    return batch;
  }

  #begin(): void {
    const begin = this.#onFirst;
    this.#onFirst = undefined;
    begin?.();
  }

  #settle(taken: Taken): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.(taken);
  }
}
