import { toError } from '../errors.js';
import type { Output } from './output.js';
import { findUserFrame } from '../metadata/call-site.js';
import { describeFailure, exitCode } from './failure.js';

/** Ctrl-C: the first cancels what is under way and lets it close everything, the second ends the process at once. */
export class Interrupts {
  readonly #controller = new AbortController();
  readonly #err: Output;
  readonly #exit: (code: number) => void;
  #held = false;
  #code: number = exitCode.interrupted;

  constructor(err: Output, exit: (code: number) => void) {
    this.#err = err;
    this.#exit = exit;
  }

  /** Whether the command is being ended from outside, and by which exit code; undefined while it is not. */
  get code(): number | undefined {
    return this.#controller.signal.aborted ? this.#code : undefined;
  }

  /** From here on the command ends by itself when the signal is aborted; before, it has nothing to close. */
  hold(): AbortSignal {
    this.#held = true;
    return this.#controller.signal;
  }

  raise(): void {
    if (!this.#held || this.code !== undefined) return this.#exit(exitCode.interrupted);
    this.#err.line('Interrupted: cancelling, and closing what is open. Press Ctrl-C again to end at once.');
    this.#controller.abort(new Error('it was interrupted'));
  }

  /** An error that nobody awaited. */
  fail(thrown: unknown): void {
    const error = toError(thrown);
    const told = new Error(`an error was thrown where nothing awaited it: ${error.message}`, { cause: thrown });
    this.#end(error, Object.assign(told, { where: [findUserFrame(error.stack)] }));
  }

  /** The disk is full, for instance, to which standard output goes. */
  failToWrite(error: Error): void {
    this.#end(error, new Error(`standard output cannot be written: ${error.message}`, { cause: error }));
  }

  #end(error: Error, told: Error): void {
    this.#err.line(describeFailure(told, this.#err));
    if (!this.#held) return this.#exit(exitCode.refused);
    if (this.code !== undefined) return this.#exit(exitCode.failed);
    this.#code = exitCode.failed;
    this.#controller.abort(error);
  }
}
