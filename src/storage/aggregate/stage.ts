import type { Row } from '../../types.js';
import type { Variables } from './expressions.js';

export type Batches = AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>;

/** One stage, ready to run. */
export type Run = (input: Batches) => Batches;

/** Where a stage stands and what it may read. */
export interface Context {
  /** For messages: `pipeline[2].$lookup`. */
  readonly place: string;
  readonly variables: Variables;
  /** The rows of a collection that a stage names, read anew at each call. */
  readonly read: (name: string) => Batches | Promise<Batches>;
}
