import { aRetry, aTimeout, rule, texts, type Rules } from '../decorators/option.js';
import { MillraceError } from '../errors.js';
import type { RunOptions } from '../task/runner.js';
import type { Slices } from './slice.js';

/** How to run a workflow. `timeout` bounds the whole run; `retry` is for steps that have none of their own. */
export interface WorkflowRunOptions extends RunOptions, Slices {
  /** Steps that run at once; steps joined by streaming links count as one. Default: the cores of this machine. */
  readonly concurrency?: number;
  /** Beat those that the definition gives. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Bindings for this run alone, by step and port. */
  readonly bind?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Stop at the first failure (default), or finish branches that do not depend on it. */
  readonly onFailure?: 'stop' | 'finish-branches';
}

/** What a plan says of one step. */
export interface PlannedStep {
  readonly name: string;
  readonly runs: boolean;
  /** Why it runs or does not: `selected`, `not selected`, `published by run …`. */
  readonly reason: string;
  /** By property: what each port will use. */
  readonly bindings: Readonly<Record<string, string>>;
  /** The links that it reads: how their rows come, and why not by streaming. */
  readonly links: readonly PlannedLink[];
}

/** How the rows of a link come to the step that reads them. */
export interface PlannedLink {
  /** By property. */
  readonly input: string;
  readonly from: string;
  /** Row by row while both steps run; by way of a collection of Millrace's own; from where the output is published. */
  readonly by: 'stream' | 'spool' | 'collection';
  /** Why it does not stream. */
  readonly reason?: string;
}

const anObject = rule('an object', (value) => typeof value === 'object' && value !== null && !Array.isArray(value));
const rules: Rules = {
  concurrency: rule('a whole number from 1', (value) => Number.isInteger(value) && (value as number) >= 1),
  timeout: aTimeout,
  retry: aRetry,
  onFailure: rule("'stop' or 'finish-branches'", (value) => value === 'stop' || value === 'finish-branches'),
  variables: anObject,
  bind: anObject,
  from: texts,
  to: texts,
  only: texts,
  ignore: texts,
  tags: texts,
};

/**
 * Refuses what TypeScript would not have let through: options come from command lines and plain JavaScript too.
 *
 * @throws MillraceError `CONFIG_INVALID`.
 */
export function checkRunOptions(workflow: string, options: WorkflowRunOptions): void {
  for (const [option, check] of Object.entries(rules)) {
    const problem = check(options[option as keyof WorkflowRunOptions]);
    if (problem !== undefined) throw new MillraceError('CONFIG_INVALID', `Workflow '${workflow}' run option '${option}' ${problem}`);
  }
}
