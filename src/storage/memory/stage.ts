import { MillraceError } from '../../errors.js';
import type { Row } from '../../types.js';
import { checkRow } from '../ids.js';
import { checkName } from '../input.js';
import { checkOwnership, stageGone, upsertKey } from '../ownership.js';
import { placeFiles, removeFiles, syncFiles } from '../place-files.js';
import type { CommitOptions, Stage, StagedFile, StagedOutput } from '../store.js';
import { MemoryCollection } from './collection.js';

/** What a memory store holds. */
export interface MemoryData {
  readonly collections: Map<string, MemoryCollection>;
  readonly stages: Map<string, MemoryStage>;
}

/** A target as it will be, and the state of the collection that it was made from. */
interface Build {
  readonly output: StagedOutput;
  readonly from: MemoryCollection | undefined;
  readonly version: number;
  readonly built: MemoryCollection;
}

/** A stage of a memory store: new collections are built beside the old ones, and take their names at publish. */
export class MemoryStage implements Stage {
  readonly id: string;
  readonly #data: MemoryData;
  readonly #withId: (row: Row) => Row;
  readonly #checkOpen: () => void;
  readonly #rows = new Map<string, Row[]>();
  readonly #held: string[] = [];
  #builds: Build[] = [];
  #files: readonly StagedFile[] = [];
  #state: 'open' | 'committed' | 'gone' = 'open';

  private constructor(id: string, data: MemoryData, withId: (row: Row) => Row, checkOpen: () => void) {
    this.id = id;
    this.#data = data;
    this.#withId = withId;
    this.#checkOpen = checkOpen;
  }

  static open(id: string, data: MemoryData, withId: (row: Row) => Row, checkOpen: () => void): MemoryStage {
    if (data.stages.has(id)) throw new MillraceError('DUPLICATE_NAME', `stage '${id}' is open already: each attempt has an id of its own`);
    const stage = new MemoryStage(id, data, withId, checkOpen);
    data.stages.set(id, stage);
    return stage;
  }

  async insert(collection: string, rows: readonly Row[]): Promise<void> {
    this.#check();
    checkName(collection);
    let staged = this.#rows.get(collection);
    if (!staged) this.#rows.set(collection, (staged = []));
    for (const row of rows) {
      checkRow(collection, row, staged.length);
      staged.push(row);
    }
  }

  async holdFile(path: string): Promise<void> {
    this.#check();
    this.#held.push(path);
  }

  async prepare(outputs: readonly StagedOutput[]): Promise<void> {
    this.#check();
    this.#builds = outputs.filter((output) => !this.#isSparse(output)).map((output) => this.#build(output));
  }

  async commit({ files = [] }: CommitOptions = {}): Promise<void> {
    this.#check();
    await syncFiles(files);
    this.#check();
    this.#place();
    this.#files = files;
    this.#state = 'committed';
  }

  async publish(): Promise<void> {
    if (this.#state === 'open') this.#place();
    this.#state = 'committed';
    this.#data.stages.delete(this.id);
    await placeFiles(this.#files);
  }

  async finish(): Promise<void> {
    this.#data.stages.delete(this.id);
    this.#state = 'gone';
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'gone';
    this.#rows.clear();
    this.#data.stages.delete(this.id);
    await removeFiles(this.#held);
  }

  #isSparse({ sparse, collection }: StagedOutput): boolean {
    return sparse === true && !this.#data.collections.has(collection) && (this.#rows.get(collection) ?? []).length === 0;
  }

  #build(output: StagedOutput): Build {
    const { collection, mode } = output;
    const from = this.#data.collections.get(collection);
    checkOwnership(output, from && { rows: from.size, published: from.published });
    const built = from?.copy(mode !== 'replace') ?? new MemoryCollection(collection);
    const rows = this.#rows.get(collection) ?? [];
    if (mode === 'upsert') built.upsert(upsertKey(output), rows, this.#withId);
    else for (const row of rows) built.insert(this.#withId(row));
    built.published = true;
    return { output, from, version: from?.version ?? 0, built };
  }

  /** Others may have written since the targets were built: those are built again, and checked again. */
  #place(): void {
    const current = this.#builds.map((build) => {
      const now = this.#data.collections.get(build.output.collection);
      return now === build.from && (now?.version ?? 0) === build.version ? build : this.#build(build.output);
    });
    for (const { output, built } of current) this.#data.collections.set(output.collection, built);
    this.#rows.clear();
    this.#builds = [];
  }

  #check(): void {
    this.#checkOpen();
    if (this.#state !== 'open') throw stageGone(this.id);
  }
}
