import type { Store } from '../storage/store.js';
import type { Row } from '../types.js';

/** Where the rows of an output go while its task runs. */
export interface Target {
  /** Takes a batch, which is the target's from then on; a promise is back-pressure. */
  take(rows: readonly Row[]): Promise<void> | void;
  /**
   * Takes what a pipeline makes of a collection, where that can be done without its rows leaving their store; answers how many there
   * were, and undefined where it cannot.
   */
  aggregate?(store: Store, from: string, pipeline: readonly object[]): Promise<number | undefined>;
  /** Resolves when everything taken has arrived. */
  flush?(): Promise<void>;
  /** The attempt is over: whoever waits for a batch to be taken is let go. */
  close?(): void;
}

/** Where the rows go that nobody asked for. */
export const nowhere: Target = Object.freeze({ take: () => undefined });
