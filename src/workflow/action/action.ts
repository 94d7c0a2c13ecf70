import type { Log, RunStatus, StepStatus } from '../../types.js';

/** When a definition's actions are done. */
export const actionEvents = ['started', 'succeeded', 'partial', 'failed', 'cancelled'] as const;
export type ActionEvent = (typeof actionEvents)[number];

/** What an action is told of the run. */
export interface RunFacts {
  readonly event: ActionEvent;
  readonly workflow: string;
  readonly runId: string;
  readonly at: Date;
  /** Milliseconds; absent when the run begins. */
  readonly ms?: number;
  readonly status?: RunStatus | undefined;
  /** The message of the error that the run ends with. */
  readonly error?: string;
  readonly steps?: Readonly<Record<string, StepStatus>>;
}

/** What actions do their work with. */
export interface ActionContext {
  readonly facts: RunFacts;
  readonly log: Log;
  /** Ends what is being done when the run is cancelled meanwhile. */
  readonly signal: AbortSignal;
  /** Runs another workflow of the app, and waits for it. */
  runWorkflow(name: string, variables: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Something to do when a run begins or ends. It may fail: the run does not. */
export interface Action {
  /** As the log names it; no secret is in it. */
  readonly name: string;
  /** Goes on beside the actions after it, and is awaited at the end. */
  readonly beside?: true;
  /** The workflow of the same app that it runs, and where it is named. */
  readonly runs?: { readonly workflow: string; readonly where: string };
  perform(context: ActionContext): Promise<void>;
}
