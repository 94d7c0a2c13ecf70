import type { Row } from '../types.js';

/** Where the rows of an output go while its task runs. */
export interface Target {
  /** Takes a batch, which is the target's from then on; a promise is back-pressure. */
  take(rows: readonly Row[]): Promise<void> | void;
  /** Resolves when everything taken has arrived. */
  flush?(): Promise<void>;
  /** The attempt is over: whoever waits for a batch to be taken is let go. */
  close?(): void;
}
