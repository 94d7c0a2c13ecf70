import { MillraceError } from '../errors.js';
import type { Clock } from '../types.js';
import { systemClock } from './retry.js';
import { describeDuration } from './log.js';

/** Ends an attempt from outside: the caller's signal, or its time being up. */
export class Interrupt {
  /** What the action is given. */
  readonly signal: AbortSignal;
  /** Rejects with the reason when the attempt is to end; never resolves. */
  readonly promise: Promise<never>;
  /** Why, once it is. */
  kind: 'TASK_CANCELLED' | 'TASK_TIMEOUT' | undefined;
  readonly #controller = new AbortController();
  readonly #stopTimer = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #onOuter = (): void => {
    this.#abort('TASK_CANCELLED', this.#outer?.reason);
  };
  #reject: (reason: unknown) => void = () => undefined;

  constructor(what: string, outer: AbortSignal | undefined, timeout: number | undefined, clock: Clock = systemClock) {
    this.signal = this.#controller.signal;
    this.promise = new Promise<never>((_resolve, reject) => (this.#reject = reject));
    this.promise.catch(() => undefined); // it is raced, and may lose
    this.#outer = outer;
    if (outer?.aborted === true) this.#onOuter();
    else outer?.addEventListener('abort', this.#onOuter, { once: true });
    if (timeout === undefined) return;
    clock.sleep(timeout, this.#stopTimer.signal).then(
      () => {
        this.#abort('TASK_TIMEOUT', new MillraceError('TASK_TIMEOUT', `${what} took longer than ${describeDuration(timeout)}`));
      },
      () => undefined, // the attempt ended in time
    );
  }

  /** Ends the timer and lets go of the caller's signal. */
  release(): void {
    this.#outer?.removeEventListener('abort', this.#onOuter);
    this.#stopTimer.abort();
  }

  #abort(kind: 'TASK_CANCELLED' | 'TASK_TIMEOUT', reason: unknown): void {
    if (this.kind !== undefined) return;
    this.kind = kind;
    this.#controller.abort(reason);
    this.#reject(this.#controller.signal.reason);
  }
}
