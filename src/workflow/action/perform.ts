import { toError } from '../../errors.js';
import { maskUrl } from '../../mask.js';
import type { Action, ActionContext } from './action.js';

/**
 * Does what is to be done, one after the other; what goes on beside the others is awaited at the end. An action that fails is told in the
 * log, and nothing else comes of it.
 */
export async function performActions(actions: readonly Action[], context: ActionContext): Promise<void> {
  const beside: Promise<void>[] = [];
  for (const action of actions) {
    if (context.signal.aborted) break;
    const performed = perform(action, context);
    if (action.beside === true) beside.push(performed);
    else await performed;
  }
  await Promise.all(beside);
}

async function perform(action: Action, context: ActionContext): Promise<void> {
  const { event, runId, workflow } = context.facts;
  try {
    await action.perform(context);
    context.log.debug(`Workflow ${workflow}  on ${event}: ${action.name} done`, { runId });
  } catch (thrown) {
    context.log.warn(`Workflow ${workflow}  on ${event}: ${action.name} failed: ${maskUrl(toError(thrown).message)}`, { runId });
  }
}
