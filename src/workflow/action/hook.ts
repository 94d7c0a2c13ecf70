import type { Runtime } from '../../task/runtime.js';
import type { RunStatus, StepResult } from '../../types.js';
import type { WorkflowSpec } from '../spec.js';
import type { RunFacts } from './action.js';
import { performActions } from './perform.js';

/** Runs another workflow of the app; `chain` names those whose actions led to it. */
export type RunAnother = (
  name: string,
  options: { readonly variables: Readonly<Record<string, unknown>>; readonly signal: AbortSignal },
  chain: readonly string[],
) => Promise<unknown>;

export interface ActionHookOptions {
  readonly runtime: Runtime;
  readonly spec: WorkflowSpec;
  readonly runId: string;
  /** Of the run. */
  readonly signal: AbortSignal | undefined;
  /** Workflows whose actions led to this run, the outermost first. */
  readonly chain: readonly string[];
  readonly runAnother: RunAnother | undefined;
}

/** Does what a definition says is to be done when a run begins and ends; the run waits, and nothing of it can fail the run. */
export class ActionHook {
  readonly #options: ActionHookOptions;

  constructor(options: ActionHookOptions) {
    this.#options = options;
  }

  async begin(at: Date): Promise<void> {
    await this.#perform({ ...this.#facts('started', at), status: undefined });
  }

  async end(
    at: Date,
    outcome: {
      readonly status: RunStatus;
      readonly ms: number;
      readonly error: Error | undefined;
      readonly steps: Readonly<Record<string, StepResult>>;
    },
  ): Promise<void> {
    const { status, ms, error, steps } = outcome;
    const statuses = Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, step.status]));
    await this.#perform({
      ...this.#facts(status, at),
      status,
      ms,
      steps: statuses,
      ...(error === undefined ? {} : { error: error.message }),
    });
  }

  #facts(event: RunFacts['event'], at: Date): RunFacts {
    return { event, workflow: this.#options.spec.name, runId: this.#options.runId, at };
  }

  async #perform(facts: RunFacts): Promise<void> {
    const { runtime, spec, chain, runAnother, signal: given } = this.#options;
    const actions = spec.actions?.(facts) ?? [];
    if (actions.length === 0) return;
    // what is to be done when a run was cancelled is done all the same
    const signal = given === undefined || (given.aborted && facts.event !== 'started') ? never : given;
    await performActions(actions, {
      facts,
      log: runtime.log,
      signal,
      runWorkflow: async (name, variables) => {
        const path = [...chain, spec.name];
        if (path.includes(name)) throw new Error(`workflows run each other by their actions: ${[...path, name].join(' -> ')}`);
        await runAnother?.(name, { variables, signal }, path);
      },
    });
  }
}

/** Nobody cancels it. */
const never = new AbortController().signal;
