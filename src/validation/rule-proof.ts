import { knownRules, type Test } from './known-rules.js';
import { classValidator, type Constraint } from './rules.js';

/**
 * The rule as a plain function, or undefined where it is not one of `knownRules`. A decorator of the user's own may carry the name
 * of a built-in one, and another version of class-validator may mean something else by it: a rule counts as known only if its
 * default message is the built-in one's and it answers a battery of probes as our function does.
 */
export function knownTest(constraint: Constraint): Test | undefined {
  const known = knownRules.get(constraint.name);
  if (known === undefined || defaultMessage(constraint) !== known.message) return undefined;
  const test = known.compile((constraint.metadata.constraints as readonly unknown[] | undefined) ?? []);
  return test !== undefined && probes(constraint).every((value) => answer(constraint, value) === test(value)) ? test : undefined;
}

/** Whether a rule is one of class-validator's own, by its name and by never answering with a promise. */
export function answersAtOnce(constraint: Constraint): boolean {
  return (
    !constraint.async && builtInNames().has(constraint.name) && !probes(constraint).some((value) => isPromise(answer(constraint, value)))
  );
}

/** As class-validator tells a promise. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function';
}

let names: ReadonlySet<unknown> | undefined;

/** class-validator exports the name of each of its rules as a constant. */
function builtInNames(): ReadonlySet<unknown> {
  return (names ??= new Set(Object.values(classValidator())));
}

function defaultMessage({ metadata, validator }: Constraint): string | undefined {
  try {
    return validator
      .defaultMessage?.({
        value: undefined,
        constraints: metadata.constraints,
        targetName: '',
        object: {},
        property: metadata.propertyName,
      })
      .replace('each value in ', '');
  } catch {
    return undefined; // a message that needs a real value is not a built-in one
  }
}

/** What the constraint itself answers; undefined, which no function of ours answers, where it throws. */
function answer({ metadata, validator }: Constraint, value: unknown): unknown {
  try {
    return validator.validate(value, {
      value,
      constraints: metadata.constraints,
      targetName: '',
      object: {},
      property: metadata.propertyName,
    });
  } catch {
    return undefined;
  }
}

function probes({ metadata }: Constraint): unknown[] {
  const constraints = ((metadata.constraints as unknown[] | undefined) ?? []).flatMap((one) =>
    Array.isArray(one) ? (one as unknown[]) : [one],
  );
  return [...PROBES, ...constraints.flatMap(near)];
}

function near(bound: unknown): unknown[] {
  if (typeof bound === 'number') return [bound - 1, bound, bound + 1];
  if (typeof bound === 'string') return [bound, `x${bound}x`];
  if (bound instanceof Date) return [-1, 0, 1].map((by) => new Date(bound.getTime() + by));
  return [bound];
}

const PROBES: readonly unknown[] = [
  ...[undefined, null, true, false, 0, -0, 1, -1, 2, 1.5, -0.25, 3.14159, 1e21, NaN, Infinity, -Infinity, 7n, Symbol('probe')],
  ...[
    '',
    ' ',
    'a',
    'A b',
    'abc',
    '0',
    '12',
    'true',
    'é',
    '😀',
    '❤️',
    'a@b.co',
    'x'.repeat(40),
    new String('s'),
    new Boolean(false),
    new Number(1),
  ],
  ...[[], [1], ['a', 'b'], [[]], {}, { a: 1 }, new Date(0), new Date(NaN), new Set(['a']), new Map(), () => true, /a/],
];
