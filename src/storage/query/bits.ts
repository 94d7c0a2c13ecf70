import type { Decimal128 } from 'bson';

import { binaryOf, order, orderOf } from './compare.js';
import { wrongOperand } from './fault.js';
import { toDouble, type BsonNumber } from './number.js';

export type BitOperator = '$bitsAllSet' | '$bitsAnySet' | '$bitsAllClear' | '$bitsAnyClear';

/** Tests bits of whole numbers (in two's complement) and of binary data (the first byte holds the lowest bits). */
export function bitTest(operator: BitOperator, operand: unknown): (value: unknown) => boolean {
  const positions = positionsOf(operator, operand);
  const wanted = operator === '$bitsAllSet' || operator === '$bitsAnySet';
  const every = operator === '$bitsAllSet' || operator === '$bitsAllClear';
  return (value) => {
    const isSet = bitsOf(value);
    if (!isSet) return false;
    return every ? positions.every((at) => isSet(at) === wanted) : positions.some((at) => isSet(at) === wanted);
  };
}

function positionsOf(operator: BitOperator, operand: unknown): readonly number[] {
  if (Array.isArray(operand)) {
    if (operand.every((at) => Number.isInteger(at) && (at as number) >= 0)) return operand as number[];
  } else if (orderOf(operand) === order.binary) {
    const { bytes } = binaryOf(operand);
    return setBits(bytes.length * 8, (at) => byteBit(bytes, at));
  } else {
    const mask = wholeNumber(operand);
    if (mask !== undefined && mask >= 0n) return setBits(64, (at) => numberBit(mask, at));
  }
  throw wrongOperand(operator, 'a bit mask that is not negative, binary data, or an array of positions', operand);
}

function setBits(length: number, isSet: (at: number) => boolean): number[] {
  return Array.from({ length }, (_, at) => at).filter(isSet);
}

function bitsOf(value: unknown): ((at: number) => boolean) | undefined {
  if (orderOf(value) === order.binary) {
    const { bytes } = binaryOf(value);
    return (at) => byteBit(bytes, at);
  }
  const number = isDecimal(value) ? wholePart(value) : wholeNumber(value); // the server drops the fraction of a Decimal128, of a double it does not
  return number === undefined ? undefined : (at) => numberBit(number, at);
}

function byteBit(bytes: Uint8Array, at: number): boolean {
  return (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
}

/** BigInt shifts keep the sign, so a position beyond 63 answers with it, as the server does. */
function numberBit(value: bigint, at: number): boolean {
  return ((value >> BigInt(at)) & 1n) === 1n;
}

function isDecimal(value: unknown): value is Decimal128 {
  return typeof value === 'object' && (value as { readonly _bsontype?: unknown } | null)?._bsontype === 'Decimal128';
}

/** Without its fraction; undefined where it does not fit 64 bits. */
function wholePart(value: Decimal128): bigint | undefined {
  const { double } = toDouble(value);
  return Math.abs(double) < 2 ** 63 ? BigInt(Math.trunc(double)) : undefined;
}

/** A number without a fraction that fits 64 bits. */
function wholeNumber(value: unknown): bigint | undefined {
  if (orderOf(value) !== order.number) return undefined;
  if (typeof value === 'bigint') return value;
  const number = value as Exclude<BsonNumber, bigint>;
  if (typeof number === 'object' && number._bsontype === 'Long') return number.toBigInt();
  const { double, exact } = toDouble(number);
  if (!exact || !Number.isInteger(double) || Math.abs(double) >= 2 ** 63) return undefined;
  return BigInt(double);
}
