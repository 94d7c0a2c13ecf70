import type { Log } from '../../types.js';
import type { Action } from './action.js';

export function logAction(message: string, level: keyof Log = 'info'): Action {
  return {
    name: 'log',
    async perform({ log, facts }) {
      log[level](message, { runId: facts.runId });
    },
  };
}
