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

/** Microseconds each, of so many and of ten times as many, ours and theirs by turns. */
export interface Growth {
  readonly each: number;
  /** What one costs among ten times as many, against what it costs among the few; of theirs the same, and ours against that. */
  readonly growth: number;
  /** Ours against theirs. */
  readonly ratio: number;
}

export async function grow(
  rounds: number,
  few: number,
  ours: (count: number) => Promise<void>,
  theirs: (count: number) => Promise<void>,
): Promise<Growth> {
  const many = few * 10;
  const [small, large] = [
    { ours: Infinity, theirs: Infinity },
    { ours: Infinity, theirs: Infinity },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const [who, run] of [['ours', ours] as const, ['theirs', theirs] as const]) {
      const tenTimes = async (): Promise<void> => {
        for (let at = 0; at < 10; at++) await run(few);
      };
      // ten in a row, so that they bear their share of what is collected now and then
      small[who] = Math.min(small[who], await milliseconds(tenTimes));
      large[who] = Math.min(large[who], await milliseconds(() => run(many)));
    }
  }
  return {
    each: (large.ours * 1000) / many,
    growth: large.ours / small.ours / (large.theirs / small.theirs),
    ratio: large.ours / large.theirs,
  };
}

async function milliseconds(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}
