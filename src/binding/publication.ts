import type { FileFormat } from '../storage/files/format.js';
import type { FileWriter } from '../storage/files/write.js';
import type { Stage, StagedFile, StagedOutput, Store, Superseded } from '../storage/store.js';
import type { Column, Row, WriteMode } from '../types.js';
import type { Target } from './target.js';

export interface CollectionPlace {
  readonly store: Store;
  readonly collection: string;
  readonly mode: WriteMode;
  readonly key: readonly string[] | undefined;
  readonly overwrite: boolean;
  /** Not made where nothing is written to it and it does not exist. */
  readonly sparse: boolean;
}
export interface FilePlace {
  /** Absolute. */
  readonly path: string;
  readonly format: FileFormat;
  readonly gzip: boolean;
  readonly mode: 'replace' | 'append';
  readonly columns: readonly Column[] | undefined;
}
export interface ArrayPlace {
  readonly array: Row[];
  readonly mode: WriteMode;
  readonly key: readonly string[] | undefined;
}

/** A row of Millrace's own that is published along with an attempt's outputs: it is there if and only if they are. */
export interface Note {
  readonly store: Store;
  readonly collection: string;
  readonly row: Row;
}

interface StageOf {
  readonly stage: Promise<Stage>;
  readonly outputs: StagedOutput[];
}

/**
 * What one attempt has written and not published: staged rows in stores, temporary files, arrays in memory. Everything is put into
 * place together, or nothing is.
 *
 * The stage of one store is the coordinator: its commit record decides for the others and for the files.
 */
export class Publication {
  readonly #id: string;
  readonly #runId: string;
  readonly #coordinator: Store | undefined;
  /** Made when something is staged: a short task feels what it has no use for. */
  #stages: Map<Store, StageOf> | undefined;
  readonly #files: Promise<FileWriter>[] = [];
  readonly #arrays: { readonly place: ArrayPlace; readonly rows: Row[] }[] = [];
  readonly #superseded: Superseded[] = [];
  readonly #onTheirWay = new Set<Promise<void>>();
  #appendsToFiles = false;
  #committed = false;
  /** The commit was asked for, and nobody has said yet that it did not happen. */
  #mayBeCommitted = false;

  /** @param coordinator - undefined where nothing goes to a store or a file. */
  constructor(owner: { readonly id: string; readonly runId: string }, coordinator: Store | undefined) {
    this.#id = owner.id;
    this.#runId = owner.runId;
    this.#coordinator = coordinator;
  }

  collection(place: CollectionPlace): Target {
    const { store, collection, mode, key, overwrite, sparse } = place;
    const { stage, outputs } = this.#stageIn(store);
    const output = { collection, mode, overwrite, sparse, ...(key === undefined ? {} : { key }) };
    outputs.push(output);
    return {
      take: (rows) => this.#watch(stage.then((open) => open.insert(collection, rows, output))),
      aggregate: async (from, name, pipeline) => (from === store ? (await stage).aggregate?.(output, name, pipeline) : undefined),
    };
  }

  file(place: FilePlace): Target {
    this.#appendsToFiles ||= place.mode === 'append';
    const writer = this.#openFile(place, `${this.#id}-${String(this.#files.length)}`);
    writer.catch(() => undefined); // whoever writes to it, or publishes it, meets the error
    this.#files.push(writer);
    return { take: (rows) => writer.then((open) => open.write(rows)) };
  }

  array(place: ArrayPlace): Target {
    const rows: Row[] = [];
    this.#arrays.push({ place, rows });
    return { take: (batch) => appendTo(rows, batch) };
  }

