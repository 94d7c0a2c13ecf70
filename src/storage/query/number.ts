import type { Decimal128, Double, Int32, Long } from 'bson';

/** A number of any BSON type. */
export type BsonNumber = number | bigint | Long | Int32 | Double | Decimal128;

/**
 * The nearest double: monotonic, so that of two numbers with different doubles the one with the lesser double is the lesser.
 * `exact` says whether the double is the number itself.
 */
export function toDouble(value: BsonNumber): { readonly double: number; readonly exact: boolean } {
  if (typeof value === 'number') return { double: value, exact: true };
  if (typeof value === 'bigint') return ofInteger(value);
  switch (value._bsontype) {
    case 'Int32':
    case 'Double':
      return { double: value.value, exact: true };
    case 'Long':
      return ofInteger(value.toBigInt());
    case 'Decimal128':
      return ofDecimal(value.toString());
  }
}

/** Compares what the numbers are, whatever their types; NaN is less than every other and equal to itself, -0 is 0. */
export function compareNumbers(a: BsonNumber, b: BsonNumber): number {
  const left = toDouble(a);
  const right = toDouble(b);
  if (Number.isNaN(left.double) || Number.isNaN(right.double))
    return Number(Number.isNaN(right.double)) - Number(Number.isNaN(left.double));
  if (left.double !== right.double) return left.double < right.double ? -1 : 1;
  if (left.exact && right.exact) return 0;
  return compareFractions(toFraction(a), toFraction(b));
}

/** One text for each number, whatever its type: what equals has the same text. */
export function numberText(value: BsonNumber): string {
  const { double, exact } = toDouble(value);
  if (exact) return String(double === 0 ? 0 : double);
  const { coefficient, exponent } = toFraction(value);
  return `${coefficient}e${exponent}`;
}

/** `coefficient × 10^exponent`, without trailing zeros in the coefficient; infinities have an exponent beyond all others. */
interface Fraction {
  readonly coefficient: bigint;
  readonly exponent: number;
}

const beyond = 100_000; // far above any exponent of a Decimal128

function ofInteger(value: bigint): { double: number; exact: boolean } {
  const double = Number(value);
  return { double, exact: BigInt(double) === value };
}

function ofDecimal(text: string): { double: number; exact: boolean } {
  const double = Number(text);
  if (Number.isNaN(double) || /Infinity$/.test(text)) return { double, exact: true };
  if (!Number.isFinite(double)) return { double, exact: false };
  return { double, exact: compareFractions(parseDecimal(text), ofFinite(double)) === 0 };
}

function toFraction(value: BsonNumber): Fraction {
  if (typeof value === 'bigint') return trim(value, 0);
  if (typeof value === 'object' && value._bsontype === 'Long') return trim(value.toBigInt(), 0);
  if (typeof value === 'object' && value._bsontype === 'Decimal128') {
    const text = value.toString();
    return /Infinity$/.test(text) ? ofFinite(Number(text)) : parseDecimal(text);
  }
  return ofFinite(toDouble(value).double);
}

function parseDecimal(text: string): Fraction {
  const [digits = '0', power = '0'] = text.toUpperCase().split('E');
  const [whole = '0', part = ''] = digits.split('.');
  return trim(BigInt(whole + part), Number(power) - part.length);
}

/** Every finite double is a whole number of 2^-1074ths; halving is five tenths. */
function ofFinite(double: number): Fraction {
  if (!Number.isFinite(double)) return { coefficient: double > 0 ? 1n : -1n, exponent: beyond };
  let mantissa = double;
  let halvings = 0;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    halvings++;
  }
  return trim(BigInt(mantissa) * 5n ** BigInt(halvings), -halvings);
}

function trim(coefficient: bigint, exponent: number): Fraction {
  if (coefficient === 0n) return { coefficient, exponent: 0 };
  while (coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  return { coefficient, exponent };
}

function compareFractions(a: Fraction, b: Fraction): number {
  const sign = Math.sign(Number(a.coefficient)) - Math.sign(Number(b.coefficient));
  if (sign !== 0 || a.coefficient === 0n) return Math.sign(sign);
  if (a.exponent === beyond || b.exponent === beyond) {
    if (a.exponent === b.exponent) return 0;
    return (a.exponent === beyond ? 1 : -1) * (a.coefficient < 0n ? -1 : 1);
  }
  const shift = Math.min(a.exponent, b.exponent);
  const left = a.coefficient * 10n ** BigInt(a.exponent - shift);
  const right = b.coefficient * 10n ** BigInt(b.exponent - shift);
  return left === right ? 0 : left < right ? -1 : 1;
}
