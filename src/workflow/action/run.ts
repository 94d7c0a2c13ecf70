import type { Action } from './action.js';

/** Runs another workflow of the app, and waits for it. */
export function runAction(workflow: string, variables: Readonly<Record<string, unknown>>, where: string): Action {
  return {
    name: `run of '${workflow}'`,
    runs: { workflow, where },
    async perform({ runWorkflow }) {
      await runWorkflow(workflow, variables);
    },
  };
}
