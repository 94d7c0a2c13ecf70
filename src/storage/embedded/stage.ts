import { describeRow } from '../describe.js';
import { checkRow, withId } from '../ids.js';
import { checkName } from '../input.js';
import { checkOwnership, stageGone, upsertKey } from '../ownership.js';
import { placeFiles, removeFiles, syncFiles } from '../place-files.js';
import type { CommitOptions, Stage, StagedFile, StagedOutput, StageOwner } from '../store.js';
import type { Row } from '../../types.js';
import { Packer } from './block.js';
import { findCollection, newCollection } from './catalog.js';
import type { Database } from './database.js';
import { discard } from './garbage.js';
import { leaseTime, type Owner } from './owner.js';
import { carryIndexes, checkTwice, makeRoom, mayConflict, place } from './placement.js';
import { findStage, removeCommit, removeStage, saveCommit, saveStage, type StageRecord } from './stage-record.js';
import { KeyTaken, TableWriter } from './table-writer.js';

/** Bytes of rows that a stage holds before it writes them: a transaction costs a flush of the disk. */
const most = 1 << 20;

/** Keys that give way to one publish; more are no accident. */
const mostInTheWay = 1000;

/** What a stage needs of its store. */
export interface StageHome {
  readonly database: Database;
  readonly owner: Owner;
  /** @throws MillraceError once the store is closed. */
  checkOpen(): void;
  /** Something was discarded. */
  sweepSoon(): void;
  /** The stage holds nothing any more. */
  ended(stage: EmbeddedStage): void;
}

interface Pending {
  readonly packer: Packer;
  rows: number;
  ownIds: boolean;
}

/**
 * Staged rows are a collection without a name. Every write of a stage looks for its record in the same transaction: where another process
 * has taken it away, nothing is written.
 */
export class EmbeddedStage implements Stage {
  readonly id: string;
  readonly #runId: string;
  readonly #home: StageHome;
  readonly #pending = new Map<string, Pending>();
  #begun = false;
  #state: 'open' | 'prepared' | 'committed' | 'gone' = 'open';
  #outputs: readonly StagedOutput[] = [];
  #files: readonly StagedFile[] = [];
  #hasCommitRecord = false;
  #failed: { readonly error: unknown } | undefined;

  constructor({ id, runId }: StageOwner, home: StageHome) {
    this.id = id;
    this.#runId = runId;
    this.#home = home;
  }

