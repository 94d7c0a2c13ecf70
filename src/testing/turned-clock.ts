import type { Clock } from '../types.js';

/** A clock that stands still until it is turned. */
export interface TurnedClock extends Clock {
  /**
   * Moves on by so many milliseconds: what sleeps until then wakes in order of time, and what it starts is let run before the next
   * one wakes.
   */
  turn(ms: number): Promise<void>;
}

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/**
 * A clock that only turns when told; time-outs, retries and delays of an app given it obey it.
 *
 * @param start - default 1 January 2026, UTC.
 * @example
 * ```ts
 * const clock = turnedClock();
 * await using app = await createTestApp({ processors: [Slow], clock });
 * const run = app.task(Slow).run({ timeout: 60_000 });
 * await clock.turn(60_000);
 * ```
 */
export function turnedClock(start: Date = new Date('2026-01-01T00:00:00Z')): TurnedClock {
  let now = start.getTime();
  const sleepers = new Set<Sleeper>();
  const nextUntil = (end: number): Sleeper | undefined =>
    [...sleepers]
      .filter(({ due }) => due <= end)
      .reduce<Sleeper | undefined>((first, one) => (first === undefined || one.due < first.due ? one : first), undefined);
  return {
    now: () => new Date(now),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason as Error);
          return;
        }
        const abort = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        };
        const sleeper: Sleeper = {
          due: now + ms,
          wake() {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', abort);
            resolve();
          },
        };
        signal?.addEventListener('abort', abort, { once: true });
        sleepers.add(sleeper);
      }),
    async turn(ms) {
      const end = now + ms;
      await settle();
      for (let next = nextUntil(end); next !== undefined; next = nextUntil(end)) {
        now = Math.max(now, next.due);
        next.wake();
        await settle();
      }
      now = end;
    },
  };
}

/** Lets everything run that can without time going by: a few turns of the event loop, for I/O that answers at once. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
