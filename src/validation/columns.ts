import type { Class, Column } from '../types.js';
import { designType } from './nested-class.js';
import { rulesOf, type PropertyRules } from './rules.js';

const columns = new WeakMap<Class, readonly Column[]>();

/**
 * The properties of a schema class that class-validator knows, in declaration order, those of its base classes first. What type
 * text is converted to comes from the rules, else from the type that the compiler emitted, else it is `any`.
 */
export function columnsOf(schema: Class): readonly Column[] {
  let known = columns.get(schema);
  if (known === undefined) {
    known = Object.freeze([...rulesOf(schema).values()].map((rules) => Object.freeze({ name: rules.name, type: typeOf(schema, rules) })));
    columns.set(schema, known);
  }
  return known;
}

function typeOf(schema: Class, { name, constraints, nested }: PropertyRules): Column['type'] {
  if (nested !== undefined || constraints.some(({ metadata }) => metadata.each)) return 'any';
  const types = new Set(constraints.map((one) => RULE_TYPES.get(one.name) ?? constantType(one.name, one.metadata.constraints)));
  return TYPES.find((type) => types.has(type)) ?? DESIGN_TYPES.get(designType(schema, name)) ?? 'any';
}

/** Where rules contradict each other the first of these is taken: what text says as it stands is never lost. */
const TYPES: readonly Column['type'][] = ['string', 'date', 'boolean', 'number'];

const DESIGN_TYPES: ReadonlyMap<unknown, Column['type']> = new Map<unknown, Column['type']>([
  [String, 'string'],
  [Number, 'number'],
  [Boolean, 'boolean'],
  [Date, 'date'],
]);

/** The type of what a rule compares with, where it is of one type. */
function constantType(rule: string, constraints: unknown): Column['type'] | undefined {
  const values = constantsOf(rule, Array.isArray(constraints) ? (constraints as unknown[]) : []);
  const types = new Set(values.map((value) => (value instanceof Date ? 'date' : typeof value)));
  const [type] = types;
  return types.size === 1 ? TYPES.find((one) => one === type) : undefined;
}

function constantsOf(rule: string, [first, second]: readonly unknown[]): readonly unknown[] {
  if (rule === 'equals') return [first];
  if (rule === 'isIn') return Array.isArray(first) ? first : [];
  return rule === 'isEnum' && Array.isArray(second) ? second : []; // the second has an enum's values without its reverse names
}

const NUMBER = ['isNumber', 'isInt', 'isPositive', 'isNegative', 'min', 'max', 'isDivisibleBy'];
const DATE = ['isDate', 'minDate', 'maxDate'];
const STRING = [
  ...['isString', 'isLength', 'minLength', 'maxLength', 'isByteLength', 'matches', 'contains', 'notContains', 'isLatLong'],
  ...[
    'isNumberString',
    'isBooleanString',
    'isDateString',
    'isIso8601',
    'isRFC3339',
    'isMilitaryTime',
    'isTimeZone',
    'isDecimal',
    'isCurrency',
  ],
  ...['isAlpha', 'isAlphanumeric', 'isAscii', 'isLowercase', 'isUppercase', 'isFullWidth', 'isHalfWidth', 'isVariableWidth', 'isMultibyte'],
  ...['isSurrogatePair', 'isHexadecimal', 'isOctal', 'isBase32', 'isBase58', 'isBase64', 'isHash', 'isHexColor', 'isRgbColor', 'isHSL'],
  ...[
    'isEmail',
    'isUrl',
    'isFqdn',
    'isIp',
    'isPort',
    'isMacAddress',
    'isMagnetURI',
    'isDataURI',
    'isMimeType',
    'isJson',
    'isJwt',
    'isSemVer',
  ],
  ...['isUuid', 'isMongoId', 'IsFirebasePushId', 'isCreditCard', 'isIBAN', 'isBIC', 'isBtcAddress', 'isEthereumAddress', 'isEAN', 'isIsbn'],
  ...[
    'isIsin',
    'isISRC',
    'isISSN',
    'isISO31661Alpha2',
    'isISO31661Alpha3',
    'isISO31661Numeric',
    'isISO4217CurrencyCode',
    'isLocale',
    'isIdentityCard',
    'isTaxId',
  ],
  ...['isMobilePhone', 'isPhoneNumber', 'isPassportNumber', 'isPostalCode', 'isStrongPassword', 'isISO6391'],
];

const RULE_TYPES: ReadonlyMap<string, Column['type']> = new Map([
  ...NUMBER.map((rule) => [rule, 'number'] as const),
  ...DATE.map((rule) => [rule, 'date'] as const),
  ...STRING.map((rule) => [rule, 'string'] as const),
  ['isBoolean', 'boolean'] as const,
]);
