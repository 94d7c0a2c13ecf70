import { rows, sink, type App } from 'millrace';
import { CopyBatches, Reprice, sales, type Sale } from './fixtures.js';
import { against } from './measure.js';

/** The same work by hand on a driver: writing, reading, and both. */
export interface ByHand {
  write(rows: Iterable<Sale>): Promise<void>;
  read(take: (rows: readonly Sale[]) => void): Promise<void> | void;
  readWrite(): Promise<void>;
}

type Times = Awaited<ReturnType<typeof against>>;

/** Writes, reads and reprices sales on the app's default store, by turns with the same by hand. */
export async function compare(
  app: App,
  byHand: ByHand,
  { count, rounds }: { readonly count: number; readonly rounds: number },
): Promise<{ readonly write: Times; readonly read: Times; readonly both: Times; readonly seen: number }> {
  const write = await against(
    rounds,
    () =>
      app
        .task(CopyBatches)
        .bind({ from: rows(() => sales(count)), to: 'sales' })
        .run(),
    () => byHand.write(sales(count)),
  );
  let seen = 0;
  const take = (taken: readonly Sale[]): void => void (seen += taken.length);
  const read = await against(
    rounds,
    () =>
      app
        .task(CopyBatches)
        .bind({ from: 'sales', to: sink(take) })
        .run(),
    () => byHand.read(take),
  );
  const both = await against(
    rounds,
    () => app.task(Reprice).bind({ from: 'sales', to: 'repriced' }).run(),
    () => byHand.readWrite(),
  );
  return { write, read, both, seen };
}
