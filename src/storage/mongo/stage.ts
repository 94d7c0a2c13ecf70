import type { ObjectId } from 'bson';
import type { Document } from 'mongodb';

import { MillraceError } from '../../errors.js';
import { checkRow, withId } from '../ids.js';
import { checkName } from '../input.js';
import { stageGone } from '../ownership.js';
import { syncFiles } from '../place-files.js';
import type { CommitOptions, Stage, StagedOutput, Superseded } from '../store.js';
import type { Row } from '../../types.js';
import { codeOf, isUnreachable, server } from './failure.js';
import type { ServerIndex } from './index-list.js';
import { persist, type Placing, type StageRecord } from './ledger.js';
import { buildAhead, planOutput, type Staged } from './plan-output.js';
import { dropStage, publishFiles, publishOutputs, type Room } from './publish.js';
import { aggregateOptions } from './read.js';
import { prefixOf } from './staging.js';
import { createCollection, describeTarget } from './target.js';
import { insertBatch } from './write.js';

/** Milliseconds during which the record of what is published is tried to be removed. */
const farewell = 5000;

interface StageOptions {
  readonly room: Room;
  readonly record: StageRecord;
  readonly makeId: () => ObjectId;
  /** Told when the stage has ended, and whether something of it is left to do for whoever opens the store next. */
  readonly ended: (left: boolean) => void;
}

/**
 * What an attempt writes goes to collections of its stage's own; the stage's record says how far it is.
 */
export class MongoStage implements Stage {
  readonly id: string;
  readonly #room: Room;
  readonly #makeId: () => ObjectId;
  readonly #ended: (left: boolean) => void;
  readonly #staged = new Map<string, Staged>();
  readonly #superseded: Superseded[] = [];
  #record: StageRecord;
  #over = false;
  /** A commit was sent: without an answer it may have happened. */
  #decided = false;

  constructor({ room, record, makeId, ended }: StageOptions) {
    this.id = record._id;
    this.#room = room;
    this.#record = record;
    this.#makeId = makeId;
    this.#ended = ended;
  }

