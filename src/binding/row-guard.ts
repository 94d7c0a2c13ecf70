import { describeValue, MillraceError, RowError } from '../errors.js';
import type { OnInvalid, Row } from '../types.js';
import type { Reason, RowCheck } from '../validation/row-check.js';

/** A row that was refused, as it is kept among the rejects. */
export interface Reject {
  readonly row: unknown;
  readonly reasons: readonly string[];
  readonly port: string;
  /** Counts the port's rows from 0. */
  readonly index: number;
}

export interface GuardOptions {
  readonly processor: string;
  readonly kind: 'input' | 'output';
  readonly port: string;
  /** Undefined where the port has no schema, or its rows are not to be checked. */
  readonly check: RowCheck | undefined;
  readonly onInvalid: OnInvalid;
  /** Properties that every row must have: the key of an upsert. */
  readonly key: readonly string[] | undefined;
  readonly freeze: boolean;
  /** Every row is known to be one. */
  readonly trusted?: boolean;
  reject(reject: Reject): void;
  /** What the port has to wait for, where rejects come faster than they are taken. */
  drained(): Promise<void> | undefined;
  warn(message: string): void;
}

/** Lets a port's valid rows through, and does with the others what the port wants done. */
export class RowGuard {
  readonly #options: GuardOptions;
  rejected = 0;
  /** The first error that was met: it fails the task even where the action swallowed it. */
  failure: RowError | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Whether rows may have to be checked asynchronously. */
  get mayBeAsync(): boolean {
    return this.#options.check?.mayBeAsync === true;
  }

  /** Whether every row passes, so that none need be looked at. */
  get passesAll(): boolean {
    return this.#options.check === undefined && this.#options.key === undefined;
  }

  /** Whether a row that was read may be left out. */
  get mayDrop(): boolean {
    return this.#options.onInvalid === 'reject';
  }

  drained(): Promise<void> | undefined {
    return this.#options.drained();
  }

  /** Whether one row passes; only where rows are checked synchronously. */
  passes(row: Row, index: number): boolean {
    const reasons = this.#reasons(row, undefined) as readonly Reason[] | undefined;
    return reasons === undefined || !this.#refuse(row, reasons, index, 0);
  }

  /**
   * The rows that pass: the same array where all do.
   *
   * @param index - of the first row.
   * @param only - the properties that a projection kept.
   * @param recorded - rows below this index were refused in an earlier pass already.
   */
  admit(
    rows: readonly Row[],
    index: number,
    only: ReadonlySet<string> | undefined,
    recorded = 0,
  ): readonly Row[] | Promise<readonly Row[]> {
    const { trusted, check, key, freeze } = this.#options;
    if (trusted === true && check === undefined && key === undefined && !freeze) return rows;
    let kept: Row[] | undefined;
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as Row;
      const reasons = this.#reasons(row, only);
      if (reasons instanceof Promise) return this.#admitLater(rows, at, reasons, { kept, index, only, recorded });
      if (reasons === undefined) kept?.push(row);
      else if (this.#refuse(row, reasons, index + at, recorded)) kept ??= rows.slice(0, at);
      else kept?.push(row);
    }
    return kept ?? rows;
  }

  async #admitLater(
    rows: readonly Row[],
    from: number,
    first: Promise<readonly Reason[] | undefined>,
    { kept, index, only, recorded }: { kept: Row[] | undefined; index: number; only: ReadonlySet<string> | undefined; recorded: number },
  ): Promise<readonly Row[]> {
    const passed = kept ?? rows.slice(0, from);
    for (let at = from; at < rows.length; at++) {
      const row = rows[at] as Row;
      const reasons = await (at === from ? first : this.#reasons(row, only));
      if (reasons === undefined || !this.#refuse(row, reasons, index + at, recorded)) passed.push(row);
    }
    return passed;
  }

  #reasons(row: Row, only: ReadonlySet<string> | undefined): readonly Reason[] | undefined | Promise<readonly Reason[] | undefined> {
    if (typeof row !== 'object' || (row as unknown) === null || Array.isArray(row)) return [notARow(row)];
    if (this.#options.freeze) deepFreeze(row);
    const { check, key } = this.#options;
    const reasons = check?.check(row, only);
    if (key === undefined) return reasons;
    const missing = key.filter((name) => (row as Record<string, unknown>)[name] === undefined);
    if (missing.length === 0) return reasons;
    const lacks = missing.map((property) => ({
      property,
      rule: 'key',
      value: undefined,
      message: `${property} is part of the key and must be present`,
    }));
    return reasons instanceof Promise ? reasons.then((others = []) => [...others, ...lacks]) : [...(reasons ?? []), ...lacks];
  }

  /** Whether the row is to be left out. */
  #refuse(row: Row, reasons: readonly Reason[], index: number, recorded: number): boolean {
    const { onInvalid, port } = this.#options;
    const structural = reasons.some(({ rule }) => rule === 'isRow' || rule === 'key');
    if (onInvalid === 'reject') {
      if (index >= recorded) {
        this.rejected++;
        this.#options.reject({ row, reasons: reasons.map(({ message }) => message), port, index });
      }
      return true;
    }
    if (onInvalid === 'fail' || structural) throw (this.failure ??= this.#error(row, reasons, index));
    if (onInvalid === 'warn' && index >= recorded) this.#options.warn(this.#error(row, reasons, index).message);
    return false;
  }

  #error(row: Row, reasons: readonly Reason[], index: number): RowError {
    const { processor, kind, port } = this.#options;
    const id = (row as { readonly _id?: unknown } | null)?._id;
    const identity = id === undefined ? '' : ` (_id ${describeId(id)})`;
    const messages = reasons.map(({ message }) => message);
    return new RowError(
      `Processor '${processor}' ${kind} port '${port}': row ${String(index)}${identity} is invalid: ${messages.join('; ')}`,
      {
        port,
        index,
        reasons: messages,
        path: [processor, `${kind} ${port}`, `row ${String(index)}`],
      },
    );
  }
}

/** An ObjectId shows itself as its digits. */
function describeId(id: unknown): string {
  const text = String(id);
  return text.startsWith('[object') ? describeValue(id) : text;
}

function notARow(value: unknown): Reason {
  return { property: '', rule: 'isRow', value, message: `a row is an object, not ${describeValue(value)}` };
}

/** Plain objects and arrays all the way down: what they hold besides (dates, ids) has no frozen form. */
function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}

/** What a use of a port is answered with when its task has ended. */
export function portClosed(processor: string, kind: 'input' | 'output', port: string, why: string): MillraceError {
  const did = kind === 'input' ? 'was read' : 'was written to';
  return new MillraceError(
    'PORT_CLOSED',
    `Processor '${processor}' ${kind} port '${port}' ${did} after ${why}; await every read and write before the action returns, and stop when its signal is aborted`,
    { path: [processor, `${kind} ${port}`] },
  );
}
