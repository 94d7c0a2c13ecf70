import { Watch, type Limit } from './limit.js';
import type { Slot } from './slot.js';

/** Set-ups of one owner whose factory has been called and has not answered. */
export class UnderWay {
  readonly #slots = new Set<Slot>();

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  follow(slot: Slot, made: Promise<unknown>, arrive: (value: unknown) => void, fail: (error: unknown) => void): void {
    this.#slots.add(slot);
    void made.then(
      (value) => {
        this.#slots.delete(slot);
        arrive(value);
      },
      (error: unknown) => {
        this.#slots.delete(slot);
        fail(error);
      },
    );
  }

  /** Resolves when each has ended, or has had its time. */
  async finish(limit: Limit, late: (slot: Slot) => void): Promise<void> {
    await Promise.all(
      [...this.#slots].map((slot) => {
        const settled = new Promise<void>((resolve) => {
          slot.whenSettled(resolve);
        });
        return new Promise<void>((resolve) => {
          new Watch(limit).follow(settled, (ended) => {
            if (ended === 'late') late(slot);
            resolve();
          });
        });
      }),
    );
  }
}
