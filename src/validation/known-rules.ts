/** Whether a value keeps a rule; knows nothing of the row, allocates nothing. */
export type Test = (value: unknown) => boolean;

/** A rule of class-validator that we can judge without asking it. */
export interface KnownRule {
  readonly message: string;
  /** Undefined where the constraints are of a kind that only class-validator's own code should judge. */
  compile(constraints: readonly unknown[]): Test | undefined;
}

const simple = (message: string, test: Test): KnownRule => ({ message, compile: () => test });

const ofNumber = (message: string, compile: (bound: number) => Test): KnownRule => ({
  message,
  compile: ([bound]) => (typeof bound === 'number' ? compile(bound) : undefined),
});

const ofText = (message: string, compile: (seed: string) => Test): KnownRule => ({
  message,
  compile: ([seed]) => (typeof seed === 'string' ? compile(seed) : undefined),
});

const ofList = (message: string, compile: (list: readonly unknown[]) => Test): KnownRule => ({
  message,
  compile: ([list]) => (Array.isArray(list) ? compile(list) : undefined),
});

const ofDate = (message: string, compile: (bound: () => number) => Test): KnownRule => ({
  message,
  compile: ([date]) => (date instanceof Date ? compile(() => date.getTime()) : undefined),
});

export const knownRules: ReadonlyMap<string, KnownRule> = new Map([
  ['isDefined', simple('$property should not be null or undefined', (value) => value !== undefined && value !== null)],
  ['isNotEmpty', simple('$property should not be empty', (value) => value !== '' && value !== undefined && value !== null)],
  ['isEmpty', simple('$property must be empty', (value) => value === '' || value === undefined || value === null)],
  ['isString', simple('$property must be a string', (value) => typeof value === 'string' || value instanceof String)],
  ['isBoolean', simple('$property must be a boolean value', (value) => typeof value === 'boolean' || value instanceof Boolean)],
  ['isInt', simple('$property must be an integer number', (value) => Number.isInteger(value))],
  ['isDate', simple('$property must be a Date instance', (value) => value instanceof Date && !Number.isNaN(value.getTime()))],
  ['isArray', simple('$property must be an array', (value) => Array.isArray(value))],
  ['isObject', simple('$property must be an object', isObject)],
  ['isPositive', simple('$property must be a positive number', (value) => typeof value === 'number' && value > 0)],
  ['isNegative', simple('$property must be a negative number', (value) => typeof value === 'number' && value < 0)],
  ['arrayNotEmpty', simple('$property should not be empty', (value) => Array.isArray(value) && value.length > 0)],
  [
    'isNumber',
    { message: '$property must be a number conforming to the specified constraints', compile: ([options]) => numberTest(options ?? {}) },
  ],
  ['isEnum', { message: '$property must be one of the following values: $constraint2', compile: ([entity]) => enumTest(entity) }],
  [
    'matches',
    { message: '$property must match $constraint1 regular expression', compile: ([pattern, flags]) => matchTest(pattern, flags) },
  ],
  [
    'equals',
    {
      message: '$property must be equal to $constraint1',
      compile:
        ([other]) =>
        (value) =>
          value === other,
    },
  ],
  [
    'notEquals',
    {
      message: '$property should not be equal to $constraint1',
      compile:
        ([other]) =>
        (value) =>
          value !== other,
    },
  ],
  ['min', ofNumber('$property must not be less than $constraint1', (least) => (value) => typeof value === 'number' && value >= least)],
  ['max', ofNumber('$property must not be greater than $constraint1', (most) => (value) => typeof value === 'number' && value <= most)],
  ['minLength', ofNumber('$property must be longer than or equal to $constraint1 characters', (least) => lengthTest(least, Infinity))],
  ['maxLength', ofNumber('$property must be shorter than or equal to $constraint1 characters', (most) => lengthTest(0, most))],
  [
    'isLength',
    {
      message: '$property must be longer than or equal to $constraint1 characters', // what it says of no value at all
      compile: ([least, most = Infinity]) => (typeof least === 'number' && typeof most === 'number' ? lengthTest(least, most) : undefined),
    },
  ],
  [
    'arrayMinSize',
    ofNumber('$property must contain at least $constraint1 elements', (least) => (value) => Array.isArray(value) && value.length >= least),
  ],
  [
    'arrayMaxSize',
    ofNumber(
      '$property must contain no more than $constraint1 elements',
      (most) => (value) => Array.isArray(value) && value.length <= most,
    ),
  ],
  ['isIn', ofList('$property must be one of the following values: $constraint1', (list) => (value) => isAmong(value, list))],
  ['isNotIn', ofList('$property should not be one of the following values: $constraint1', (list) => (value) => !isAmong(value, list))],
  [
    'contains',
    ofText('$property must contain a $constraint1 string', (seed) => (value) => typeof value === 'string' && value.includes(seed)),
  ],
  [
    'notContains',
    ofText('$property should not contain a $constraint1 string', (seed) => (value) => typeof value === 'string' && !value.includes(seed)),
  ],
  [
    'minDate',
    ofDate('minimal allowed date for $property is $constraint1', (bound) => (value) => value instanceof Date && value.getTime() >= bound()),
  ],
  [
    'maxDate',
    ofDate('maximal allowed date for $property is $constraint1', (bound) => (value) => value instanceof Date && value.getTime() <= bound()),
  ],
]);

