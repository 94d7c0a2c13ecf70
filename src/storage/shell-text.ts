import type { Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson';

import { binaryOf, order, orderOf, regExpOf } from './query/compare.js';

/** A value as MongoDB's shell reads it: a line of a log that can be pasted there. */
export function shellText(value: unknown): string {
  switch (orderOf(value)) {
    case order.number:
      return typeof value === 'number' || typeof value === 'bigint' ? String(value) : wrapped(value as Long | Decimal128 | Int32 | Double);
    case order.object:
      return `{${Object.entries(value as object)
        .map(([name, one]) => `${JSON.stringify(name)}:${shellText(one)}`)
        .join(',')}}`;
    case order.array:
      return `[${(value as unknown[]).map(shellText).join(',')}]`;
    case order.objectId:
      return `ObjectId("${(value as ObjectId).toHexString()}")`;
    case order.date:
      return `ISODate("${(value as Date).toISOString()}")`;
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
      return String(new RegExp(pattern, flags.replace(/[^imsu]/g, '')));
    }
    case order.minKey:
      return 'MinKey()';
    case order.maxKey:
      return 'MaxKey()';
    case order.missing:
      return 'undefined';
    default:
      return JSON.stringify(value);
  }
}

function wrapped(value: Long | Decimal128 | Int32 | Double): string {
  if (value._bsontype === 'Decimal128') return `NumberDecimal("${value.toString()}")`;
  return value._bsontype === 'Long' ? `NumberLong("${value.toString()}")` : value.toString();
}
