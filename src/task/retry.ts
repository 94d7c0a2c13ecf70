import { NonRetryableError } from '../errors.js';
import type { Clock, Retry } from '../types.js';

/** Milliseconds before the attempt after `attempt`; undefined where there is none. */
export function retryDelay(retry: Retry | undefined, attempt: number, error: unknown, random = Math.random): number | undefined {
  if (retry === undefined || attempt >= retry.attempts || error instanceof NonRetryableError) return undefined;
  if (retry.on?.(error) === false) return undefined;
  const { delay = 0, backoff = 'fixed', jitter = 0 } = retry;
  const base = backoff === 'exponential' ? delay * 2 ** (attempt - 1) : delay;
  return Math.round(base * (1 - jitter) + base * jitter * random());
}

/** What a timer takes; it fires at once for more. */
const longestTimer = 2 ** 31 - 1;

/** The system's time. */
export const systemClock: Clock = Object.freeze({
  now: () => new Date(),
  async sleep(ms: number, signal?: AbortSignal) {
    let left = ms;
    do await nap(Math.min(left, longestTimer), signal);
    while ((left -= longestTimer) > 0);
  },
});

function nap(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
