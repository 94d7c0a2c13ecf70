import { MillraceError } from '../errors.js';
import { MASK } from '../mask.js';
import type { Class } from '../types.js';
import type { Test } from './known-rules.js';
import { isPromise, knownTest } from './rule-proof.js';
import { maskSecrets, type Secrets } from './mask.js';
import { below, later, unknownValue, type Finding, type Found } from './finding.js';
import { ruleText } from './message.js';
import { nestedClass, type NestedClass } from './nested-class.js';
import type { Constraint, PropertyRules, RuleMetadata } from './rules.js';

/** The objects that are being checked, outermost first: only there where a class holds objects of its own kind. */
export type Trail = Set<object> | undefined;

/** What the check of a property needs from the class that it belongs to. */
export interface PropertyContext {
  readonly schema: Class;
  readonly secrets: Secrets;
  /** The check for objects of a class; `only` where a projection kept but some of their properties. */
  checkOf(schema: Class): { findNested(value: object, trail: Trail): Found | undefined };
}

type Owner = Readonly<Record<string, unknown>>;

interface Rule extends Constraint {
  readonly test: Test | undefined;
  readonly each: boolean;
}

/** The rules of one property, compiled. */
export class PropertyCheck {
  readonly name: string;
  /** True only where the value keeps every rule: the way of valid rows, on which nothing is allocated. */
  readonly sure: Test;
  /** A getter of the class: what it makes of the row is what is checked. */
  readonly computed: boolean;
  readonly nested: NestedClass | undefined;
  readonly rules: readonly Rule[];
  readonly awaited: boolean;
  readonly #of: PropertyRules;
  readonly #context: PropertyContext;
  readonly #secret: boolean;

  constructor(of: PropertyRules, context: PropertyContext) {
    this.#of = of;
    this.#context = context;
    this.name = of.name;
    this.awaited = of.awaited;
    this.computed = isComputed(context.schema, of.name);
    this.rules = of.constraints.map((one) => ({ ...one, test: knownTest(one), each: one.metadata.each }));
    this.nested = of.nested === undefined ? undefined : nestedClass(context.schema, of.name);
    this.sure = sureTest(of, this.rules);
    this.#secret = context.secrets(context.schema).has(of.name);
  }

