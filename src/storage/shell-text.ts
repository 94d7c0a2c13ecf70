import type { Code, DBRef, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson';

import { binaryOf, order, orderOf, regExpOf } from './query/compare.js';

/** A value as MongoDB's shell reads it: a line of a log that can be pasted there. */
export function shellText(value: unknown): string {
  switch (orderOf(value)) {
    case order.number:
      if (typeof value === 'number') return String(value);
      return typeof value === 'bigint' ? `NumberLong("${String(value)}")` : wrapped(value as Long | Decimal128 | Int32 | Double);
    case order.string:
      return JSON.stringify(String(value));
    case order.object:
      return isReference(value) ? referenceText(value) : objectText(value as object);
    case order.array:
      return `[${(value as unknown[]).map(shellText).join(',')}]`;
    case order.objectId:
      return `ObjectId("${(value as ObjectId).toHexString()}")`;
    case order.date:
      return Number.isNaN(Number(value)) ? 'new Date(NaN)' : `ISODate("${(value as Date).toISOString()}")`;
    case order.binary: {
      const { bytes, subtype } = binaryOf(value);
      return `BinData(${String(subtype)}, "${Buffer.from(bytes).toString('base64')}")`;
    }
    case order.timestamp: {
      const { t, i } = value as Timestamp;
      return `Timestamp({ t: ${String(t)}, i: ${String(i)} })`;
    }
    case order.regExp: {
      const { pattern, flags } = regExpOf(value);
      return /[^imsu]/.test(flags) ? `BSONRegExp(${JSON.stringify(pattern)}, "${flags}")` : String(new RegExp(pattern, flags));
    }
    case order.minKey:
      return 'MinKey()';
    case order.maxKey:
      return 'MaxKey()';
    case order.code:
    case order.codeWithScope: {
      const { code, scope } = value as Code;
      return `Code(${JSON.stringify(code)}${scope ? `, ${shellText(scope)}` : ''})`;
    }
    case order.missing:
      return 'null'; // as it is sent
    default:
      return JSON.stringify(value);
  }
}

function objectText(value: object): string {
  const fields = value instanceof Map ? [...(value as Map<string, unknown>)] : (Object.entries(value) as [string, unknown][]);
  return `{${fields
    .filter(([, one]) => typeof one !== 'function')
    .map(([name, one]) => `${JSON.stringify(name)}:${shellText(one)}`)
    .join(',')}}`;
}

function isReference(value: unknown): value is DBRef {
  return (value as Partial<DBRef>)._bsontype === 'DBRef';
}

function referenceText({ collection, oid, db }: DBRef): string {
  return `DBRef(${[collection, oid, ...(db === undefined ? [] : [db])].map(shellText).join(', ')})`;
}

function wrapped(value: Long | Decimal128 | Int32 | Double): string {
  if (value._bsontype === 'Decimal128') return `NumberDecimal("${value.toString()}")`;
  return value._bsontype === 'Long' ? `NumberLong("${value.toString()}")` : value.toString();
}
