import { order, orderOf } from '../query/compare.js';
import { compileFilter, type Predicate } from '../query/filter.js';
import { keyText } from '../query/key-text.js';
import { valueAt } from '../query/path.js';
import { replacing } from '../ids.js';
import { idIndexName, indexTexts, keyDuplicate, keyOf, toSpec, type IndexSpec } from '../index-spec.js';
import type { Row } from '../../types.js';

interface HeldIndex {
  readonly spec: IndexSpec;
  /** Which row (by the text of its `_id`) has a key; unique indexes only. */
  readonly holders: Map<string, string> | undefined;
}

let made = 0;

/** The rows of one collection in the order in which they came, by `_id`. */
export class MemoryCollection {
  readonly name: string;
  /** A run has published to it. */
  published = false;
  /** Counts changes. */
  version = 0;
  /** Another one for each collection that was ever made. */
  readonly #number = ++made;
  #rows: Map<string, Row>;
  #indexes: HeldIndex[];
  #snapshot: readonly Row[] | undefined;

  constructor(name: string, rows: ReadonlyMap<string, Row> = new Map(), indexes: readonly HeldIndex[] = []) {
    this.name = name;
    this.#rows = new Map(rows);
    this.#indexes = indexes.map(({ spec, holders }) => ({ spec, holders: holders && new Map(holders) }));
  }

  /** Another text after every change. */
  get state(): string {
    return `${String(this.#number)}.${String(this.version)}`;
  }

  get size(): number {
    return this.#rows.size;
  }

  get indexes(): readonly IndexSpec[] {
    return this.#indexes.map(({ spec }) => spec);
  }

  /** The rows as they are now: whoever iterates them does not see what comes later. */
  get rows(): readonly Row[] {
    return (this.#snapshot ??= [...this.#rows.values()]);
  }

  /** A copy to change, with its rows or with its indexes only. */
  copy(withRows = true): MemoryCollection {
    const copy = withRows
      ? new MemoryCollection(this.name, this.#rows, this.#indexes)
      : new MemoryCollection(
          this.name,
          undefined,
          this.#indexes.map(({ spec, holders }) => ({ spec, holders: holders && new Map<string, string>() })),
        );
    copy.published = this.published;
    return copy;
  }

  /** @throws MillraceError `KEY_DUPLICATE`; the row has not gone in then. */
  insert(row: Row): void {
    const id = idText(row);
    if (this.#rows.has(id)) throw keyDuplicate(this.name, idIndexName, keyOf(row, { _id: 1 }));
    this.#put(id, row);
  }

  /** Replaces the rows of the same key, keeping their `_id`; inserts the others. */
  upsert(key: readonly string[], rows: Iterable<Row>, withId: (row: Row) => Row): void {
    const spec = toSpec({ name: '', keys: Object.fromEntries(key.map((path) => [path, 1 as const])), unique: false });
    const holders = new Map<string, string>();
    for (const [id, row] of this.#rows) noteKeys(holders, spec, id, row);
    for (const row of rows) {
      const id = this.#findSame(spec, holders, row);
      const old = id === undefined ? undefined : this.#rows.get(id);
      const fresh = old ? replacing(old, row) : withId(row);
      if (id === undefined) this.insert(fresh);
      else this.#put(id, fresh);
      noteKeys(holders, spec, id ?? idText(fresh), fresh);
    }
  }

  delete(matches: Predicate): number {
    const before = this.#rows.size;
    for (const [id, row] of this.#rows) {
      if (!matches(row)) continue;
      this.#rows.delete(id);
      this.#forget(id, row);
    }
    this.#changed();
    return before - this.#rows.size;
  }

  /** @throws MillraceError `KEY_DUPLICATE` where rows that are there break it. */
  addIndex(spec: IndexSpec): void {
    const held: HeldIndex = { spec, holders: spec.unique ? new Map() : undefined };
    for (const [id, row] of this.#rows) this.#hold(held, id, row, this.#claim(held, id, row));
    this.#indexes.push(held);
    this.#changed();
  }

  #put(id: string, row: Row): void {
    const old = this.#rows.get(id);
    const claims = this.#indexes.map((held) => this.#claim(held, id, row)); // all are checked before anything changes
    if (old) this.#forget(id, old);
    this.#indexes.forEach((held, at) => this.#hold(held, id, row, claims[at] ?? []));
    this.#rows.set(id, row);
    this.#changed();
  }

  #claim({ spec, holders }: HeldIndex, id: string, row: Row): readonly string[] {
    const texts = indexTexts(row, spec);
    if (!holders) return [];
    for (const text of texts) {
      const holder = holders.get(text);
      if (holder !== undefined && holder !== id) throw keyDuplicate(this.name, spec.name, keyOf(row, spec.keys));
    }
    return texts;
  }

  #hold({ holders }: HeldIndex, id: string, _row: Row, texts: readonly string[]): void {
    if (holders) for (const text of texts) holders.set(text, id);
  }

  #forget(id: string, row: Row): void {
    for (const { spec, holders } of this.#indexes) {
      if (holders) for (const text of indexTexts(row, spec)) if (holders.get(text) === id) holders.delete(text);
    }
  }

  #findSame(spec: IndexSpec, holders: ReadonlyMap<string, string>, row: Row): string | undefined {
    const values = spec.paths.map((path) => valueAt(row, path));
    if (!values.some((value) => orderOf(value) === order.array)) {
      for (const text of indexTexts(row, spec)) {
        const id = holders.get(text);
        if (id !== undefined) return id;
      }
      return undefined;
    }
    const same = compileFilter(Object.fromEntries(Object.keys(spec.keys).map((path, at) => [path, { $eq: values[at] ?? null }])));
    for (const [id, other] of this.#rows) if (same(other)) return id;
    return undefined;
  }

  #changed(): void {
    this.version++;
    this.#snapshot = undefined;
  }
}

function idText(row: Row): string {
  return keyText((row as { readonly _id?: unknown })._id);
}

function noteKeys(holders: Map<string, string>, spec: IndexSpec, id: string, row: Row): void {
  for (const text of indexTexts(row, spec)) if (!holders.has(text)) holders.set(text, id);
}
