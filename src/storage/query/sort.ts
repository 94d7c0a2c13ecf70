import { describeValue } from '../../errors.js';
import { compareValues } from './compare.js';
import { queryInvalid } from './fault.js';
import { keysAt } from './path.js';

export type Sort = Readonly<Record<string, 1 | -1>>;

/** One property of a sort. */
export interface SortPart {
  readonly path: string;
  readonly parts: readonly string[];
  readonly direction: 1 | -1;
}

/** A sort as parts, in order of weight. */
export function parseSort(sort: Sort): readonly SortPart[] {
  return Object.entries<number>(sort).map(([path, direction]) => {
    if (direction !== 1 && direction !== -1)
      throw queryInvalid(`sort by '${path}' is 1 (ascending) or -1; got ${describeValue(direction)}`);
    return { path, parts: path.split('.'), direction };
  });
}

/** A row with the values that it is sorted by, and its place among the rows that came, so that equals keep their order. */
interface Keyed<T> {
  readonly row: T;
  readonly keys: readonly unknown[];
  readonly place: number;
}

/** An ascending sort sees the least element of an array, a descending one the greatest. */
function sortKey(row: object, { parts, direction }: SortPart): unknown {
  const [name] = parts;
  if (parts.length === 1 && name !== undefined && Object.hasOwn(row, name)) {
    const value = (row as Readonly<Record<string, unknown>>)[name];
    if (!Array.isArray(value)) return value ?? null;
  }
  const keys = keysAt(row, parts);
  return keys.reduce((best, key) => (compareValues(key, best) * direction < 0 ? key : best), keys[0]);
}

/**
 * Takes rows, gives them sorted. With a limit only so many are held, in a heap whose top is the one to go next; without one all
 * are held in memory.
 */
export class Sorter<T extends object> {
  readonly #sort: readonly SortPart[];
  readonly #limit: number;
  #held: Keyed<T>[] = [];
  #count = 0;

  constructor(sort: readonly SortPart[], limit = 0) {
    this.#sort = sort;
    this.#limit = limit;
  }

  add(row: T): void {
    const keyed = { row, keys: this.#sort.map((part) => sortKey(row, part)), place: this.#count++ };
    if (this.#limit === 0) this.#held.push(keyed);
    else if (this.#held.length < this.#limit) this.#rise(this.#held.push(keyed) - 1);
    else if (this.#compare(keyed, this.#held[0] as Keyed<T>) < 0) {
      this.#held[0] = keyed;
      this.#sink();
    }
  }

  /** The rows in order; the sorter is empty afterwards. */
  take(): T[] {
    const rows = this.#held.sort((a, b) => this.#compare(a, b)).map(({ row }) => row);
    this.#held = [];
    return rows;
  }

  #compare(a: Keyed<T>, b: Keyed<T>): number {
    for (let i = 0; i < this.#sort.length; i++) {
      const difference = compareValues(a.keys[i], b.keys[i]) * (this.#sort[i] as SortPart).direction;
      if (difference !== 0) return difference;
    }
    return a.place - b.place;
  }

  #rise(at: number): void {
    const held = this.#held;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#compare(held[at] as Keyed<T>, held[parent] as Keyed<T>) <= 0) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    const held = this.#held;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      let greatest = at;
      for (const child of [left, left + 1]) {
        if (child < held.length && this.#compare(held[child] as Keyed<T>, held[greatest] as Keyed<T>) > 0) greatest = child;
      }
      if (greatest === at) return;
      this.#swap(at, greatest);
      at = greatest;
    }
  }

  #swap(a: number, b: number): void {
    const held = this.#held;
    [held[a], held[b]] = [held[b] as Keyed<T>, held[a] as Keyed<T>];
  }
}
