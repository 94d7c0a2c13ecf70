import { describeValue, nearestName, suggestName } from '../errors.js';
import { misused, type Place } from '../metadata/misuse.js';
import { isClass } from './use.js';

/** Answers what is wrong with a value, as the end of a sentence that begins with its name. */
type Rule = (value: unknown) => string | undefined;
export type Rules = Readonly<Record<string, Rule>>;

/** Refuses options that are not known or not of their type: TypeScript has said so before, plain JavaScript has not. */
export function checkOptions(place: Place, options: unknown, rules: Rules, required: readonly string[] = []): void {
  const problem = problemOf('option', options, rules, required);
  if (problem !== undefined) throw misused(place, problem);
}

/** The first thing wrong with an object of options, as a sentence. */
function problemOf(what: string, options: unknown, rules: Rules, required: readonly string[]): string | undefined {
  if (!isObject(options))
    return `${what === 'option' ? 'the options' : 'it'} must be an object such as { ${Object.keys(rules)[0] ?? ''}: … }, not ${describeValue(options)}.`;
  for (const [key, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) return `${what} '${key}' is not known. ${suggestName(key, Object.keys(rules))}`;
    const wrong = rule(value);
    if (wrong !== undefined) return `${what} '${key}' ${wrong}`;
  }
  const missing = required.find((key) => (options as Record<string, unknown>)[key] === undefined);
  return missing === undefined ? undefined : `${what} '${missing}' is missing.`;
}

/** An absent value is right; undefined is absent. */
export function rule(expected: string, holds: (value: unknown) => boolean): Rule {
  return (value) => (value === undefined || holds(value) ? undefined : `must be ${expected}, not ${describeValue(value)}.`);
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isName = (value: unknown): boolean => isText(value) && value.trim() !== '';
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
const isFinite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

export const text = rule('a string', isText);
export const aName = rule('a string with a letter in it', isName);
export const texts = rule('an array of strings', (value) => Array.isArray(value) && value.every(isText));
export const aKey = rule(
  'the name of a property or an array of such names',
  (value) => isName(value) || (Array.isArray(value) && value.length > 0 && value.every(isName)),
);
export const flag = rule('true or false', (value) => typeof value === 'boolean');
const aFunction = rule('a function', (value) => typeof value === 'function');
export const aBinding = rule(
  "a string such as 'prices', or what collection(), file(), rows() or sink() made",
  (value) => isText(value) || (isObject(value) && 'kind' in value && isText(value.kind)),
);

/** Milliseconds. Infinity is refused: a timer would take it for 1. */
export const aTimeout = rule('a number of milliseconds above 0 (leave it out for none)', (value) => isFinite(value) && value > 0);
const aDelay = rule('a number of milliseconds, 0 or above', (value) => isFinite(value) && value >= 0);
const aShare = rule('a number from 0 to 1', (value) => isFinite(value) && value >= 0 && value <= 1);
const aCount = rule('a whole number, 1 or above', (value) => value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 1));

/** A class, given when it is named at all: `schema: Price` is undefined where two files import each other. */
export const aClass: Rule = (value) => {
  if (isClass(value)) return undefined;
  if (value === undefined)
    return 'is undefined: the class is used before it is defined. Move it above, or into a file that does not import this one.';
  return `must be a class, not ${describeValue(value)}.`;
};

export function oneOf(...values: readonly string[]): Rule {
  const expected = values.map((value) => `'${value}'`).join(', ');
  return (value) => {
    if (value === undefined || values.includes(value as string)) return undefined;
    const nearest = isText(value) ? nearestName(value, values) : undefined;
    return `must be one of ${expected}, not ${describeValue(value)}.${nearest === undefined ? '' : ` Did you mean '${nearest}'?`}`;
  };
}

/** `retry`, of a processor, a step or a run. */
export const aRetry: Rule = (value) => {
  if (value === undefined) return undefined;
  const problem = problemOf('property', value, retryRules, ['attempts']);
  return problem === undefined ? undefined : `is wrong: ${problem}`;
};
const retryRules: Rules = { attempts: aCount, delay: aDelay, backoff: oneOf('fixed', 'exponential'), jitter: aShare, on: aFunction };
