import type { Rows } from './store.js';

type Batches<T> = Iterable<readonly T[]> | AsyncIterable<readonly T[]>;

const defaultSize = 1000;

/** Milliseconds of reading after which others get their turn: reads are synchronous inside. */
const turn = 20;

/**
 * Rows from a function that starts reading anew at each call. What it gives may be batches of any size, empty ones too; the iterator is
 * closed when the consumer stops early.
 */
export function createRows<T>(start: () => Batches<T> | Promise<Batches<T>>): Rows<T> {
  const batches = (size = defaultSize): AsyncGenerator<readonly T[], void> => inBatches(start, Math.max(1, size));
  return Object.freeze({
    batches,
    async *[Symbol.asyncIterator]() {
      for await (const batch of batches()) yield* batch;
    },
    async toArray() {
      const rows: T[] = [];
      for await (const batch of batches()) for (const row of batch) rows.push(row);
      return rows;
    },
  });
}

async function* inBatches<T>(start: () => Batches<T> | Promise<Batches<T>>, size: number): AsyncGenerator<readonly T[], void> {
  let pending: T[] = [];
  let since = performance.now();
  for await (const batch of await start()) {
    if (batch.length === size && pending.length === 0) yield batch;
    else {
      for (const row of batch) {
        pending.push(row);
        if (pending.length < size) continue;
        const full = pending;
        pending = [];
        yield full;
      }
    }
    if (performance.now() - since > turn) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      since = performance.now();
    }
  }
  if (pending.length > 0) yield pending;
}
