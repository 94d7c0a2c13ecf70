import type { Fault } from '../errors.js';
import { nameOf, scopeAt, toKey, whereOf, type Key } from './dependency.js';
import type { Plan, PlannedNeed } from './plan.js';
import { duplicated, type Provisions } from './provisions.js';

/** Where a check begins: something asked for, and the life for which. */
export interface Root {
  readonly key: Key;
  readonly level: number;
}

/** Every mistake in the wiring of the roots and of all that they need, found without running a factory. */
export function checkWiring(provisions: Provisions, roots: Iterable<Root>): Fault[] {
  const walk = new Walk(provisions);
  for (const root of roots) walk.visit(root.key, root.level, undefined);
  return [...walk.faults.values()];
}

/** Who asks, by which need. */
interface Asker {
  readonly plan: Plan;
  readonly level: number;
  readonly need: PlannedNeed;
}

class Walk {
  /** By what makes each different: one mistake is told once, however many ways lead to it. */
  readonly faults = new Map<string, Fault>();
  readonly #provisions: Provisions;
  /** Lives, as bits, for which a plan was walked already. */
  readonly #walked = new Map<Plan, number>();
  readonly #path: Plan[] = [];

  constructor(provisions: Provisions) {
    this.#provisions = provisions;
  }

  visit(key: Key, level: number, asker: Asker | undefined): void {
    const twice = this.#provisions.duplicates.get(key);
    if (twice !== undefined) this.#add(duplicated(key, twice));
    const source = this.#provisions.find(key);
    if (source.kind === 'missing') this.#add(missing(source.key, asker, this.#names(source.key), this.#provisions));
    if (source.kind === 'circular') this.#addGivenCycle(source.keys);
    if (source.kind !== 'made') return;
    if (asker !== undefined && level > asker.level)
      this.#add(captive(source.plan, level, asker, [...this.#path.map(toName), source.plan.name]));
    this.#walk(source.plan, level);
  }

  #walk(plan: Plan, level: number): void {
    const start = this.#path.indexOf(plan);
    if (start >= 0) {
      this.#addCycle(this.#path.slice(start));
      return;
    }
    const walked = this.#walked.get(plan) ?? 0;
    if ((walked & (1 << level)) !== 0) return;
    this.#walked.set(plan, walked | (1 << level));
    this.#path.push(plan);
    for (const need of plan.needs) this.#follow({ plan, level, need });
    this.#path.pop();
  }

  #follow(asker: Asker): void {
    const { need, level } = asker;
    if (need.erased !== undefined) return this.#add(erased(asker, need.erased, this.#path.map(toName)));
    const key = toKey(need.what);
    if (key === undefined) return this.#add(undefinedNeed(asker, this.#path.map(toName)));
    this.visit(key, need.level ?? level, asker);
  }

  /** Provisions that lead back to the first of them. */
  #addGivenCycle(keys: readonly Key[]): void {
    const cycle = keys.slice(keys.indexOf(keys.at(-1) as Key));
    const names = cycle.map(nameOf);
    this.#add(circular(names, cycle.map(whereOf)), `provided ${[...new Set(names)].sort().join()}`);
  }

  /** Told once, from whichever of its members it was entered: it is written from the one that was found first. */
  #addCycle(plans: readonly Plan[]): void {
    const ids = plans.map((plan) => [...this.#walked.keys()].indexOf(plan));
    const least = ids.indexOf(Math.min(...ids));
    const turned = [...plans.slice(least), ...plans.slice(0, least + 1)];
    this.#add(
      circular(turned.map(toName), turned.slice(0, -1).map(whereOfPlan)),
      `circular ${[...ids.slice(least), ...ids.slice(0, least)].join()}`,
    );
  }

  #names(last: Key): string[] {
    return [...this.#path.map(toName), nameOf(last)];
  }

  #add(fault: Fault, id = `${fault.code} ${fault.message} ${fault.where.join()}`): void {
    if (!this.faults.has(id)) this.faults.set(id, Object.freeze(fault));
  }
}

function missing(key: Key, asker: Asker | undefined, path: readonly string[], provisions: Provisions): Fault {
  const name = nameOf(key);
  const namesake = provisions.keys.find((other) => other !== key && nameOf(other) === name);
  const who = asker === undefined ? `'${name}' is asked for` : `${asker.plan.name} needs '${name}' (${asker.need.place})`;
  return {
    code: 'DEPENDENCY_MISSING',
    message: `${who}, but nothing provides it.`,
    where: places(asker?.need.source.where, whereOf(key)),
    path,
    fix:
      namesake === undefined
        ? `Provide it: provide: [[${name}, value, resource or class]].`
        : `What is provided is another '${name}' (${whereOf(namesake) ?? 'elsewhere'}): use the same one in both places.`,
  };
}

function captive(plan: Plan, level: number, asker: Asker, path: readonly string[]): Fault {
  const [long, short] = [scopeAt(asker.level), scopeAt(level)];
  return {
    code: 'DEPENDENCY_CAPTIVE',
    message: `${asker.plan.name} lives for ${long}, but needs ${plan.name} for ${short} (${asker.need.place}), which ends sooner: ${path.join(' -> ')}.`,
    where: places(asker.need.source.where, whereOfPlan(plan)),
    path,
    fix: `Ask for ${plan.name} with the life ${long} or a longer one, or let ${asker.plan.name} live for ${short}.`,
  };
}

function circular(names: readonly string[], where: readonly (string | undefined)[]): Fault {
  const path = names.join(' -> ');
  return {
    code: 'DEPENDENCY_CIRCULAR',
    message: `Dependencies go round in a circle: ${path}.`,
    where: places(...where),
    path: names,
    fix: 'Take out one of these needs: move what both sides use into a dependency of its own.',
  };
}

function erased({ plan, need }: Asker, reason: string, path: readonly string[]): Fault {
  return {
    code: 'DEPENDENCY_TYPE_ERASED',
    message: `${plan.name} ${need.place} ${reason}.`,
    where: places(need.source.where, whereOfPlan(plan)),
    path,
    fix: `Name the provider: @Depends(Scope.${pascal(need.level)}, resource, token or class).`,
  };
}

function undefinedNeed({ plan, need }: Asker, path: readonly string[]): Fault {
  return {
    code: 'DEPENDENCY_MISSING',
    message: `${plan.name} ${need.place} refers to a class that is not defined.`,
    where: places(need.source.where, whereOfPlan(plan)),
    path,
    fix: 'Let forward(() => TheClass) answer a class; it is called when the wiring is first checked or used, not before.',
  };
}

function pascal(level = 4): string {
  return scopeAt(level)
    .toLowerCase()
    .replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
}

function places(...where: readonly (string | undefined)[]): string[] {
  return [...new Set(where)].filter((place): place is string => place !== undefined && place !== '');
}

function toName(plan: Plan): string {
  return plan.name;
}

/** A class does not tell where it stands; its first `@Depends` is near enough. */
function whereOfPlan(plan: Plan): string | undefined {
  return whereOf(plan.key) ?? plan.needs[0]?.source.where;
}
