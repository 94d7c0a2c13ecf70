import type { Row } from '../types.js';
import type { Target } from './target.js';

/** Notes whether rows had an `_id` of their own before a store gave them one. */
export class IdWatch implements Target {
  hasIds = false;

  take(rows: readonly Row[]): undefined {
    if (!this.hasIds) this.hasIds = rows.some((row) => '_id' in row);
  }
}

/** Rows as a spool keeps them: in order, and with or without an `_id` as they were written. */
interface Spooled {
  readonly _id: number;
  readonly row: Row;
}

/** Numbers rows and wraps them. */
export function wrapSpooled(target: Target): Target {
  let next = 0;
  return {
    take: (rows) => target.take(rows.map((row): Spooled => ({ _id: next++, row }))),
    ...(target.flush === undefined ? {} : { flush: () => target.flush?.() ?? Promise.resolve() }),
  };
}

export function unwrapSpooled(rows: readonly Row[]): readonly Row[] {
  return (rows as readonly Spooled[]).map(({ row }) => row);
}
