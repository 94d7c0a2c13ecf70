import type { MillraceError } from '../errors.js';
import type { AnyGenerator, Outcome } from './closer.js';
import type { Part } from './wiring.js';

/**
 * One dependency in one owner, from the moment it is asked for.
 *
 * ```
 * pending ──> ready ──> (closed, with its owner)
 *    └──────> failed    (forgotten by its owner: who asks next begins anew)
 * ```
 */
export class Slot {
  readonly part: Part;
  /** The longest life for which it was asked. */
  level: number;
  /** Whether its owner gives it to everyone who asks; else it was built for one. */
  readonly shared: boolean;
  state: 'pending' | 'ready' | 'failed' = 'pending';
  /** When ready. */
  value: unknown = undefined;
  /** When failed. */
  error: MillraceError | undefined = undefined;
  /** What is resumed to close it. */
  generator: AnyGenerator | undefined = undefined;
  /** What is called on the value to close it. */
  dispose: (() => unknown) | undefined = undefined;
  /** Whether the value is entered as owned. */
  owns = false;
  /** Its owner closed while it was being set up: how it is closed then, whatever the owner's outcome. */
  abort: Outcome | undefined = undefined;
  /** Its owner has given up waiting for the set-up. */
  abandoned = false;
  /** When its set-up began, if someone observes. */
  started = 0;
  #listeners: (() => void)[] | undefined = undefined;

  constructor(part: Part, level: number, shared: boolean) {
    this.part = part;
    this.level = level;
    this.shared = shared;
  }

  get closes(): boolean {
    return this.generator !== undefined || this.dispose !== undefined;
  }

  /** Else it is an object built for whoever asked, of no further concern. */
  get isManaged(): boolean {
    return this.shared || this.closes;
  }

  /** Of a slot that is pending: calls once, when it is not any more. */
  whenSettled(listener: () => void): void {
    (this.#listeners ??= []).push(listener);
  }

  succeed(): void {
    this.state = 'ready';
    this.#settle();
  }

  fail(error: MillraceError): void {
    this.state = 'failed';
    this.error = error;
    this.#settle();
  }

  #settle(): void {
    const listeners = this.#listeners;
    if (listeners === undefined) return;
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }
}
