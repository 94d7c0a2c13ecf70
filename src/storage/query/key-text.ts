import type { ObjectId } from 'bson';

import { binaryOf, compareStrings, fieldsOf, order, orderOf, regExpOf, timestampOf } from './compare.js';
import { numberText, type BsonNumber } from './number.js';

/** One text for each value that the server tells apart: equal values have the same text, others never. */
export function keyText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `s${value}`;
    case 'number':
      return `n${value === 0 ? '0' : String(value)}`;
    case 'object':
      return value === null ? '-' : textOf(orderOf(value), value);
    default:
      return textOf(orderOf(value), value);
  }
}

function textOf(kind: number, value: unknown): string {
  switch (kind) {
    case order.missing:
    case order.null:
      return '-';
    case order.number:
      return `n${numberText(value as BsonNumber)}`;
    case order.string:
      return `s${String(value)}`;
    case order.object:
      return `{${listText(fieldsOf(value as object).flatMap(([name, one]) => [`s${name}`, keyText(one)]))}}`;
    case order.array:
      return `[${listText((value as unknown[]).map(keyText))}]`;
    case order.binary: {
      const { bytes, subtype } = binaryOf(value);
      return `b${subtype}:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')}`;
    }
    case order.objectId:
      return `i${(value as ObjectId).toHexString()}`;
    case order.boolean:
      return value === true ? 'T' : 'F';
    case order.date:
      return `d${Number(value)}`;
    case order.timestamp:
      return `t${timestampOf(value)}`;
    case order.regExp: {
      const { pattern, flags } = regExpOf(value);
      return `r${flags}/${pattern}`;
    }
    default:
      return `x${kind}:${JSON.stringify(value)}`;
  }
}

/** With lengths, so that no text inside can be taken for the end of another. */
function listText(texts: readonly string[]): string {
  return texts.map((text) => `${text.length}:${text}`).join('');
}

/** By name, in the order of code points. */
export function sortedNames(names: Iterable<string>): string[] {
  return [...names].sort(compareStrings);
}
