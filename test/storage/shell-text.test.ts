import { runInNewContext } from 'node:vm';

import { Binary, BSONRegExp, Code, DBRef, Decimal128, Double, EJSON, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson';
import { describe, expect, it } from 'vitest';

import { shellText } from '../../src/storage/shell-text.js';

/** What a Mongo shell knows by these names. */
const shell = {
  ISODate: (text: string) => new Date(text),
  ObjectId: (text: string) => new ObjectId(text),
  NumberLong: (text: string) => Long.fromString(text),
  NumberDecimal: (text: string) => Decimal128.fromString(text),
  BinData: (subtype: number, text: string) => new Binary(Buffer.from(text, 'base64'), subtype),
  BSONRegExp: (pattern: string, flags: string) => new BSONRegExp(pattern, flags),
  Timestamp: (parts: { t: number; i: number }) => new Timestamp(parts),
  Code: (code: string, scope?: object) => new Code(code, scope),
  DBRef: (name: string, id: ObjectId, db?: string) => new DBRef(name, id, db),
  MinKey: () => new MinKey(),
  MaxKey: () => new MaxKey(),
  Date,
  RegExp,
};

const id = new ObjectId('65f000000000000000000001');

describe('shellText', () => {
  it.each([
    { at: new Date(5), never: new Date(NaN) },
    { id, list: [1, -1.5, 1e21, NaN, Infinity, null, true] },
    { text: 'it\'s "quoted"\n\u2028 ä\u{1f600}', 'a.b': { $gt: '$c' }, __proto: 1 },
    { long: Long.fromString('9007199254740993'), big: 9007199254740993n, decimal: Decimal128.fromString('1.50'), double: new Double(2.5) },
    { $match: { name: /^a\/b"/im, other: new BSONRegExp('a b', 'x') } },
    { bytes: new Binary(Buffer.from([0, 255])), uuid: new UUID('00000000-0000-4000-8000-000000000001') },
    { stamp: new Timestamp({ t: 1, i: 2 }), least: new MinKey(), most: new MaxKey() },
    { code: new Code('f()'), scoped: new Code('f()', { a: id }), ref: new DBRef('x', id), far: new DBRef('x', id, 'db') },
  ])('is what a shell reads as the same value (%#)', (value) => {
    const read = runInNewContext(`(${shellText(value)})`, shell) as object;
    expect(EJSON.stringify(read, { relaxed: false })).toBe(EJSON.stringify(value, { relaxed: false }));
  });

  it('says null for undefined, which is how it is sent', () => {
    expect(shellText({ a: undefined, m: new Map([['b', [undefined]]]) })).toBe('{"a":null,"m":{"b":[null]}}');
  });
});