  async insert(collection: string, rows: readonly Row[]): Promise<void> {
    this.#check();
    checkName(collection);
    const { bson } = this.#home.database;
    let pending = this.#pending.get(collection);
    if (!pending) this.#pending.set(collection, (pending = { packer: new Packer(bson, collection), rows: 0, ownIds: false }));
    for (const row of rows) {
      checkRow(collection, row, pending.rows);
      const stored = withId(row, () => new bson.ObjectId());
      if (stored === row) pending.ownIds = true;
      pending.packer.add(stored, pending.rows++);
    }
    if (this.#pendingBytes() >= most) this.#flush();
  }

  async holdFile(path: string): Promise<void> {
    this.#check();
    this.#change((record) => void record.files.push(path));
  }

  async prepare(outputs: readonly StagedOutput[], coordinator?: string): Promise<void> {
    this.#check();
    for (const output of outputs) if (output.mode === 'upsert') upsertKey(output);
    const { database } = this.#home;
    this.#flush();
    const replaces = outputs.some(({ mode }) => mode === 'replace');
    if (this.#begun && (coordinator !== undefined || replaces)) {
      this.#change((record) => {
        for (const output of outputs) this.#prepareOutput(output, record);
        if (coordinator !== undefined) Object.assign(record, { coordinator, outputs });
      });
    } else if (coordinator !== undefined) this.#change((record) => void Object.assign(record, { coordinator, outputs }));
    this.#tryOut(outputs);
    database.read((snapshot) => {
      for (const output of outputs) checkOwnership(output, findCollection(database, output.collection, snapshot));
    });
    this.#outputs = outputs;
    this.#state = 'prepared';
  }

  async commit({ files = [], participants = [] }: CommitOptions = {}): Promise<void> {
    this.#check();
    await syncFiles(files);
    this.#check();
    const { database, owner } = this.#home;
    const unused = database.write(() => {
      const record = this.#current();
      placeAll(database, this.#outputs, record);
      removeStage(database, this.id);
      if (files.length + participants.length > 0)
        saveCommit(database, this.id, { owner, lease: Date.now() + leaseTime, files, participants });
      const used = new Set(files.map(({ from }) => from));
      return record.files.filter((path) => !used.has(path));
    });
    this.#files = files;
    this.#hasCommitRecord = files.length + participants.length > 0;
    this.#end('committed');
    await removeFiles(unused);
  }

  async publish(): Promise<void> {
    if (this.#state === 'prepared') {
      await publishStage(this.#home.database, this.id);
      this.#end('committed');
    }
    await placeFiles(this.#files);
  }

  async finish(): Promise<void> {
    if (!this.#hasCommitRecord) return;
    this.#home.database.write(() => removeCommit(this.#home.database, this.id));
    this.#hasCommitRecord = false;
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open' && this.#state !== 'prepared') return;
    const begun = this.#begun;
    this.#end('gone');
    if (begun) await dropStage(this.#home.database, this.id);
  }

  /** Says that its process lives. In a write transaction. */
  renew(): void {
    const record = this.#begun ? findStage(this.#home.database, this.id) : undefined;
    if (record) saveStage(this.#home.database, this.id, { ...record, lease: Date.now() + leaseTime });
  }

  #prepareOutput({ collection, mode }: StagedOutput, { collections }: StageRecord): void {
    const staged = collections[collection];
    if (!staged || mode === 'upsert') return;
    checkTwice(collection, staged);
    if (mode === 'replace') carryIndexes(this.#home.database, collection, staged, findCollection(this.#home.database, collection));
  }

  /** What may meet keys of the target is put into place once, and taken back. */
  #tryOut(outputs: readonly StagedOutput[]): void {
    if (!this.#begun) return;
    const { database } = this.#home;
    const { collections } = database.read((snapshot) => this.#current(snapshot));
    const risky = outputs.filter((output) => {
      const { collection, mode } = output;
      const staged = collections[collection];
      if (staged && mode !== 'upsert') checkTwice(collection, staged);
      return mayConflict(
        output,
        staged,
        database.read((snapshot) => findCollection(database, collection, snapshot)),
      );
    });
    if (risky.length > 0) database.tryOut(() => placeAll(database, risky, this.#current()));
  }

  #pendingBytes(): number {
    let bytes = 0;
    for (const { packer } of this.#pending.values()) bytes += packer.bytes;
    return bytes;
  }

  #flush(): void {
    const { database } = this.#home;
    const taken = [...this.#pending].map(([collection, { packer, ownIds }]) => ({ collection, blocks: packer.take(), ownIds }));
    const full = taken.filter(({ blocks }) => blocks.length > 0);
    if (full.length === 0) return;
    this.#change((record) => {
      for (const { collection, blocks, ownIds } of full) {
        const staged = (record.collections[collection] ??= { ...newCollection(database), ownIds });
        staged.ownIds ||= ownIds;
        new TableWriter(database, collection, staged).append(blocks, undefined, ({ key }) => (staged.twice ??= describeRow(key)));
      }
    });
  }

  #change(change: (record: StageRecord) => void): void {
    const { database } = this.#home;
    try {
      database.write(() => {
        const record = this.#current();
        change(record);
        saveStage(database, this.id, record);
      });
      this.#begun = true;
    } catch (error) {
      this.#failed = { error }; // rows that were handed over are lost: the stage cannot be committed
      throw error;
    }
  }

  #current(snapshot?: Parameters<typeof findStage>[2]): StageRecord {
    const { database, owner } = this.#home;
    const record = findStage(database, this.id, snapshot);
    if (record) return record;
    if (this.#begun) throw stageGone(this.id);
    return { runId: this.#runId, owner, lease: Date.now() + leaseTime, files: [], collections: {} };
  }

  #check(): void {
    this.#home.checkOpen();
    if (this.#failed) throw this.#failed.error;
    if (this.#state === 'gone' || this.#state === 'committed') throw stageGone(this.id);
  }

  #end(state: 'committed' | 'gone'): void {
    this.#state = state;
    this.#pending.clear();
    this.#home.ended(this);
    this.#home.sweepSoon();
  }
}

/** Puts every output into place, and discards what was staged for none. In a write transaction. */
function placeAll(database: Database, outputs: readonly StagedOutput[], { collections }: StageRecord): void {
  for (const output of outputs) place(database, output, collections[output.collection]);
  const named = new Set(outputs.map(({ collection }) => collection));
  for (const [collection, staged] of Object.entries(collections)) if (!named.has(collection)) discard(database, staged);
}

/**
 * Publishes a stage whose commit is certain; one that is gone was published before. What others have written since it was prepared can keep
 * nothing of it out: a row that has the key of one of its rows gives way.
 */
export async function publishStage(database: Database, id: string): Promise<void> {
  const inTheWay: { readonly collection: string; readonly key: object }[] = [];
  for (;;) {
    try {
      return await removeFiles(publishOver(database, id, inTheWay));
    } catch (error) {
      const taken = (error as Error).cause;
      if (!(taken instanceof KeyTaken) || inTheWay.length >= mostInTheWay) throw error;
      inTheWay.push({ collection: taken.collection, key: taken.key });
    }
  }
}

function publishOver(
  database: Database,
  id: string,
  inTheWay: readonly { readonly collection: string; readonly key: object }[],
): readonly string[] {
  return database.write(() => {
    const record = findStage(database, id);
    if (!record) return [];
    for (const { collection, key } of inTheWay) makeRoom(database, collection, key);
    const outputs = (record.outputs ?? []).map((output) => ({ ...output, overwrite: true })); // whose it was is settled since it was prepared
    placeAll(database, outputs, record);
    removeStage(database, id);
    return record.files;
  });
}

/** Drops a stage with its files; one that is gone stays so. */
export async function dropStage(database: Database, id: string): Promise<void> {
  const files = database.write(() => {
    const record = findStage(database, id);
    if (!record) return [];
    for (const staged of Object.values(record.collections)) discard(database, staged);
    removeStage(database, id);
    return record.files;
  });
  await removeFiles(files);
}