  /** Puts everything into place. What fails before the commit leaves every output as it was. */
  async publish(note?: Note): Promise<void> {
    if (this.#stages !== undefined || this.#files.length > 0) {
      if (note !== undefined) await this.#stageNote(note);
      const done = this.#appendsToFiles ? await takeTurn() : undefined;
      await this.#publishDurable().finally(done);
    }
    for (const { place, rows } of this.#arrays) fillArray(place, rows);
  }

  /** What other runs had published while this one was under way, and what it published took the place of. */
  get superseded(): readonly Superseded[] {
    return this.#superseded;
  }

  /** Whether the outputs are, or may be, published or about to be: another attempt would write them twice. */
  get mayBePublished(): boolean {
    return this.#committed || this.#mayBeCommitted;
  }

  /** Resolves when no batch is on its way to a store any more: one that arrives after its stage was dropped would stay behind. */
  get arrived(): Promise<unknown> | undefined {
    return this.#onTheirWay.size === 0 ? undefined : Promise.allSettled(this.#onTheirWay);
  }

  /** Drops what was written; what cannot be dropped now is left to the store's recovery, as is what was committed. */
  async abort(): Promise<void> {
    if (this.#committed) return;
    const files = this.#files.map((writer) => writer.then((open) => open.abort()));
    await Promise.allSettled(files);
    const stages = [...(this.#stages ?? new Map<Store, StageOf>()).values()];
    const aborted = await Promise.allSettled(stages.map(({ stage }) => stage.then((open) => open.abort())));
    if (aborted.every(({ status }) => status === 'fulfilled')) this.#mayBeCommitted = false;
  }

  async #publishDurable(): Promise<void> {
    const files = await this.#finishFiles();
    const [coordinator, ...participants] = await this.#openStages();
    if (coordinator === undefined) return;
    for (const { stage, outputs } of participants) await stage.prepare(outputs, coordinator.store.url);
    await coordinator.stage.prepare(coordinator.outputs);
    this.#mayBeCommitted = true;
    await coordinator.stage.commit({
      files,
      participants: participants.map(({ store, stage }) => ({ url: store.url, id: stage.id })),
    });
    this.#committed = true;
    const stages = [...participants, coordinator].map(({ stage }) => stage);
    try {
      for (const stage of stages) {
        await stage.publish();
        this.#superseded.push(...(stage.superseded ?? []));
      }
      await coordinator.stage.finish();
    } catch (error) {
      for (const stage of stages) stage.leave?.();
      throw error;
    }
  }

  #watch(batch: Promise<void>): Promise<void> {
    this.#onTheirWay.add(batch);
    const forget = (): void => void this.#onTheirWay.delete(batch);
    batch.then(forget, forget);
    return batch;
  }

  async #stageNote({ store, collection, row }: Note): Promise<void> {
    await this.collection({ store, collection, mode: 'append', key: undefined, overwrite: true, sparse: false }).take([row]);
  }

  async #finishFiles(): Promise<StagedFile[]> {
    const finished: StagedFile[] = [];
    for (const opening of this.#files) {
      const writer = await opening;
      await writer.finish();
      finished.push({ from: writer.temporary, to: writer.target });
    }
    return finished;
  }

  /** The coordinator first. */
  async #openStages(): Promise<{ readonly store: Store; readonly stage: Stage; readonly outputs: readonly StagedOutput[] }[]> {
    const staged = [...(this.#stages ?? [])].sort(([a], [b]) => Number(b === this.#coordinator) - Number(a === this.#coordinator));
    return Promise.all(staged.map(async ([store, { stage, outputs }]) => ({ store, stage: await stage, outputs })));
  }

  #stageIn(store: Store): StageOf {
    const stages = (this.#stages ??= new Map<Store, StageOf>());
    let staged = stages.get(store);
    if (staged === undefined) {
      const stage = store.stage({ id: this.#id, runId: this.#runId });
      stage.catch(() => undefined); // whoever writes to it, or publishes it, meets the error
      staged = { stage, outputs: [] };
      stages.set(store, staged);
    }
    return staged;
  }

  async #openFile({ path, format, gzip, mode, columns }: FilePlace, id: string): Promise<FileWriter> {
    const { openFileWriter, sweepTemporary, temporaryName } = await import('../storage/files/write.js');
    if (this.#coordinator !== undefined) await (await this.#stageIn(this.#coordinator).stage).holdFile(temporaryName(path, id));
    // a store in memory forgets the files of a process that was killed: the next one that writes here has to look for them
    if (this.#coordinator?.url.startsWith('memory:') === true) await sweepTemporary(path);
    return openFileWriter(path, { format, gzip, mode, id, ...(columns === undefined ? {} : { columns }) });
  }
}

let lastTurn: Promise<void> = Promise.resolve();

/** Runs of this process that append to files publish one after the other: each adds to what the one before it has left. */
async function takeTurn(): Promise<() => void> {
  const before = lastTurn;
  let done: () => void = () => undefined;
  lastTurn = new Promise((resolve) => (done = resolve));
  await before;
  return done;
}

function fillArray({ array, mode, key }: ArrayPlace, rows: readonly Row[]): void {
  if (mode === 'replace') array.length = 0;
  if (mode === 'upsert' && key !== undefined) mergeInto(array, key, rows);
  else appendTo(array, rows);
}

function mergeInto(array: Row[], key: readonly string[], rows: readonly Row[]): void {
  const keyOf = (row: Row): string => JSON.stringify(key.map((name) => (row as Record<string, unknown>)[name]));
  const places = new Map(array.map((row, at) => [keyOf(row), at]));
  for (const row of rows) {
    const at = places.get(keyOf(row));
    if (at === undefined) places.set(keyOf(row), array.push(row) - 1);
    else array[at] = row;
  }
}

/** Without spreading: a spread of many rows overflows the stack. */
function appendTo(array: Row[], rows: readonly Row[]): void {
  for (const row of rows) array.push(row);
}
