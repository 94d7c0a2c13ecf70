import { runCommand, type CommandOptions } from '../command.js';
import type { Action } from './action.js';

/** Milliseconds that a program may take where nothing else is said. */
const longest = 60_000;

/** Runs a program; its output goes to the log. */
export function commandAction(options: CommandOptions, timeout = longest): Action {
  return {
    name: `command '${options.command}'`,
    async perform({ log, facts }) {
      const controller = new AbortController();
      const timer = setTimeout(() => {
        controller.abort(new Error(`it took longer than ${String(timeout)} ms`));
      }, timeout);
      const tell = (line: string): void => log.info(`${options.command}: ${line}`, { runId: facts.runId });
      try {
        await runCommand(options, (lines) => lines.forEach(tell), { signal: controller.signal, log });
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
