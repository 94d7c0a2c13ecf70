import type { Row } from '../types.js';

/** Rows in batches: full ones, or what has come when the next row is to be waited for. A slow source gives its rows one by one. */
export async function* gather(rows: AsyncIterator<Row>, size: number): AsyncGenerator<readonly Row[]> {
  const basket = new Basket(rows, size);
  try {
    while (!basket.ended) {
      await basket.fill();
      if (basket.rows.length > 0) yield basket.take();
    }
    if (basket.rows.length > 0) yield basket.take();
    basket.throwFailure();
  } finally {
    await basket.leave();
  }
}

class Basket {
  rows: Row[] = [];
  ended = false;
  readonly #source: AsyncIterator<Row>;
  readonly #size: number;
  #failure: { readonly error: unknown } | undefined;
  #filling: Promise<void> | undefined;
  /** The loop has turned since the rows were asked for: one is enough now. */
  #hurried = false;

  constructor(source: AsyncIterator<Row>, size: number) {
    this.#source = source;
    this.#size = size;
  }

  /** Resolves when the basket is full, when it has a row and the next has to be waited for, or when there are no more. */
  async fill(): Promise<void> {
    this.#hurried = false;
    this.#filling ??= this.#pull();
    await Promise.race([this.#filling, turnOfLoop()]);
    this.#hurried = true;
    if (this.rows.length === 0) await this.#filling;
  }

  take(): readonly Row[] {
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends the source; where a row is still to come, who has enough of them does not wait for it. */
  async leave(): Promise<void> {
    if (this.ended) return;
    const left = this.#source.return?.();
    if (this.#filling === undefined) await left;
    else left?.catch(() => undefined); // nobody reads it any more
  }

  /** Never rejects: a failure comes after the rows before it. */
  async #pull(): Promise<void> {
    try {
      do {
        const next = await this.#source.next();
        if (next.done === true) this.ended = true;
        else this.rows.push(next.value);
      } while (!this.ended && !this.#hurried && this.rows.length < this.#size);
    } catch (error) {
      this.#failure = { error };
      this.ended = true;
    }
    this.#filling = undefined;
  }
}

function turnOfLoop(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
