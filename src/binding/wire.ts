import type { Store } from '../storage/store.js';
import type { Source } from './source.js';
import type { Target } from './target.js';

/** What a linked input reads while its workflow runs. */
export class InputWire {
  readonly source: Source;
  /** Whether the writer checked every row by the schema that this input has. */
  readonly checked: boolean;
  readonly #text: string;

  constructor(text: string, source: Source, checked: boolean) {
    this.#text = text;
    this.source = source;
    this.checked = checked;
  }

  toString(): string {
    return this.#text;
  }
}

/** Where the rows of a linked output go besides what it is bound to. */
export type Tap =
  | { readonly kind: 'stream'; readonly target: Target }
  /** A collection of Millrace's own, published with the task's outputs. */
  | { readonly kind: 'spool'; readonly store: Store; readonly collection: string };

/** What a linked output writes to while its workflow runs. */
export class OutputWire {
  /** Its own binding; undefined where it has none. */
  readonly bound: unknown;
  readonly taps: readonly Tap[];
  readonly #text: string;

  constructor(text: string, bound: unknown, taps: readonly Tap[]) {
    this.#text = text;
    this.bound = bound;
    this.taps = taps;
  }

  toString(): string {
    return this.#text;
  }
}
