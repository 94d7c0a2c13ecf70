import { MillraceError } from '../errors.js';
import type { Clock } from '../types.js';
import type { Cancellation } from './canceller.js';
import { describeDuration } from './log.js';
import { systemClock } from './retry.js';

/** Ends an attempt from outside: the caller's signal, or its time being up. */
export class Interrupt {
  /** Why, once it is. */
  kind: 'TASK_CANCELLED' | 'TASK_TIMEOUT' | undefined;
  reason: unknown;
  /** Both are made when they are asked for: most attempts end before. */
  #controller: AbortController | undefined;
  #waiting: { readonly promise: Promise<never>; reject(reason: unknown): void } | undefined;
  readonly #stopTimer: AbortController | undefined;
  readonly #outer: Cancellation | undefined;
  readonly #onOuter = (): void => {
    this.#abort('TASK_CANCELLED', this.#outer?.reason);
  };

  constructor(what: string, outer: Cancellation | undefined, timeout: number | undefined, clock: Clock = systemClock) {
    this.#outer = outer;
    if (outer?.aborted === true) this.#onOuter();
    else outer?.addEventListener('abort', this.#onOuter, { once: true });
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
    if (this.#waiting === undefined) {
      let reject: (reason: unknown) => void = () => undefined;
      const promise = new Promise<never>((_resolve, refuse) => (reject = refuse));
      promise.catch(() => undefined); // it is raced, and may lose
      this.#waiting = { promise, reject };
      if (this.kind !== undefined) reject(this.reason);
    }
    return this.#waiting.promise;
  }

  /** Ends the timer and lets go of the caller's signal. */
  release(): void {
    this.#outer?.removeEventListener('abort', this.#onOuter);
    this.#stopTimer?.abort();
  }

  #abort(kind: 'TASK_CANCELLED' | 'TASK_TIMEOUT', reason: unknown): void {
    if (this.kind !== undefined) return;
    this.kind = kind;
    this.reason = reason;
    this.#controller?.abort(reason);
    this.#waiting?.reject(reason);
  }
}
