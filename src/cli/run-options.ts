/** What `millrace run` is given. */
export interface RunCommandOptions {
  readonly name: string;
  readonly bind?: readonly string[];
  readonly params?: readonly string[];
  readonly store?: string;
  /** Milliseconds. */
  readonly timeout?: number;
  /* ── of workflows ── */
  readonly plan?: boolean;
  /** A run, or true for the last one that is unfinished. */
  readonly resume?: string | true;
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
  readonly tags?: readonly string[];
  readonly variables?: readonly string[];
  readonly concurrency?: number;
  readonly onFailure?: 'stop' | 'finish-branches';
}

/** Options that mean nothing to a processor. */
export const ofWorkflows = ['plan', 'resume', 'from', 'to', 'only', 'ignore', 'tags', 'variables', 'concurrency', 'onFailure'] as const;
