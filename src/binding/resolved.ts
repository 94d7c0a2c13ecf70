import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import type { Store } from '../storage/store.js';
import type { Row } from '../types.js';
import type { RowCheck } from '../validation/row-check.js';
import type { ArrayPlace, CollectionPlace, FilePlace } from './publication.js';
import type { Source } from './source.js';
import type { Target } from './target.js';

/** The stores that bindings name. */
export interface StoreSet {
  readonly names: readonly string[];
  /** @throws MillraceError `STORE_UNKNOWN`. */
  get(name: string): Store;
}

/** Bindings as a task was given them, by property. */
export interface GivenBindings {
  readonly inputs: ReadonlyMap<string, unknown>;
  readonly outputs: ReadonlyMap<string, unknown>;
  /** Names that fit no port. */
  readonly unknown: ReadonlyMap<string, 'input' | 'output' | 'port'>;
}

export interface ResolvedInput {
  readonly spec: InputSpec;
  readonly source: Source;
  readonly text: string;
  readonly check: RowCheck | undefined;
  /** Every row is known to be one: whoever wrote it was asked. */
  readonly trusted: boolean;
  readonly properties: readonly string[];
  readonly rejects: OutputPlace | undefined;
}
export type OutputPlace =
  | { readonly kind: 'collection'; readonly place: CollectionPlace; readonly atomic: boolean }
  | { readonly kind: 'file'; readonly place: FilePlace }
  | { readonly kind: 'array'; readonly place: ArrayPlace }
  | { readonly kind: 'sink'; readonly take: (batch: readonly Row[]) => void | Promise<void> }
  | { readonly kind: 'stream'; readonly target: Target }
  | { readonly kind: 'spool'; readonly place: CollectionPlace }
  | { readonly kind: 'nowhere' };
export interface ResolvedOutput {
  readonly spec: OutputSpec;
  readonly to: OutputPlace;
  /** Where its rows go besides: to the readers of its links. */
  readonly taps: readonly OutputPlace[];
  readonly text: string;
  readonly check: RowCheck | undefined;
  /** For `upsert`. */
  readonly key: readonly string[] | undefined;
  readonly rejects: OutputPlace | undefined;
}
/** Every port of a processor with what it is connected to. */
export interface ResolvedPorts {
  readonly inputs: readonly ResolvedInput[];
  readonly outputs: readonly ResolvedOutput[];
  /** The store whose commit record decides; undefined where nothing durable is written. */
  readonly coordinator: Store | undefined;
}
