import { runCommand, type CommandOptions } from '../command.js';
import type { Action } from './action.js';
import { withLimit } from './limit.js';

/** Milliseconds that a program may take where nothing else is said. */
const longest = 60_000;

/** Runs a program; its output goes to the log. */
export function commandAction(options: CommandOptions, timeout = longest): Action {
  return {
    name: `command '${options.command}'`,
    async perform({ log, facts, signal }) {
      const { runId } = facts;
      const told = { info: (line: string) => log.info(line, { runId }), warn: (line: string) => log.warn(line, { runId }) };
      await withLimit(signal, timeout, (limited) =>
        runCommand(options, { name: options.command, signal: limited, log: told, isTold: true, take: () => undefined }),
      );
    },
  };
}
