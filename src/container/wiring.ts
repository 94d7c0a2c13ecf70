import { CompositionError } from '../errors.js';
import { checkWiring, type Root } from './check.js';
import { toKey, type Key } from './dependency.js';
import type { Plan } from './plan.js';
import type { Given, Provisions } from './provisions.js';

/** One dependency as a container makes it: its plan, with each need settled on what stands for it there. */
export interface Part {
  readonly kind: 'class' | 'resource' | 'value';
  readonly name: string;
  readonly plan: Plan | undefined;
  /** Of a given value. */
  readonly value: unknown;
  readonly needs: readonly Need[];
  readonly width: number;
  readonly make: (values: readonly unknown[]) => unknown;
  /** Lives, as bits, for which it was found free of faults. */
  checked: number;
}
export interface Need {
  readonly part: Part;
  /** The life asked for; -1 is that of the one who needs it. */
  readonly level: number;
  readonly at: number;
}

/**
 * The parts of one container, made when first asked for. An override changes which part stands for a key, and so for every key that
 * needs it; a part whose needs are the same parts as before is the same part, and so is what was set up from it.
 */
export class Wiring {
  readonly #provisions: Provisions;
  #parts = new Map<Key, Part>();
  readonly #given = new Map<Given, Part>();
  /** Every part made of a plan: one for each choice of what it needs. */
  readonly #variants = new Map<Plan, Part[]>();

  constructor(provisions: Provisions) {
    this.#provisions = provisions;
  }

  /**
   * What stands for `key` when asked for with this life.
   *
   * @throws {@link CompositionError} with every fault in its wiring.
   */
  get(key: Key, level: number): Part {
    const known = this.#parts.get(key);
    if (known !== undefined && (known.checked & (1 << level)) !== 0) return known;
    const faults = checkWiring(this.#provisions, [{ key, level }]);
    if (faults.length > 0) throw new CompositionError('The dependencies', faults);
    const part = this.#wire(key);
    part.checked |= 1 << level;
    return part;
  }

  /** What was asked for and found free of faults since the last change. */
  roots(): Root[] {
    return [...this.#parts].flatMap(([key, part]) =>
      [0, 1, 2, 3, 4].flatMap((level) => ((part.checked & (1 << level)) === 0 ? [] : { key, level })),
    );
  }

  /** What is given has changed. */
  forget(taken?: Given): void {
    this.#parts = new Map();
    if (taken !== undefined) this.#prune(taken);
  }

  /** Drops the parts that need what an override gave: with it gone they cannot come back. */
  #prune(taken: Given): void {
    const gone = new Set<Part>();
    const value = this.#given.get(taken);
    if (value === undefined) return;
    gone.add(value);
    this.#given.delete(taken);
    for (let before = 0; before < gone.size;) {
      before = gone.size;
      for (const part of [...this.#variants.values()].flat()) if (part.needs.some((need) => gone.has(need.part))) gone.add(part);
    }
    for (const [plan, parts] of this.#variants) {
      this.#variants.set(
        plan,
        parts.filter((part) => !gone.has(part)),
      );
    }
  }

  /** Of what was checked: nothing is missing, and nothing goes round in a circle. */
  #wire(key: Key): Part {
    let part = this.#parts.get(key);
    if (part !== undefined) return part;
    const source = this.#provisions.find(key);
    if (source.kind === 'value') part = this.#toValue(source.given);
    else if (source.kind === 'made') part = this.#toPart(source.plan);
    else throw new TypeError(`'${source.kind}' was to be found by the check`);
    this.#parts.set(key, part);
    return part;
  }

  #toValue(given: Given): Part {
    let part = this.#given.get(given);
    if (part === undefined) {
      part = { kind: 'value', name: '', plan: undefined, value: given.by, needs: [], width: 0, make: () => given.by, checked: 0 };
      this.#given.set(given, part);
    }
    return part;
  }

  #toPart(plan: Plan): Part {
    const needs = plan.needs.map((need): Need => ({ part: this.#wire(toKey(need.what) as Key), level: need.level ?? -1, at: need.at }));
    const variants = this.#variants.get(plan) ?? [];
    const same = variants.find((part) => part.needs.every((need, index) => need.part === needs[index]?.part));
    if (same !== undefined) return same;
    const { name, width, make } = plan;
    const part: Part = {
      kind: plan.kind === 'resource' ? 'resource' : 'class',
      name,
      plan,
      value: undefined,
      needs,
      width,
      make,
      checked: 0,
    };
    this.#variants.set(plan, [...variants, part]);
    return part;
  }
}
