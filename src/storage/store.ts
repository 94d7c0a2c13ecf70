import type { Filter, Query, Row, WriteMode } from '../types.js';

/** The rows of a find or of an aggregation, streamed. May be iterated again: the query is then run again. */
export interface Rows<T> extends AsyncIterable<T> {
  /** The rows in arrays of at most `size` (default 1,000). */
  batches(size?: number): AsyncIterable<readonly T[]>;
  toArray(): Promise<T[]>;
}

/** An index of a collection. */
export interface Index {
  readonly name: string;
  readonly keys: Readonly<Record<string, 1 | -1>>;
  readonly unique: boolean;
}

/**
 * Where collections live. Opened on first use: the first operation also finishes what an earlier process committed and did not
 * publish. Rows without `_id` get an ObjectId. Sorting and comparison follow BSON's order.
 */
export interface Store extends AsyncDisposable {
  /** Without credentials. */
  readonly url: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the document is the caller's to name
  find<T = any>(collection: string, query?: Query<NoInfer<T>>): Rows<T>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any document
  count(collection: string, filter?: Filter<any>): Promise<number>;
  /** @returns how many rows went in; an error in the middle says so too. */
  insert(collection: string, rows: Iterable<Row> | AsyncIterable<Row>): Promise<number>;
  /** Replaces the row of the same key, keeping its `_id`, or inserts; the last of equal keys wins. */
  upsert(collection: string, key: readonly string[], rows: Iterable<Row> | AsyncIterable<Row>): Promise<number>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any document
  delete(collection: string, filter: Filter<any>): Promise<number>;
  /**
   * `$out` and `$merge` are refused. `$lookup`, `$unionWith` and `$graphLookup` name collections of this store.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the document is the caller's to name
  aggregate<T = any>(collection: string, pipeline: readonly object[]): Rows<T>;
  /** By name, sorted, without those that begin with `_millrace`. */
  collections(): Promise<string[]>;
  drop(collection: string): Promise<void>;
  /** @returns the name of the index. */
  createIndex(collection: string, keys: Readonly<Record<string, 1 | -1>>, options?: { readonly unique?: boolean }): Promise<string>;
  /** Without the one on `_id`. */
  indexes(collection: string): Promise<readonly Index[]>;
  /**
   * A text that is another one after every change of the collection's rows: by it a resumed run sees that an input has changed. Stores
   * that would have to hand out the rows for it do not have it, or answer undefined, as those that answer so for few rows.
   */
  version?(collection: string): Promise<string | undefined>;
  /** Opens a place for what a run writes and has not published. */
  stage(owner: StageOwner): Promise<Stage>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Whose a stage is. */
export interface StageOwner {
  /** Of the attempt; unique. The stages of one attempt in several stores have the same: by it they find each other after a crash. */
  readonly id: string;
  readonly runId: string;
}

/** What the stores of one run ask each other when its process died; every store that can be a coordinator or a participant answers. */
export interface Peer {
  /** Of a coordinator: whether the attempt was committed. Where it was not, it never will be: its stage there is gone. */
  decide(stage: string): Promise<boolean>;
  /** Of a participant: publishes a prepared stage, or drops it; one that is gone was settled before. */
  settle(stage: string, committed: boolean): Promise<void>;
}

/** How one staged output goes into place. */
export interface StagedOutput {
  readonly collection: string;
  readonly mode: WriteMode;
  /** For `upsert`. */
  readonly key?: readonly string[];
  /** `replace` may take the place of a collection that no run has published to. */
  readonly overwrite?: boolean;
  /** Where nothing was staged for it and it does not exist: leave it so. */
  readonly sparse?: boolean;
}

/** A file that was written beside its target and takes its place at publish. Absolute paths. */
export interface StagedFile {
  readonly from: string;
  readonly to: string;
}

/** Rows that a run published, and that another run replaced which was under way at the same time. */
export interface Superseded {
  readonly collection: string;
  readonly runId: string;
}

/** What is committed elsewhere along with a coordinator's own outputs. */
export interface CommitOptions {
  readonly files?: readonly StagedFile[];
  /** Stages in other stores, prepared with this store as coordinator. */
  readonly participants?: readonly { readonly url: string; readonly id: string }[];
}

/**
 * What one attempt has written to one store and not published.
 *
 * ```
 *  open ── insert*, holdFile* ── prepare ──┬─ commit ── publish ── gone      (the coordinator, or the only store)
 *    │                              │      └─ (coordinator commits) ── publish ── gone     (a participant)
 *    └───────── abort ──────────────┴─ abort ── gone
 * ```
 *
 * A process that dies before the commit leaves a stage that the next opener drops (at once where the owner is known to be dead,
 * else when its lease has run out); one that dies after it leaves a stage that the next opener publishes.
 */
export interface Stage {
  readonly id: string;
  /**
   * Adds rows to those staged for a collection; resolves when more may come (back-pressure).
   *
   * @param output - how they will go into place, where that is known already: a store may stage them accordingly.
   */
  insert(collection: string, rows: readonly Row[], output?: StagedOutput): Promise<void>;
  /**
   * Stages what a pipeline makes of a collection of the same store, without the rows ever leaving it; answers how many there are, and
   * undefined where it cannot be done so. What a pipeline names are collections.
   */
  aggregate?(output: StagedOutput, from: string, pipeline: readonly object[]): Promise<number | undefined>;
  /** Notes a temporary file that goes when the stage is dropped; call it before the file is made. */
  holdFile(path: string): Promise<void>;
  /**
   * Makes sure that nothing but a crash can keep the outputs from being published: staged rows durable, the target's indexes carried
   * over, unique rules checked in every mode, ownership of what `replace` would replace checked.
   *
   * @param coordinator - URL of the store whose commit record decides, where it is not this one.
   * @throws MillraceError `KEY_DUPLICATE`, `COLLECTION_NOT_OURS`.
   */
  prepare(outputs: readonly StagedOutput[], coordinator?: string): Promise<void>;
  /** Writes the commit record: when it resolves, the publish is certain. Only on the coordinator. */
  commit(options?: CommitOptions): Promise<void>;
  /** Puts the outputs (and, on the coordinator, the files) into place; may be repeated. */
  publish(): Promise<void>;
  /**
   * What `publish` took the place of that other runs had published after this stage was opened: it is superseded. Stores where runs
   * cannot meet have none.
   */
  readonly superseded?: readonly Superseded[];
  /** Removes the commit record, when every participant has published. Only on the coordinator. */
  finish(): Promise<void>;
  /** Gives up what is committed and could not be published: whoever comes next finishes it. */
  leave?(): void;
  /** Drops what was staged; never throws for what is gone already, but where a commit may have happened. */
  abort(): Promise<void>;
}
