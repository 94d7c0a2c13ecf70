import type { Action } from './action.js';

/** Runs another workflow of the app, and waits for it. */
export function runAction(workflow: string, variables: Readonly<Record<string, unknown>> = {}): Action {
  return {
    name: `run of '${workflow}'`,
    async perform({ runWorkflow }) {
      await runWorkflow(workflow, variables);
    },
  };
}
