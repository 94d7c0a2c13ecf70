import { MillraceError } from '../errors.js';
import type { Clock } from '../types.js';
import type { AbortListener, Cancellation } from './canceller.js';
import { describeDuration } from './log.js';
import { systemClock } from './retry.js';

/** Ends an attempt from outside: the caller's signal, or its time being up. */
export class Interrupt implements AbortListener {
  /** Why, once it is. */
  kind: 'TASK_CANCELLED' | 'TASK_TIMEOUT' | undefined;
  reason: unknown;
  /** Both are made when they are asked for: most attempts end before. */
  #controller: AbortController | undefined;
  #promise: Promise<never> | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  readonly #stopTimer: AbortController | undefined;
  readonly #outer: Cancellation | undefined;

  constructor(what: string, outer: Cancellation | undefined, timeout: number | undefined, clock: Clock = systemClock) {
    this.#outer = outer;
    if (outer?.aborted === true) this.handleEvent();
    else outer?.addEventListener('abort', this, { once: true });
    if (timeout === undefined) return;
    this.#stopTimer = new AbortController();
    clock.sleep(timeout, this.#stopTimer.signal).then(
      () => {
        this.#abort('TASK_TIMEOUT', new MillraceError('TASK_TIMEOUT', `${what} took longer than ${describeDuration(timeout)}`));
      },
      () => undefined, // the attempt ended in time
    );
  }

  /** What the action is given. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.kind !== undefined) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  /** Rejects with the reason when the attempt is to end; never resolves. */
  get promise(): Promise<never> {
    if (this.#promise === undefined) {
      this.#promise = new Promise<never>((_resolve, reject) => {
        this.#reject = reject;
      });
      this.#promise.catch(() => undefined); // it is raced, and may lose
      if (this.kind !== undefined) this.#reject?.(this.reason);
    }
    return this.#promise;
  }

  /** The caller's signal was aborted. */
  handleEvent(): void {
    this.#abort('TASK_CANCELLED', this.#outer?.reason);
  }

  /** Ends the timer and lets go of the caller's signal. */
  release(): void {
    this.#outer?.removeEventListener('abort', this);
    this.#stopTimer?.abort();
  }

  #abort(kind: 'TASK_CANCELLED' | 'TASK_TIMEOUT', reason: unknown): void {
    if (this.kind !== undefined) return;
    this.kind = kind;
    this.reason = reason;
    this.#controller?.abort(reason);
    this.#reject?.(reason);
  }
}
