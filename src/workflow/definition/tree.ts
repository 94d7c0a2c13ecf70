import type { Entry, MapNode } from './node.js';
import type { At, Faults } from './source.js';

/** Levels of maps and lists: no definition has more. */
const deepest = 64;
/** Nodes of one file, those that aliases repeat included. */
const most = 100_000;

/** Keeps a tree within bounds while it is made of what a parser answers. */
export class TreeBudget {
  readonly #faults: Faults;
  #nodes = 0;
  #spent = false;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** What there is of the tree is not the definition. */
  get spent(): boolean {
    return this.#spent;
  }

  /** False where the tree is too deep or too large: told once. */
  take(at: At, depth: number): boolean {
    if (this.#spent) return false;
    if (depth <= deepest && ++this.#nodes <= most) return true;
    this.#spent = true;
    if (depth > deepest) this.#faults.invalid(at, `maps and lists are nested more than ${String(deepest)} deep`, 'Write it flatter.');
    else
      this.#faults.invalid(
        at,
        `the definition has more than ${most.toLocaleString('en')} values, those that aliases repeat included`,
        'Take aliases of aliases away.',
      );
    return false;
  }
}

/** A map in which no key is twice: the second is a fault. */
export function toMap(at: At, entries: readonly Entry[], faults: Faults): MapNode {
  const seen = new Map<string, Entry>();
  for (const entry of entries) {
    const first = seen.get(entry.key);
    if (first === undefined) seen.set(entry.key, entry);
    else
      faults.add(entry.at, {
        code: 'DEFINITION_INVALID',
        message: `key '${entry.key}' is there twice`,
        where: [first.at.source.where(first.at.offset)],
        fix: 'Leave one of them out.',
      });
  }
  return { kind: 'map', at, entries: [...seen.values()] };
}
