import type { MillraceError } from '../errors.js';
import { isThenable, resume, success, type Outcome } from './closer.js';
import { closeFailed } from './failure.js';
import { Watch, type Ended } from './limit.js';
import type { Shared } from './shared.js';
import type { Slot } from './slot.js';
import type { Slots } from './slots.js';

/** What one owner has to close, and what went wrong when it did. */
export class Closers {
  /** Every failure, in the order of closing. */
  readonly errors: MillraceError[] = [];
  #slots: Slot[] | undefined = undefined;
  readonly #shared: Shared;
  readonly #all: Slots;
  #outcome = success;
  #watch: Watch | undefined = undefined;
  /** The closer that is waited for. */
  #pending: { readonly slot: Slot; readonly started: number } | undefined = undefined;
  #done: (() => void) | undefined = undefined;

  constructor(shared: Shared, all: Slots) {
    this.#shared = shared;
    this.#all = all;
  }

  get hasFailed(): boolean {
    return this.errors.length > 0;
  }

  /** To be called in the order of completed set-up. */
  add(slot: Slot): void {
    if (this.#slots === undefined)
      this.#slots = [slot]; // an array that is pushed to takes room for seventeen
    else this.#slots.push(slot);
  }

  has(value: unknown): boolean {
    return this.#slots?.some((slot) => slot.value === value) === true;
  }

  /**
   * The last that was set up comes first, shorter lives before longer ones: the container owns several. Each runs, whatever the others do.
   * Answers a promise only where a closer does; it never rejects.
   */
  closeAll(outcome: Outcome): Promise<void> | undefined {
    const slots = this.#slots ?? [];
    if (slots.some(({ level }) => level !== slots[0]?.level)) slots.sort((a, b) => a.level - b.level);
    this.#outcome = outcome;
    if (this.#closeOn()) return undefined;
    return new Promise((resolve) => (this.#done = resolve));
  }

  /** Closes a slot whose set-up ended after all, when nobody waits for it any more. */
  async closeLate(slot: Slot, outcome: Outcome): Promise<void> {
    const started = this.#shared.now();
    try {
      await this.#call(slot, outcome);
    } catch (error) {
      this.#ended(slot, started, this.report(slot, error));
      return;
    }
    this.#ended(slot, started);
  }

  report(slot: Slot, cause: unknown): MillraceError {
    const error = closeFailed(slot.part, this.#all.pathTo(slot.part), cause);
    this.errors.push(error);
    return error;
  }

  /** Goes on until a closer has to be waited for; answers whether all are closed. */
  #closeOn(): boolean {
    for (let slot = this.#slots?.pop(); slot !== undefined; slot = this.#slots?.pop()) {
      const started = this.#shared.now();
      try {
        const pending = this.#call(slot, slot.abort ?? this.#outcome);
        if (isThenable(pending)) {
          this.#pending = { slot, started };
          this.#watch ??= new Watch(this.#shared.limit);
          this.#watch.follow(pending, this.#onEnd);
          return false;
        }
      } catch (error) {
        this.#ended(slot, started, this.report(slot, error));
        continue;
      }
      this.#ended(slot, started);
    }
    return true;
  }

  readonly #onEnd = (ended: Ended, reason?: unknown): void => {
    if (this.#pending === undefined) return;
    const { slot, started } = this.#pending;
    const cause = ended === 'late' ? new Error(`it did not end within ${String(this.#shared.limit.ms)} ms`) : reason;
    this.#ended(slot, started, ended === 'well' ? undefined : this.report(slot, cause));
    if (this.#closeOn()) this.#done?.();
  };

  #call(slot: Slot, outcome: Outcome): unknown {
    return slot.generator === undefined ? slot.dispose?.call(slot.value) : resume(slot.generator, outcome);
  }

  #ended(slot: Slot, started: number, error?: MillraceError): void {
    if (slot.owns) this.#shared.owned.delete(slot.value);
    this.#shared.tell('close', slot, started, error);
  }
}
