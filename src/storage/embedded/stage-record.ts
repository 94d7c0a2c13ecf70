import type { StagedFile, StagedOutput } from '../store.js';
import type { CollectionRecord } from './catalog.js';
import type { Database, Snapshot } from './database.js';
import type { Owner } from './owner.js';

/** A stage as other processes see it. */
export interface StageRecord {
  readonly runId: string;
  readonly owner: Owner;
  /** Until when it is the owner's, whatever is known of the owner; milliseconds since 1970. */
  lease: number;
  /** Temporary files. */
  readonly files: string[];
  /** Rows by the collection that they are for. */
  readonly collections: Record<string, StagedCollection>;
  /** Set by a prepare whose commit is decided elsewhere: from then on only that store ends the stage. */
  coordinator?: string;
  outputs?: readonly StagedOutput[];
}

export interface StagedCollection extends CollectionRecord {
  /** Some row came with an `_id` of its own. */
  ownIds: boolean;
  /** The first `_id` that came twice, as text; for upsert it is none of our business. */
  twice?: string;
}

/** What is certain, and perhaps not done: its collections are in place since the commit, what is elsewhere may not be. */
export interface CommitRecord {
  readonly owner: Owner;
  readonly lease: number;
  readonly files: readonly StagedFile[];
  readonly participants: readonly { readonly url: string; readonly id: string }[];
}

export function findStage(database: Database, id: string, transaction?: Snapshot): StageRecord | undefined {
  return database.records.get(`s/${id}`, transaction ? { transaction } : {}) as StageRecord | undefined;
}

/** In a write transaction. */
export function saveStage(database: Database, id: string, record: StageRecord): void {
  database.records.put(`s/${id}`, record);
}

/** In a write transaction: its rows are dropped later. */
export function removeStage(database: Database, id: string): void {
  database.records.remove(`s/${id}`);
}

export function findCommit(database: Database, id: string, transaction?: Snapshot): CommitRecord | undefined {
  return database.records.get(`r/${id}`, transaction ? { transaction } : {}) as CommitRecord | undefined;
}

/** In a write transaction. */
export function saveCommit(database: Database, id: string, record: CommitRecord): void {
  database.records.put(`r/${id}`, record);
}

/** In a write transaction. */
export function removeCommit(database: Database, id: string): void {
  database.records.remove(`r/${id}`);
}

export function stages(database: Database, transaction: Snapshot): [string, StageRecord][] {
  return list(database, 's', transaction) as [string, StageRecord][];
}

export function commits(database: Database, transaction: Snapshot): [string, CommitRecord][] {
  return list(database, 'r', transaction) as [string, CommitRecord][];
}

function list(database: Database, kind: string, transaction: Snapshot): [string, unknown][] {
  const found = database.records.getRange({ start: `${kind}/`, end: `${kind}0`, transaction });
  return [...found].map(({ key, value }) => [key.slice(2), value]);
}
