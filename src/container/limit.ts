import { MillraceError } from '../errors.js';
import type { Clock } from '../types.js';

/** How long a closer may take, and by what clock. */
export interface Limit {
  readonly ms: number;
  /** Undefined is the system's. */
  readonly clock: Clock | undefined;
}

export const defaultCloseTimeout = 10_000;

/** @throws {@link MillraceError} `CONFIG_INVALID` for what is no number of milliseconds. */
export function toLimit(ms: number, clock: Clock | undefined): Limit {
  if (typeof ms === 'number' && ms >= 0) return { ms, clock };
  throw new MillraceError('CONFIG_INVALID', `closeTimeout must be a number of milliseconds, 0 or above, not ${String(ms)}.`);
}

/** How something that was waited for ended: well, with a reason, or not in time. */
export type Ended = 'well' | 'failed' | 'late';
type End = (ended: Ended, reason?: unknown) => void;

/** What is done within so many turns of the microtask queue takes no timer, which would cost more than most closers do. */
const freeTurns = 8;
const next = Promise.resolve();
/** What a timer can hold: 24 days. Beyond it there is no limit. */
const longest = 2 ** 31 - 1;

/** Waits for one thing after the other, for each no longer than the limit. */
export class Watch {
  readonly #limit: Limit;
  /** What is waited for; whatever settles later than in its turn concerns nobody. */
  #round = 0;
  #end: End | undefined = undefined;
  #turns = 0;
  #isTurning = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  #sleep: AbortController | undefined = undefined;

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  /** Calls `end` once: when `pending` settles, or when its time is up. */
  follow(pending: PromiseLike<unknown>, end: End): void {
    const round = ++this.#round;
    this.#end = end;
    pending.then(
      () => {
        this.#settle(round, 'well');
      },
      (reason: unknown) => {
        this.#settle(round, 'failed', reason);
      },
    );
    if (this.#limit.clock === undefined) this.#countTurns();
    else this.#sleepOn(this.#limit.clock, round);
  }

  #settle(round: number, ended: Ended, reason?: unknown): void {
    const end = this.#end;
    if (end === undefined || round !== this.#round) return;
    this.#end = undefined;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sleep?.abort();
    end(ended, reason);
  }

  #countTurns(): void {
    this.#turns = 0;
    if (this.#isTurning) return;
    this.#isTurning = true;
    void next.then(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#end !== undefined && this.#turns++ < freeTurns) {
      void next.then(this.#turn);
      return;
    }
    this.#isTurning = false;
    const round = this.#round;
    if (this.#end === undefined || this.#limit.ms > longest) return;
    // It holds the process: a closer that hangs is to be reported, not to end the process in silence.
    this.#timer = setTimeout(() => {
      this.#settle(round, 'late');
    }, this.#limit.ms);
  };

  /** At once, so that who turns the clock next turns it for this one. */
  #sleepOn(clock: Clock, round: number): void {
    this.#sleep = new AbortController();
    const late = (): void => {
      this.#settle(round, 'late');
    };
    clock.sleep(this.#limit.ms, this.#sleep.signal).then(late, () => undefined); // woken, since it is over
  }
}
