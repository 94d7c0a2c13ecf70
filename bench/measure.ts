/** A line of the table: what was measured, what came out, what is to hold. */
export interface Line {
  readonly what: string;
  readonly measured: string;
  readonly bar: string;
  readonly holds: boolean;
}

/** The least of several takings of milliseconds: noise only ever adds. */
export async function best(rounds: number, run: () => unknown): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) least = Math.min(least, await milliseconds(run));
  return least;
}

/** Both by turns, so that what else the machine does falls on both. */
export async function against(
  rounds: number,
  ours: () => unknown,
  theirs: () => unknown,
): Promise<{ readonly ours: number; readonly theirs: number }> {
  const least = { ours: Infinity, theirs: Infinity };
  for (let round = 0; round < rounds; round++) {
    least.ours = Math.min(least.ours, await milliseconds(ours));
    least.theirs = Math.min(least.theirs, await milliseconds(theirs));
  }
  return least;
}

async function milliseconds(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}
