import type { Class } from '../types.js';
import { unknownValue, type Found } from './finding.js';
import { answersAtOnce } from './rule-proof.js';
import { maskSecrets, type Secrets } from './mask.js';
import { PropertyCheck, type Trail } from './property-check.js';
import { rulesOf } from './rules.js';

/** What can be said of a class and all that are nested in it. */
interface Survey {
  /** An object may hold another of its own kind, and so itself. */
  readonly recursive: boolean;
  readonly mayBeAsync: boolean;
}

/** The rules of one class, compiled. */
export class ClassCheck {
  readonly schema: Class;
  readonly empty: boolean;
  readonly #secrets: Secrets;
  readonly #properties: readonly PropertyCheck[];
  readonly #narrowed = new WeakMap<ReadonlySet<string>, ClassCheck>();
  #survey: Survey | undefined;

  /** The one check of a class for one way to know its secrets. */
  static of(schema: Class, secrets: Secrets): ClassCheck {
    let ofClass = compiled.get(secrets);
    if (ofClass === undefined) compiled.set(secrets, (ofClass = new WeakMap()));
    let check = ofClass.get(schema);
    if (check === undefined) ofClass.set(schema, (check = ClassCheck.#compile(schema, secrets)));
    return check;
  }

  static #compile(schema: Class, secrets: Secrets): ClassCheck {
    const context = { schema, secrets, checkOf: (nested: Class) => ClassCheck.of(nested, secrets) };
    const properties = [...rulesOf(schema).values()].map((rules) => new PropertyCheck(rules, context));
    return new ClassCheck(schema, secrets, properties, properties.length === 0);
  }

  private constructor(schema: Class, secrets: Secrets, properties: readonly PropertyCheck[], empty: boolean) {
    this.schema = schema;
    this.empty = empty;
    this.#secrets = secrets;
    this.#properties = properties;
  }

  get mayBeAsync(): boolean {
    return this.#surveyed().mayBeAsync;
  }

  /** The trail for the outermost object of a check. */
  get trail(): Trail {
    return this.#surveyed().recursive ? new Set() : undefined;
  }

  /** What is wrong with an object; undefined where nothing is. */
  find(object: object, trail: Trail): Found | undefined {
    if (trail === undefined) return this.#find(object, trail);
    if (trail.has(object)) return undefined; // it holds itself, and is being checked already
    trail.add(object);
    const found = this.#find(object, trail);
    trail.delete(object);
    return found;
  }

  #find(object: object, trail: Trail): Found | undefined {
    const owner = object as Readonly<Record<string, unknown>>;
    let found: Found | undefined;
    for (const property of this.#properties) {
      const value = property.computed ? computed(this.schema, property.name, owner) : owner[property.name];
      if (property.sure(value)) continue;
      const broken = property.find(owner, value, trail);
      if (broken !== undefined) found = found === undefined ? broken : [...found, ...broken];
    }
    return found;
  }

  /** For an object in a property: one of a class without rules is never valid, as in class-validator. */
  findNested(object: object, trail: Trail): Found | undefined {
    return this.empty ? [unknownValue(maskSecrets(object, this.schema, this.#secrets))] : this.find(object, trail);
  }

  /** The check for objects that kept these properties only; a dotted path keeps a part of one. */
  narrowed(only: ReadonlySet<string>): ClassCheck {
    let check = this.#narrowed.get(only);
    if (check === undefined) this.#narrowed.set(only, (check = this.#narrow(only)));
    return check;
  }

  #narrow(only: ReadonlySet<string>): ClassCheck {
    const properties = this.#properties.flatMap((property) => {
      if (only.has(property.name)) return [property];
      const inside = new Set(
        [...only].filter((path) => path.startsWith(`${property.name}.`)).map((path) => path.slice(property.name.length + 1)),
      );
      if (inside.size === 0) return [];
      const checkOf = (nested: Class): ClassCheck => ClassCheck.of(nested, this.#secrets).narrowed(inside);
      return [property.narrowed({ schema: this.schema, secrets: this.#secrets, checkOf })];
    });
    return new ClassCheck(this.schema, this.#secrets, properties, this.empty);
  }

  #surveyed(): Survey {
    return (this.#survey ??= this.#look(new Set()));
  }

  #look(within: Set<Class>): Survey {
    if (within.has(this.schema)) return { recursive: true, mayBeAsync: false };
    within.add(this.schema);
    const mine = this.#properties.some(
      ({ awaited, rules }) => awaited || rules.some((rule) => rule.test === undefined && !answersAtOnce(rule)),
    );
    const nested = this.#properties.flatMap((property) => (property.nested === undefined ? [] : [property.nested.fixed]));
    const surveys = nested.map((schema) => (schema === undefined ? UNKNOWN : ClassCheck.of(schema, this.#secrets).#look(within)));
    within.delete(this.schema);
    return { recursive: surveys.some(({ recursive }) => recursive), mayBeAsync: mine || surveys.some(({ mayBeAsync }) => mayBeAsync) };
  }
}

/** Of a class that only a value tells, everything must be expected. */
const UNKNOWN: Survey = { recursive: true, mayBeAsync: true };

const compiled = new WeakMap<Secrets, WeakMap<Class, ClassCheck>>();

/** What a getter of the class makes of a row; undefined where the row lacks what it needs, of which the rules tell. */
function computed(schema: Class, name: string, owner: object): unknown {
  try {
    return Reflect.get(schema.prototype as object, name, owner);
  } catch {
    return undefined;
  }
}
