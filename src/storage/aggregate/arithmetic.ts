import type { Decimal128, Long } from 'bson';
import type * as Bson from 'bson';

import { loadBson } from '../ids.js';
import { order, orderOf } from '../query/compare.js';
import { toDouble, type BsonNumber } from '../query/number.js';

let bson: typeof Bson | undefined;

/** Sums and products of Long and Decimal128 make new ones: their package must be there. It is, wherever there are such values. */
export async function readyArithmetic(): Promise<void> {
  bson = await loadBson();
}

type Evaluate = (row: object, expression: unknown, options: unknown) => unknown;
type Operator = (row: object, expression: unknown, options: unknown) => unknown;

/** `$add`, `$subtract`, `$multiply`, `$sum` and `$avg` over numbers of every BSON type, and over dates where the server has that. */
export function arithmetic(evaluate: Evaluate): Readonly<Record<string, Operator>> {
  return {
    $add: (row, expression, options) => {
      const values = listOf(evaluate(row, expression, options));
      const date = values.find((one) => one instanceof Date);
      return fold('$add', date ? values.map((one) => (one instanceof Date ? Number(one) : one)) : values, addNumbers, 0, (sum) =>
        date ? new Date(toDouble(sum).double) : sum,
      );
    },
    $multiply: (row, expression, options) =>
      fold('$multiply', listOf(evaluate(row, expression, options)), multiplyNumbers, 1, (product) => product),
    $subtract: (row, expression, options) => {
      const [from, what] = listOf(evaluate(row, expression, options));
      if (from instanceof Date && what instanceof Date) return Number(from) - Number(what);
      if (from instanceof Date && isNumber(what)) return new Date(Number(from) - toDouble(what).double);
      return fold('$subtract', [from, isNumber(what) ? multiplyNumbers(-1, what) : what], addNumbers, 0, (difference) => difference);
    },
    $sum: (row, expression, options) => sum(listOf(evaluate(row, expression, options))),
    $avg: (row, expression, options) => average(listOf(evaluate(row, expression, options))),
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Null where one operand is null or missing; an error where one is no number. */
function fold(
  name: string,
  values: readonly unknown[],
  combine: (a: BsonNumber, b: BsonNumber) => BsonNumber,
  start: BsonNumber,
  finish: (result: BsonNumber) => unknown,
): unknown {
  if (values.some((one) => one === null || one === undefined)) return null;
  const wrong = values.find((one) => !isNumber(one));
  if (wrong !== undefined) throw new Error(`${name} takes numbers; got a value of another type`);
  return finish((values as BsonNumber[]).reduce(combine, start));
}

export function isNumber(value: unknown): value is BsonNumber {
  return orderOf(value) === order.number;
}

/** What is no number is passed over. */
export function sum(values: readonly unknown[]): BsonNumber {
  return values.filter(isNumber).reduce(addNumbers, 0);
}

/** Null where there is no number. */
export function average(values: readonly unknown[]): BsonNumber | null {
  const numbers = values.filter(isNumber);
  return numbers.length === 0 ? null : divide(numbers.reduce(addNumbers, 0), numbers.length);
}

/** Decimals stay decimals, an average of anything else is a double. */
export function divide(total: BsonNumber, count: number): BsonNumber {
  if (!isDecimal(total)) return toDouble(total).double / count;
  const { coefficient, exponent } = parse(total);
  return toDecimal((coefficient * 10n ** 34n) / BigInt(count), exponent - 34);
}

export function addNumbers(a: BsonNumber, b: BsonNumber): BsonNumber {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (isDecimal(a) || isDecimal(b)) return decimalOf(a, b, (x, y, exponent) => toDecimal(x + y, exponent));
  return wholeOf(a, b, (x, y) => x + y) ?? toDouble(a).double + toDouble(b).double;
}

export function multiplyNumbers(a: BsonNumber, b: BsonNumber): BsonNumber {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (isDecimal(a) || isDecimal(b)) return decimalOf(a, b, (x, y, exponent) => toDecimal(x * y, 2 * exponent));
  return wholeOf(a, b, (x, y) => x * y) ?? toDouble(a).double * toDouble(b).double;
}

function isDecimal(value: BsonNumber): value is Decimal128 {
  return typeof value === 'object' && value._bsontype === 'Decimal128';
}

/** A Long with a Long or a whole number stays a Long, if it fits. */
function wholeOf(a: BsonNumber, b: BsonNumber, combine: (x: bigint, y: bigint) => bigint): Long | undefined {
  const left = wholeNumber(a);
  const right = wholeNumber(b);
  if (left === undefined || right === undefined || !bson) return undefined;
  const result = combine(left, right);
  return BigInt.asIntN(64, result) === result ? bson.Long.fromBigInt(result) : undefined;
}

function wholeNumber(value: BsonNumber): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'object' && value._bsontype === 'Long') return value.toBigInt();
  const { double } = toDouble(value);
  return Number.isSafeInteger(double) ? BigInt(double) : undefined;
}

interface Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** Brings both to one exponent; infinities and NaN go through doubles. */
function decimalOf(a: BsonNumber, b: BsonNumber, combine: (x: bigint, y: bigint, exponent: number) => BsonNumber): BsonNumber {
  const left = toDouble(a).double;
  const right = toDouble(b).double;
  if (!Number.isFinite(left) || !Number.isFinite(right)) return left + right;
  const x = parse(a);
  const y = parse(b);
  const exponent = Math.min(x.exponent, y.exponent);
  return combine(x.coefficient * 10n ** BigInt(x.exponent - exponent), y.coefficient * 10n ** BigInt(y.exponent - exponent), exponent);
}

/** By its text: that of a double has the fewest digits that name it, as the server converts it. */
function parse(value: BsonNumber): Decimal {
  const [digits = '0', power = '0'] = String(typeof value === 'object' && value._bsontype === 'Double' ? value.value : value)
    .toUpperCase()
    .split('E');
  const [whole = '0', part = ''] = digits.split('.');
  return { coefficient: BigInt(whole + part), exponent: Number(power) - part.length };
}

const precision = 34;

function toDecimal(coefficient: bigint, exponent: number): BsonNumber {
  const excess = coefficient.toString().replace('-', '').length - precision;
  if (excess > 0) {
    coefficient = rounded(coefficient, 10n ** BigInt(excess));
    exponent += excess;
  }
  while (coefficient % 10n === 0n && coefficient !== 0n && exponent < 0) {
    coefficient /= 10n;
    exponent++;
  }
  const text = `${coefficient}E${exponent}`;
  return bson ? bson.Decimal128.fromString(text) : Number(text);
}

/** Half to even, as decimals are rounded. */
function rounded(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  const twice = 2n * (value % by);
  const size = twice < 0n ? -twice : twice;
  const up = size > by || (size === by && quotient % 2n !== 0n);
  return up ? quotient + (value < 0n ? -1n : 1n) : quotient;
}
