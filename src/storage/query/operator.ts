import { compareAlike, compareValues, order, orderOf, regExpOf } from './compare.js';
import { bitTest, type BitOperator } from './bits.js';
import type { ElementTest } from './element-test.js';
import { queryInvalid, wrongOperand } from './fault.js';
import { toDouble, type BsonNumber } from './number.js';
import { regExpTest } from './regexp.js';
import { typeTest } from './type.js';

/** The operators that look at one value, by name. */
export const elementTests: Readonly<Record<string, ((operand: unknown) => ElementTest) | undefined>> = Object.freeze({
  $eq: (operand: unknown) => sameAs(operand),
  $gt: (operand: unknown) => comparison(operand, (difference) => difference > 0, order.minKey),
  $gte: (operand: unknown) => comparison(operand, (difference) => difference >= 0, order.minKey),
  $lt: (operand: unknown) => comparison(operand, (difference) => difference < 0, order.maxKey),
  $lte: (operand: unknown) => comparison(operand, (difference) => difference <= 0, order.maxKey),
  $in: oneOf,
  $size: sizeTest,
  $mod: remainderTest,
  $type: typeTest,
  $bitsAllSet: bits('$bitsAllSet'),
  $bitsAnySet: bits('$bitsAnySet'),
  $bitsAllClear: bits('$bitsAllClear'),
  $bitsAnyClear: bits('$bitsAnyClear'),
});

/** Equality as a bare value means it: a regular expression is one to match. */
export function equalTo(operand: unknown): ElementTest {
  return orderOf(operand) === order.regExp ? regExpTest(regExpOf(operand)) : sameAs(operand);
}

function sameAs(operand: unknown): ElementTest {
  if (typeof operand === 'string') {
    return { leaf: true, test: (value) => value === operand || (typeof value === 'object' && compareValues(value, operand) === 0) };
  }
  if (operand === null || operand === undefined) return { leaf: true, test: (value) => value === null || value === undefined };
  return { leaf: true, test: (value) => value === operand || compareValues(value, operand) === 0 };
}

/**
 * Compares values of the operand's own kind; null compares with null and missing only, and with nothing but MinKey and MaxKey do
 * values of other kinds compare (`extreme` is the one that this operator lets them be compared with).
 */
function comparison(operand: unknown, accepts: (difference: number) => boolean, extreme: number): ElementTest {
  const kind = operand === undefined ? order.null : orderOf(operand);
  if (kind === order.regExp) throw queryInvalid('a regular expression can only be matched: it has no order for $gt, $gte, $lt and $lte');
  if (kind === order.null) return { leaf: true, test: (value) => (value === null || value === undefined) && accepts(0) };
  const isNaN = kind === order.number && Number.isNaN(toDouble(operand as BsonNumber).double);
  return {
    leaf: true,
    test: (value) => {
      const other = orderOf(value);
      if (other !== kind) return kind === extreme && other !== order.missing;
      if (kind !== order.number) return accepts(compareAlike(kind, value, operand));
      const valueIsNaN = Number.isNaN(typeof value === 'number' ? value : toDouble(value as BsonNumber).double);
      if (isNaN || valueIsNaN) return isNaN && valueIsNaN && accepts(0); // NaN is on neither side of a number
      return accepts(compareAlike(kind, value, operand));
    },
  };
}

function oneOf(operand: unknown): ElementTest {
  if (!Array.isArray(operand)) throw wrongOperand('$in', 'an array', operand);
  const plain = new Set(operand.filter((one: unknown) => typeof one === 'string' || typeof one === 'number'));
  const tests = operand.map((one: unknown) => equalTo(one));
  const all = plain.size === operand.length;
  return {
    leaf: true,
    test: (value) => {
      if (plain.has(value as string)) return true;
      if (all && (typeof value === 'string' || typeof value === 'number')) return false;
      return tests.some(({ test }) => test(value));
    },
  };
}

function sizeTest(operand: unknown): ElementTest {
  const size = typeof operand === 'number' || orderOf(operand) === order.number ? toDouble(operand as BsonNumber).double : NaN;
  if (!Number.isInteger(size) || size < 0) throw wrongOperand('$size', 'a whole number that is not negative', operand);
  return { leaf: false, test: (value) => Array.isArray(value) && value.length === size };
}

function remainderTest(operand: unknown): ElementTest {
  const numbers = Array.isArray(operand)
    ? operand.map((one: unknown) => (orderOf(one) === order.number ? wholePart(one as BsonNumber) : undefined))
    : [];
  const [divisor, remainder] = numbers;
  if (numbers.length !== 2 || divisor === undefined || remainder === undefined || divisor === 0n) {
    throw wrongOperand('$mod', '[divisor, remainder], both numbers, the divisor not 0', operand);
  }
  return {
    leaf: true,
    test: (value) => {
      const whole = orderOf(value) === order.number ? wholePart(value as BsonNumber) : undefined;
      return whole !== undefined && whole % divisor === remainder;
    },
  };
}

/** A number without its fraction; undefined where it is no number that has one. */
export function wholePart(value: BsonNumber): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'object' && value._bsontype === 'Long') return value.toBigInt();
  const { double } = toDouble(value);
  return Number.isFinite(double) ? BigInt(Math.trunc(double)) : undefined;
}

function bits(operator: BitOperator): (operand: unknown) => ElementTest {
  return (operand) => ({ leaf: true, test: bitTest(operator, operand) });
}
