import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/task/retry.js';

describe("The system's clock", () => {
  it.each([0, 1000, 2 ** 40])('refuses to sleep %i ms where the signal is aborted already', async (ms) => {
    await expect(systemClock.sleep(ms, AbortSignal.abort('enough'))).rejects.toBe('enough');
  });

  it('lets timers that are due go first, even where there is no time to sleep', async () => {
    const told: string[] = [];
    setTimeout(() => told.push('timer'), 0);
    await systemClock.sleep(0);
    expect(told).toEqual(['timer']);
  });

  it('is woken from a sleep longer than a timer takes', async () => {
    const stop = new AbortController();
    const slept = systemClock.sleep(2 ** 40, stop.signal);
    stop.abort('enough');
    await expect(slept).rejects.toBe('enough');
  });
});
