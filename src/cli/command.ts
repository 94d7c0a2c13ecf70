import type { Interrupts } from './interrupt.js';
import type { Output } from './output.js';

/** What every command is given besides its own options. */
export interface Cli {
  readonly out: Output;
  readonly err: Output;
  readonly interrupts: Interrupts;
  readonly cwd: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** The config file or its folder, where it was named. */
  readonly config: string | undefined;
}

export interface ArgumentSpec {
  /** `<name>`, or `[name]` where it may be left out. */
  readonly syntax: string;
  readonly description: string;
}

export interface OptionSpec {
  readonly flags: string;
  readonly description: string;
  /** Makes a value of the text; `before` is the value so far, of an option that may be repeated. */
  readonly parse?: (text: string, before: unknown) => unknown;
}

/** Runs a command, given its arguments and options by name; answers the exit code. */
export type Action = (options: never, cli: Cli) => Promise<number>;

/** A command as data. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** Lines below the summary. */
  readonly details?: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly string[];
  /** Loads what runs it, and with it the framework. */
  load(): Promise<Action>;
}
