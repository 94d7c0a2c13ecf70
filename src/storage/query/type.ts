import type { Binary } from 'bson';

import { suggestName } from '../../errors.js';
import { order, orderOf } from './compare.js';
import { queryInvalid, wrongOperand } from './fault.js';
import type { ElementTest } from './element-test.js';

/** BSON's own names and numbers of its types, as `$type` takes them. */
export const typeCodes: Readonly<Record<string, number>> = Object.freeze({
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
});

const numeric = [1, 16, 18, 19];

/** The type that a value has, or gets, in BSON; undefined for what is not there. */
export function typeCodeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0) ? 16 : 1;
  if (typeof value === 'bigint') return 18;
  const kind = typeof value === 'object' && value !== null ? (value as Partial<Binary>)._bsontype : undefined;
  return (kind === undefined ? undefined : codesOfBson[kind]) ?? codesOfOrder[orderOf(value)];
}

/** Its name; undefined for what is not there. */
export function typeNameOf(value: unknown): string | undefined {
  const code = typeCodeOf(value);
  return Object.keys(typeCodes).find((name) => typeCodes[name] === code);
}

const codesOfBson: Readonly<Record<string, number>> = { Int32: 16, Double: 1, Long: 18, Decimal128: 19, BSONSymbol: 14 };
const codesOfOrder: Readonly<Record<number, number>> = {
  [order.minKey]: -1,
  [order.null]: 10,
  [order.string]: 2,
  [order.object]: 3,
  [order.array]: 4,
  [order.binary]: 5,
  [order.objectId]: 7,
  [order.boolean]: 8,
  [order.date]: 9,
  [order.timestamp]: 17,
  [order.regExp]: 11,
  [order.code]: 13,
  [order.codeWithScope]: 15,
  [order.maxKey]: 127,
};

/** `$type`: by name, by number, or any of several. */
export function typeTest(operand: unknown): ElementTest {
  const wanted = new Set((Array.isArray(operand) ? operand : [operand]).flatMap(codesOf));
  return {
    leaf: true,
    test: (value) => {
      const code = typeCodeOf(value);
      return code !== undefined && wanted.has(code);
    },
  };
}

function codesOf(type: unknown): readonly number[] {
  if (type === 'number') return numeric;
  if (typeof type === 'string') {
    const code = typeCodes[type];
    if (code === undefined)
      throw queryInvalid(`$type does not know '${type}'. ${suggestName(type, [...Object.keys(typeCodes), 'number'])}`);
    return [code];
  }
  if (typeof type === 'number' && Object.values(typeCodes).includes(type)) return [type];
  throw wrongOperand('$type', "a BSON type's name or number, or an array of them", type);
}