  async insert(collection: string, rows: readonly Row[], output?: StagedOutput): Promise<void> {
    this.#check();
    const staged = this.#stagedFor(collection, output);
    const documents = rows.map((row, at) => this.#toDocument(staged, row, at));
    if (documents.length === 0) return;
    staged.rows += documents.length;
    await Promise.all([staged.made, this.#room.ledger.checkAlive(this.id)]);
    await insertBatch(this.#room.connection, { into: staged.name, named: collection }, documents, undefined);
  }

  async aggregate(output: StagedOutput, from: string, pipeline: readonly object[]): Promise<number | undefined> {
    this.#check();
    if (output.mode === 'upsert') return undefined; // which of equal keys is the last is told by the order in which rows are written
    const { connection } = this.#room;
    const staged = this.#stagedFor(output.collection, output);
    if (staged.rows > 0 && !connection.isExact) return undefined; // FerretDB may compare every row with every row that is staged
    await Promise.all([staged.made, this.#room.ledger.checkAlive(this.id)]);
    const doing = { what: `aggregating '${from}' into '${output.collection}'`, refused: 'PIPELINE_INVALID', reads: from } as const;
    const into = { $merge: { into: staged.name, on: '_id', whenMatched: 'fail', whenNotMatched: 'insert' } };
    try {
      await connection.run(
        doing,
        (db) =>
          db
            .collection(from)
            .aggregate([...(pipeline as Document[]), into], aggregateOptions)
            .toArray(),
        'long',
      );
    } catch (error) {
      if (codeOf((error as Error).cause) === server.notImplemented) return undefined; // FerretDB: a pipeline that it can run and not write
      throw error;
    }
    const rows = await connection.run(doing, (db) => db.collection(staged.name).countDocuments({}), 'long');
    const added = rows - staged.rows;
    staged.rows = rows;
    if (added > 0) staged.freshIds = false;
    return added;
  }

  async holdFile(path: string): Promise<void> {
    this.#check();
    await this.#room.ledger.hold(this.id, path);
    this.#record = { ...this.#record, held: [...this.#record.held, path] };
  }

  async prepare(outputs: readonly StagedOutput[], coordinator?: string): Promise<void> {
    this.#check();
    const { ledger, locks } = this.#room;
    await ledger.checkAlive(this.id);
    const built = new Map<string, readonly ServerIndex[]>();
    for (const output of outputs)
      if (output.mode === 'replace')
        built.set(output.collection, await buildAhead(this.#room.connection, output, this.#staged.get(output.collection)));
    await locks.acquire(
      this.id,
      outputs.map(({ collection }) => collection),
    );
    const placings: Placing[] = [];
    for (const output of outputs) {
      const placing = await planOutput({
        room: this.#room,
        output,
        staged: this.#staged.get(output.collection),
        makeRoom: () => this.#stagedFor(output.collection, output),
        built: built.get(output.collection) ?? [],
      });
      if (placing !== undefined) placings.push(placing);
    }
    const change = { state: 'prepared', outputs: placings, ...(coordinator === undefined ? {} : { coordinator }) } as const;
    await ledger.change(this.id, ['open'], change);
    this.#record = { ...this.#record, ...change };
  }

  async commit({ files = [], participants = [] }: CommitOptions = {}): Promise<void> {
    this.#check();
    await syncFiles(files);
    const change = { state: 'committed', files, participants } as const;
    this.#decided = true;
    await this.#room.ledger.change(this.id, ['prepared'], change).catch((error: unknown) => {
      this.#decided = (error as Error).cause !== undefined; // else the server has said that it did not happen
      throw error;
    });
    this.#record = { ...this.#record, ...change };
  }

  get superseded(): readonly Superseded[] {
    return this.#superseded;
  }

  async publish(): Promise<void> {
    const participant = this.#record.coordinator !== undefined;
    try {
      if (participant && this.#record.state === 'prepared') await this.#follow();
      this.#superseded.push(...(await publishOutputs(this.#room, this.#record)));
      await publishFiles(this.#record);
      if (participant) await this.#remove();
    } catch (error) {
      this.#end(true);
      throw isUnreachable(error) ? sayCommitted(error as Error) : error;
    }
  }

  async finish(): Promise<void> {
    await this.#remove();
  }

  leave(): void {
    this.#end(true);
  }

  async abort(): Promise<void> {
    if (this.#over) return;
    try {
      const patience = this.#decided ? undefined : 0; // what nobody commits, the next one drops: no reason to wait
      await this.#room.ledger.change(this.id, ['open', 'prepared'], { state: 'dropped' }, patience);
    } catch (error) {
      this.#end(true);
      if (isUnreachable(error) || this.#decided) throw error;
      return; // ended by someone else
    }
    await dropStage(this.#room, this.#record);
    this.#end(false);
  }

  /** On a participant: its coordinator has committed. */
  async #follow(): Promise<void> {
    await this.#room.ledger.change(this.id, ['prepared'], { state: 'committed' });
    this.#record = { ...this.#record, state: 'committed' };
  }

  /** Everything is in place: a record that cannot be removed now is the next opener's, and no failure. */
  async #remove(): Promise<void> {
    const removed = await persist(farewell, () => this.#room.ledger.remove(this.id)).then(
      () => true,
      () => false,
    );
    this.#end(!removed);
  }

  #end(left: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended(left);
  }

  #stagedFor(collection: string, output: StagedOutput | undefined): Staged {
    const found = this.#staged.get(collection);
    if (found !== undefined) return found;
    checkName(collection);
    const name = `${prefixOf(this.id)}${String(this.#staged.size)}`;
    const numbered = output?.mode === 'upsert';
    const made = numbered ? Promise.resolve() : this.#make(collection, name);
    made.catch(() => undefined); // met by whoever writes or prepares
    const staged = { collection, name, numbered, rows: 0, freshIds: true, made };
    this.#staged.set(collection, staged);
    return staged;
  }

  /** With what the target was made with, since it takes its place. */
  async #make(collection: string, name: string): Promise<void> {
    const { connection } = this.#room;
    const { options } = await describeTarget(connection, collection);
    if (Object.keys(options).length > 0) await createCollection(connection, name, options);
  }

  #toDocument(staged: Staged, row: Row, at: number): Row {
    checkRow(staged.collection, row, staged.rows + at);
    if (staged.numbered) return { _id: staged.rows + at, row };
    if ((row as { readonly _id?: unknown })._id !== undefined) staged.freshIds = false;
    return withId(row, this.#makeId);
  }

  #check(): void {
    if (this.#over || this.#record.state === 'committed') throw stageGone(this.id);
    this.#room.connection.check();
  }
}

function sayCommitted(error: Error): MillraceError {
  return new MillraceError(
    'STORE_UNAVAILABLE',
    `${error.message}. The run is committed all the same: the next one to open the store publishes what is left, and running it again would write its rows once more.`,
    { cause: error },
  );
}
