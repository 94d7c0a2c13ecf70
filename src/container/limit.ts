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

/** What is done within so many turns of the microtask queue takes no timer, which would cost more than most closers do. */
const turns = 8;
const next = Promise.resolve();
/** What a timer can hold: 24 days. Beyond it there is no limit. */
const longest = 2 ** 31 - 1;

/** Whether `pending` settles in time. It never rejects: the caller asks `pending` how it went. */
export async function settlesWithin(pending: Promise<unknown>, limit: Limit): Promise<boolean> {
  if (limit.clock !== undefined) return raceOn(limit.clock, pending, limit.ms);
  let settled = false;
  const done = pending.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let turn = 0; turn < turns; turn++) {
    await next;
    if (settled as boolean) return true;
  }
  return limit.ms > longest ? done : race(done, limit.ms);
}

/** The timer holds the process: a closer that hangs is to be reported, not to end the process in silence. */
function race(done: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(false);
    }, ms);
    void done.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Asleep at once, so that who turns the clock next turns it for this closer. */
async function raceOn(clock: Clock, pending: Promise<unknown>, ms: number): Promise<boolean> {
  const over = new AbortController();
  const done = pending.then(
    () => true,
    () => true,
  );
  const asleep = clock.sleep(ms, over.signal).then(
    () => false,
    () => true, // woken, since `done` is
  );
  const inTime = await Promise.race([done, asleep]);
  over.abort();
  return inTime;
}