function isObject(value: unknown): boolean {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && !Array.isArray(value);
}

/** `includes` finds NaN, class-validator's `===` does not. */
function isAmong(value: unknown, list: readonly unknown[]): boolean {
  return list.includes(value) && !Number.isNaN(value);
}

function numberTest(options: { allowNaN?: boolean; allowInfinity?: boolean; maxDecimalPlaces?: number }): Test {
  const { allowNaN = false, allowInfinity = false, maxDecimalPlaces } = options;
  if (!allowNaN && !allowInfinity && maxDecimalPlaces === undefined) return (value) => Number.isFinite(value);
  return (value) => {
    if (typeof value !== 'number') return false;
    if (Number.isNaN(value)) return allowNaN;
    if (!Number.isFinite(value)) return allowInfinity;
    return maxDecimalPlaces === undefined || decimalPlaces(value) <= maxDecimalPlaces;
  };
}

/** As class-validator counts them, save for numbers such as 1e-7, where it throws. */
function decimalPlaces(value: number): number {
  if (value % 1 === 0) return 0;
  const text = String(value);
  return text.split('.')[1]?.length ?? Number(text.split('e-')[1]);
}

function enumTest(entity: unknown): Test | undefined {
  if (typeof entity !== 'object' || entity === null) return undefined;
  const values = Object.values(entity) as unknown[];
  return (value) => values.includes(value);
}

function matchTest(pattern: unknown, flags: unknown): Test | undefined {
  if (typeof pattern === 'string') return matchTest(new RegExp(pattern, typeof flags === 'string' ? flags : undefined), undefined);
  if (!(pattern instanceof RegExp) || pattern.sticky) return undefined; // sticky: the answer depends on the one before
  const stateless = new RegExp(pattern.source, pattern.flags.replace('g', ''));
  return (value) => typeof value === 'string' && stateless.test(value);
}

const SEVERAL_UNITS = /[\uD800-\uDBFF][\uDC00-\uDFFF]|[\uFE0E\uFE0F]/;

/** Lengths are in characters: a surrogate pair is one, and a variation selector is part of what it follows. */
function lengthTest(least: number, most: number): Test {
  return (value) => {
    if (typeof value !== 'string') return false;
    const units = value.length;
    if (units < least) return false;
    if (units <= most && units >= 3 * least) return true; // a character is at most three units
    const length = SEVERAL_UNITS.test(value) ? lengthInCharacters(value) : units;
    return length >= least && length <= most;
  };
}

function lengthInCharacters(value: string): number {
  const selected = value.match(/[^\uFE0F\uFE0E][\uFE0F\uFE0E]/g)?.length ?? 0;
  const pairs = value.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0;
  return value.length - selected - pairs;
}
