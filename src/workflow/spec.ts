import type { LinkBinding } from '../binding/binding.js';
import type { GivenBindings } from '../binding/resolved.js';
import type { CallSite } from '../metadata/registry.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { RunOptions } from '../task/runner.js';
import type { Link, Retry } from '../types.js';
import type { Action, RunFacts } from './action/action.js';
import type { Graph } from './graph.js';

/** What a step's `when` is given. */
export interface WhenContext {
  readonly variables: Readonly<Record<string, unknown>>;
  /**
   * How many rows came through a link.
   *
   * @throws {@link MillraceError} where its writer has not ended: name it in `after`.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a link of any document
  rows(link: Link<any>): Promise<number>;
}

type TaskListeners = NonNullable<RunOptions['on']>;

/** What a step does besides its ports. */
export interface StepBehaviour {
  /** Milliseconds for one attempt; default the processor's. */
  readonly timeout?: number;
  /** Default the processor's, else the run's. */
  readonly retry?: Retry;
  /** What happens to the run when this step fails: stop it (default), or go on without what reads from this step. */
  readonly onError?: 'stop' | 'skip';
  /** Keeps its linked outputs until the workflow has succeeded, so that `resume` can start after it. Default false. */
  readonly keep?: boolean;
  /** Read when the step is about to start; false skips the step and what reads from it. */
  readonly when?: (context: WhenContext) => boolean | Promise<boolean>;
  /** Listeners for this step alone, besides the run's. */
  readonly on?: TaskListeners;
}

/** Of a step that says nothing: shared by all of them. */
export const plainBehaviour: StepBehaviour = Object.freeze({});

/** One processor in its place: what a definition says of it, as data. */
export interface StepSpec {
  /** Within a workflow within: `outer/inner`. */
  readonly name: string;
  readonly processor: ProcessorSpec;
  /** By property; a link is a binding of kind `link`. */
  readonly given: GivenBindings;
  /** Names of steps. */
  readonly after: readonly string[];
  /** Its own and its processor's. */
  readonly tags: ReadonlySet<string>;
  readonly behaviour: StepBehaviour;
  /** `file:line` of the definition; worked out when a fault names it, since that costs more than to run a short step. */
  readonly where: CallSite;
  /** What a change of makes it another step, besides its processor and bindings: the command line of a command. */
  readonly detail: string | undefined;
}

/** A workflow that was checked: links lead to steps, names are single, nothing waits for itself. */
export interface WorkflowSpec {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly steps: readonly StepSpec[];
  readonly graph: Graph;
  /** Outputs that workflows around it may link from: they need no other reader. */
  readonly exported: readonly LinkBinding[];
  /** By name of a group or of a workflow within: its steps. */
  readonly groups: ReadonlyMap<string, readonly number[]>;
  /** What definition files say of variables; a run's come first. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Of a definition file: the names of its variables, and of those whose values no record may hold. */
  readonly variableFacts?: { readonly known: ReadonlySet<string>; readonly secret: ReadonlySet<string> };
  /**
   * The definition as a run means it: with its variables, and the dates of its beginning. Absent where nothing depends on them.
   *
   * @throws {@link DefinitionError} where they make it wrong.
   */
  readonly resolve?: (context: ResolveContext) => Promise<WorkflowSpec>;
  /** What is to be done when a run begins and ends. */
  readonly actions?: (facts: RunFacts) => readonly Action[];
  /** Workflows of the same app that these run. */
  readonly runs?: readonly NonNullable<Action['runs']>[];
}

/** What a run adds to a definition. */
export interface ResolveContext {
  readonly variables: Readonly<Record<string, unknown>>;
  /** When the run begins; of a run that goes on with another, when that began. */
  readonly now: Date;
}
