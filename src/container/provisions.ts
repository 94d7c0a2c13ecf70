import { describeValue, type Fault } from '../errors.js';
import { isClass, isResource, isToken, nameOf, toKey, whereOf, type Key } from './dependency.js';
import { planOf, type Plan } from './plan.js';

/** What stands for a dependency in one container. */
export type Source =
  | { readonly kind: 'made'; readonly plan: Plan }
  | { readonly kind: 'value'; readonly value: unknown; readonly given: Given }
  | { readonly kind: 'missing'; readonly key: Key }
  /** What is given for it leads back to it. */
  | { readonly kind: 'circular'; readonly keys: readonly Key[] };

/** One pair of `provide`, or one override. */
export interface Given {
  readonly key: Key;
  readonly by: unknown;
}

/** What is given in one container: by `provide`, and by overrides, of which the last one counts. */
export class Provisions {
  readonly #provided = new Map<Key, Given>();
  readonly #overrides: Given[] = [];
  /** Keys provided more than once; the first counts. */
  readonly duplicates = new Map<Key, readonly Given[]>();
  /** Pairs that name nothing. */
  readonly faults: readonly Fault[];

  constructor(pairs: readonly unknown[]) {
    this.faults = pairs.flatMap((pair, index) => this.#provide(pair, index) ?? []);
  }

  /** Every key that something is given for. */
  get keys(): Key[] {
    return [...new Set([...this.#provided.keys(), ...this.#overrides.map(({ key }) => key)])];
  }

  /** Every value given, which is never ours to close. */
  get values(): unknown[] {
    return [...this.#provided.values()].map(({ by }) => by).filter((by) => !isResource(by) && !isClass(by));
  }

  override(key: Key, by: unknown): Given {
    const override = { key, by };
    this.#overrides.push(override);
    return override;
  }

  /** Takes one override off, wherever it stands among the others. */
  restore(override: Given): void {
    const index = this.#overrides.indexOf(override);
    if (index >= 0) this.#overrides.splice(index, 1);
  }

  /** What stands for `key`, a class or resource given for it followed to the end. */
  find(key: Key): Source {
    const passed = [key];
    for (;;) {
      const last = passed[passed.length - 1] as Key;
      const given = this.#overrides.findLast((override) => override.key === last) ?? this.#provided.get(last);
      if (given === undefined) return isToken(last) ? { kind: 'missing', key: last } : { kind: 'made', plan: planOf(last) };
      if (!isResource(given.by) && !isClass(given.by)) return { kind: 'value', value: given.by, given };
      if (given.by === last) return { kind: 'made', plan: planOf(given.by) }; // [Greeter, Greeter] says the obvious
      passed.push(given.by);
      if (passed.indexOf(given.by) < passed.length - 1) return { kind: 'circular', keys: passed };
    }
  }

  #provide(pair: unknown, index: number): Fault | undefined {
    const [what, by] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    const key = toKey(what);
    if (key === undefined) return namesNothing(what, index);
    const given = { key, by };
    const first = this.#provided.get(key);
    if (first === undefined) this.#provided.set(key, given);
    else this.duplicates.set(key, [...(this.duplicates.get(key) ?? [first]), given]);
    return undefined;
  }
}

function namesNothing(what: unknown, index: number): Fault {
  return {
    code: 'DEPENDENCY_MISSING',
    message: `Entry ${index + 1} of \`provide\` is for ${describeValue(what)}, which is no dependency.`,
    where: [],
    fix: 'Write [token, resource or class, what stands for it]. Where it is undefined, its module is still loading: two files import each other.',
  };
}

/** The fault of a key that is provided more than once. */
export function duplicated(key: Key, given: readonly Given[]): Fault {
  const places = [whereOf(key), ...given.map(({ by }) => (isResource(by) ? by.where : undefined))];
  return {
    code: 'DUPLICATE_NAME',
    message: `'${nameOf(key)}' is provided ${given.length} times: ${given.map(({ by }) => describeGiven(by)).join(', ')}.`,
    where: [...new Set(places)].flatMap((place) => place ?? []),
    path: [nameOf(key)],
    fix: 'Keep one entry of `provide`; to replace a dependency for a while, use override().',
  };
}

function describeGiven(by: unknown): string {
  if (isResource(by)) return `resource ${by.name}`;
  // Its kind only: a value may be a secret.
  return isClass(by) ? `class ${nameOf(by)}` : `a value (${by === null ? 'null' : typeof by})`;
}