  /** The same property of a row that a projection made: of the objects in it, only some properties were kept. */
  narrowed(context: PropertyContext): PropertyCheck {
    return new PropertyCheck({ ...this.#of, constraints: [] }, context);
  }

  /** What is wrong with the value; undefined where nothing is. */
  find(owner: Owner, value: unknown, trail: Trail): Found | undefined {
    if (!this.awaited || !(value instanceof Promise)) return this.#find(owner, value, trail);
    return [later(value.then((resolved: unknown) => this.#find(owner, resolved, trail) ?? []))];
  }

  #find(owner: Owner, value: unknown, trail: Trail): Found | undefined {
    for (const { constraints } of this.#of.conditions) {
      if (!(constraints as [(owner: Owner, value: unknown) => boolean])[0](owner, value)) return undefined;
    }
    let found: Found | undefined;
    for (const rule of this.rules) {
      const kept = keeps(rule, owner, value, this.#context.schema);
      if (kept === true) continue;
      const broken = isPromise(kept)
        ? later(kept.then((late) => (late ? [] : [this.#broken(rule, owner, value)])))
        : this.#broken(rule, owner, value);
      found = [...(found ?? []), broken];
    }
    if (this.nested === undefined || value === undefined) return found;
    const inside = this.#inside(owner, this.nested.isMap ? asMap(value) : value, trail);
    return inside === undefined ? found : [...(found ?? []), ...this.#hidden(below(this.name, inside))];
  }

  /** What is wrong with the objects in the value; paths are relative to it. */
  #inside(owner: Owner, value: unknown, trail: Trail): Found | undefined {
    if (Array.isArray(value)) return this.#items(owner, value, { items: value }, trail);
    if (value instanceof Set) return this.#items(owner, value, { items: [...value] }, trail);
    if (value instanceof Map) return this.#items(owner, value, { items: [...value.values()], keys: [...value.keys()] }, trail);
    if (typeof value !== 'object' || value === null)
      return typeof value === 'function' ? [unknownValue(value)] : [this.#notNested(owner, value)];
    return this.#object(owner, value, trail);
  }

  #items(
    owner: Owner,
    collection: object,
    { items, keys }: { items: readonly unknown[]; keys?: readonly unknown[] },
    trail: Trail,
  ): Found | undefined {
    if (trail?.has(collection) === true) return undefined;
    let found: Found | undefined;
    trail?.add(collection);
    for (let at = 0; at < items.length; at++) {
      const inside = items[at] === undefined ? undefined : this.#inside(owner, items[at], trail);
      if (inside !== undefined) found = [...(found ?? []), ...below(String(keys === undefined ? at : keys[at]), inside)];
    }
    trail?.delete(collection);
    return found;
  }

  #object(owner: Owner, value: object, trail: Trail): Found | undefined {
    if (value instanceof Date || value instanceof Uint8Array || isPromise(value)) return [unknownValue(value)];
    const schema = this.nested?.of(value, owner);
    if (schema === undefined) throw this.#classUnknown();
    return this.#context.checkOf(schema).findNested(value, trail);
  }

  #broken({ metadata, name, validator }: Rule, owner: Owner, value: unknown): Finding {
    const { secrets } = this.#context;
    const shown = this.#secret ? MASK : maskSecrets(value, this.nested?.fixed, secrets);
    const given = new ShownArguments(metadata, shown, owner, this.#context);
    return { path: this.name, rule: name, value: shown, text: ruleText(metadata, validator, given) };
  }

  #notNested(owner: Owner, value: unknown): Finding {
    const { schema } = this.#context;
    const metadata = this.#of.nested;
    if (metadata === undefined) return unknownValue(value);
    const given = { value, object: owner, property: this.name, targetName: schema.name, constraints: [] };
    return { path: '', rule: metadata.type, value, text: ruleText(metadata, undefined, given) };
  }

  /** Nothing inside a secret is told. */
  #hidden(found: Found): Found {
    if (!this.#secret) return found;
    return found.map((one) => (one instanceof Promise ? later(one.then((late) => this.#hidden(late))) : { ...one, value: MASK, text: '' }));
  }

  #classUnknown(): MillraceError {
    const what = `${this.#context.schema.name}.${this.name}`;
    return new MillraceError(
      'DECORATOR_MISUSED',
      `@ValidateNested on ${what}: the class of what it holds is not known, so its rules are not either; ` +
        `say it with class-transformer, @Type(() => TheClass), or declare the property with that class and compile with emitDecoratorMetadata`,
      { path: [this.#context.schema.name, this.name] },
    );
  }
}

/** What a message function is given: few ask for the row, and masking it costs more than all else. */
class ShownArguments {
  readonly value: unknown;
  readonly property: string;
  readonly targetName: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as class-validator declares them
  readonly constraints: any[];
  readonly #owner: Owner;
  readonly #context: PropertyContext;

  constructor({ propertyName, constraints }: RuleMetadata, value: unknown, owner: Owner, context: PropertyContext) {
    this.value = value;
    this.property = propertyName;
    this.targetName = context.schema.name;
    this.constraints = constraints;
    this.#owner = owner;
    this.#context = context;
  }

  get object(): object {
    return maskSecrets(this.#owner, this.#context.schema, this.#context.secrets) as object;
  }
}

/** Whether the rule is kept, as class-validator asks it: rules with `each` go to every item of an array, Set or Map. */
function keeps(rule: Rule, owner: Owner, value: unknown, schema: Class): boolean | Promise<boolean> {
  const { metadata, test, validator } = rule;
  const condition = metadata.validateIf as RuleMetadataCondition | undefined;
  if (condition !== undefined && !condition(owner, value)) return true;
  const isCollection = rule.each && (Array.isArray(value) || value instanceof Set || value instanceof Map);
  if (test !== undefined) return isCollection ? toArray(value).every(test) : test(value);
  const given = { value, object: owner, property: metadata.propertyName, targetName: schema.name, constraints: metadata.constraints };
  if (!isCollection) {
    const answer: unknown = validator.validate(value, given);
    return isPromise(answer) ? answer.then(Boolean) : Boolean(answer);
  }
  const answers: unknown[] = toArray(value).map((one) => validator.validate(one, given));
  return answers.some(isPromise) ? Promise.all(answers).then((all) => all.every(Boolean)) : answers.every(Boolean);
}

type RuleMetadataCondition = (owner: Owner, value: unknown) => boolean;

/** In a row, and in a file, an object stands for the Map that the class declares. */
function asMap(value: unknown): unknown {
  const isCollection = Array.isArray(value) || value instanceof Set || value instanceof Map;
  return typeof value === 'object' && value !== null && !isCollection ? new Map(Object.entries(value)) : value;
}

function toArray(collection: readonly unknown[] | ReadonlySet<unknown> | ReadonlyMap<unknown, unknown>): readonly unknown[] {
  return Array.isArray(collection)
    ? (collection as readonly unknown[])
    : [...(collection as ReadonlySet<unknown> | ReadonlyMap<unknown, unknown>).values()];
}

const never: Test = () => false;

function sureTest({ conditions, nested, awaited }: PropertyRules, rules: readonly Rule[]): Test {
  const optional = conditions.filter(({ name }) => name === 'isOptional');
  if (nested !== undefined || awaited || optional.length < conditions.length) return never;
  const tests = rules.map(({ test, each, metadata }) =>
    test === undefined || metadata.validateIf !== undefined ? never : each ? ofEach(test) : test,
  );
  const all = allOf(tests);
  return optional.length === 0 ? all : (value) => value === undefined || value === null || all(value);
}

function ofEach(test: Test): Test {
  return (value) => {
    if (!Array.isArray(value)) return !(value instanceof Set || value instanceof Map) && test(value);
    for (let at = 0; at < value.length; at++) if (!test(value[at])) return false;
    return true;
  };
}

function allOf(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  const others = allOf(tests.slice(1));
  return (value) => first(value) && others(value);
}

/** Whether the class has a getter for a property; with a setter beside it, it keeps what it is given instead. */
function isComputed(schema: Class, name: string): boolean {
  for (
    let one = schema.prototype as object | null;
    one !== null && one !== Object.prototype;
    one = Object.getPrototypeOf(one) as object | null
  ) {
    const accessor = Object.getOwnPropertyDescriptor(one, name);
    if (accessor !== undefined) return accessor.get !== undefined && accessor.set === undefined;
  }
  return false;
}
