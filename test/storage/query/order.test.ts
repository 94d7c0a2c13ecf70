import { Binary, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { after, encodeKeys } from '../../../src/storage/embedded/key.js';
import { compareValues, equalValues } from '../../../src/storage/query/compare.js';
import { keyText } from '../../../src/storage/query/key-text.js';
import { compareNumbers, type BsonNumber } from '../../../src/storage/query/number.js';

const numbers = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 53 + 2, 0.1),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((one) => Long.fromBigInt(one)),
  fc.constantFrom('9007199254740993', '9007199254740991', '1').map((text) => Long.fromString(text)),
  fc
    .constantFrom(
      '0.1',
      '1',
      '1.0',
      '1E+1',
      '10',
      '-0',
      'NaN',
      'Infinity',
      '9007199254740993',
      '1E-6000',
      '1E+6000',
      '0.1000000000000000055511151231257827',
    )
    .map((text) => Decimal128.fromString(text)),
);
const scalars = fc.oneof(
  numbers,
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a', 'a\0', 'a\0b', '\uffff', '\u{1f600}'),
  fc.boolean(),
  fc.constant(null),
  fc.integer().map((ms) => new Date(ms)),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => new Binary(bytes)),
  fc.constantFrom(new MinKey(), new MaxKey(), /a/, /a/i, /b/, new Timestamp({ t: 1, i: 2 }), new Timestamp({ t: 0xffffffff, i: 0 })),
);
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    scalars,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom('a', 'b', ''), tie('value')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

describe('the order of values', () => {
  it('is an order', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        expect(compareValues(a, a)).toBe(0);
        expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) + 0);
        if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('has one text for what is equal, and several for what is not', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(keyText(a) === keyText(b)).toBe(equalValues(a, b));
      }),
      { numRuns: 2000 },
    );
  });

  it('is the order of the bytes of index keys', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [left, right] = [encodeKeys([a]), encodeKeys([b])];
        expect(left.bytes.equals(right.bytes)).toBe(equalValues(a, b));
        if (left.exact && right.exact) expect(Math.sign(Buffer.compare(left.bytes, right.bytes))).toBe(Math.sign(compareValues(a, b)));
      }),
      { numRuns: 2000 },
    );
  });

  it('is turned around for descending keys, and goes by the first that differ', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 2, maxLength: 2 }), fc.array(values, { minLength: 2, maxLength: 2 }), (a, b) => {
        const [left, right] = [encodeKeys(a, [-1, 1]), encodeKeys(b, [-1, 1])];
        if (!left.exact || !right.exact) return;
        expect(Math.sign(Buffer.compare(left.bytes, right.bytes))).toBe(
          Math.sign(-compareValues(a[0], b[0]) || compareValues(a[1], b[1])) + 0,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('bounds what begins with some bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (start, rest) => {
        const bytes = Buffer.from(start);
        expect(Buffer.compare(Buffer.concat([bytes, rest]), after(bytes))).toBeLessThan(0);
      }),
    );
  });
});

describe('numbers of different types', () => {
  it.each<readonly [BsonNumber, BsonNumber, number]>([
    [Long.fromString('9007199254740993'), 9007199254740992, 1],
    [Decimal128.fromString('0.1'), 0.1, -1],
    [Decimal128.fromString('1.50'), 1.5, 0],
    [Decimal128.fromString('1E+6000'), Infinity, -1],
    [Decimal128.fromString('1E+6000'), 1e308, 1],
    [Decimal128.fromString('-1E+6000'), -Infinity, 1],
    [Decimal128.fromString('NaN'), NaN, 0],
    [NaN, -Infinity, -1],
    [-0, 0, 0],
    [Long.MAX_VALUE, 2 ** 63, -1],
    [5n, Long.fromNumber(5), 0],
  ])('%s against %s is %i', (a, b, expected) => {
    expect(Math.sign(compareNumbers(a, b))).toBe(expected);
    expect(Math.sign(compareNumbers(b, a))).toBe(-expected + 0);
  });
});
