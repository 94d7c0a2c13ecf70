import type { MillraceError } from '../errors.js';
import { isThenable, resume, type Outcome } from './closer.js';
import { closeFailed } from './failure.js';
import { settlesWithin } from './limit.js';
import type { Shared } from './shared.js';
import type { Slot } from './slot.js';
import type { Slots } from './slots.js';

/** What one owner has to close, and what went wrong when it did. */
export class Closers {
  /** Every failure, in the order of closing. */
  readonly errors: MillraceError[] = [];
  readonly #slots: Slot[] = [];
  readonly #shared: Shared;
  readonly #all: Slots;

  constructor(shared: Shared, all: Slots) {
    this.#shared = shared;
    this.#all = all;
  }

  /** To be called in the order of completed set-up. */
  add(slot: Slot): void {
    this.#slots.push(slot);
  }

  has(value: unknown): boolean {
    return this.#slots.some((slot) => slot.value === value);
  }

  /** The last that was set up comes first, shorter lives before longer ones: the container owns several. Each runs, whatever the others do. */
  async closeAll(outcome: Outcome): Promise<void> {
    const slots = this.#slots;
    if (slots.some(({ level }) => level !== slots[0]?.level)) slots.sort((a, b) => a.level - b.level);
    for (let index = slots.length - 1; index >= 0; index--) {
      const slot = slots[index] as Slot;
      const pending = this.close(slot, slot.abort ?? outcome);
      if (pending !== undefined) await pending;
    }
    slots.length = 0;
  }

  /** Answers a promise only where the closer does; it never rejects. */
  close(slot: Slot, outcome: Outcome): Promise<void> | undefined {
    const started = this.#shared.now();
    try {
      const pending: unknown = slot.generator === undefined ? slot.dispose?.call(slot.value) : resume(slot.generator, outcome);
      if (isThenable(pending)) return this.#await(slot, Promise.resolve(pending), started);
    } catch (error) {
      this.#ended(slot, started, this.report(slot, error));
      return undefined;
    }
    this.#ended(slot, started);
    return undefined;
  }

  report(slot: Slot, cause: unknown): MillraceError {
    const error = closeFailed(slot.part, this.#all.pathTo(slot.part), cause);
    this.errors.push(error);
    return error;
  }

  async #await(slot: Slot, pending: Promise<unknown>, started: number): Promise<void> {
    try {
      if (!(await settlesWithin(pending, this.#shared.limit))) throw new Error(`it did not end within ${this.#shared.limit.ms} ms`);
      await pending;
    } catch (error) {
      this.#ended(slot, started, this.report(slot, error));
      return;
    }
    this.#ended(slot, started);
  }

  #ended(slot: Slot, started: number, error?: MillraceError): void {
    if (slot.owns) this.#shared.owned.delete(slot.value);
    this.#shared.tell('close', slot, started, error);
  }
}
