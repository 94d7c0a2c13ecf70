/** What becomes of a step, and why. */
export interface Fate {
  readonly does: 'run' | 'reuse' | 'nothing';
  readonly reason: string;
  /** For `reuse`: where the rows of its outputs are, by property. */
  readonly kept?: Readonly<Record<string, KeptOutput>>;
  /** What it is and what it read, where that is known. */
  readonly lineage?: string;
}

/** Where the rows of an output are after its step has ended. */
export interface KeptOutput {
  readonly rows: number;
  /** A collection of Millrace's own in the default store. */
  readonly spool?: string;
  /** Published, and nothing else in it. */
  readonly collection?: { readonly store: string; readonly name: string };
  /** Published to a file, and nothing else in it. */
  readonly file?: true;
  /** Whether its rows had an `_id` of their own. */
  readonly hasIds?: boolean;
}
