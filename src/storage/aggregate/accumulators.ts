import { compareValues, order, orderOf } from '../query/compare.js';
import { keyText } from '../query/key-text.js';
import type { BsonNumber } from '../query/number.js';
import { addNumbers, divide, isNumber } from './arithmetic.js';

/** What an accumulator knows of one group. */
export interface Accumulator {
  add(value: unknown): void;
  result(): unknown;
}

/** Accumulators that hold no more than their result, by name. */
export const accumulators: Readonly<Record<string, (() => Accumulator) | undefined>> = Object.freeze({
  $sum: () => total((sum) => sum),
  $avg: () => total((sum, count) => (count === 0 ? null : divide(sum, count))),
  $count: () => total((sum) => sum),
  $min: () => extreme(-1),
  $max: () => extreme(1),
  $first: () => first(),
  $last: () => last(),
  $push: () => list(),
  $addToSet: () => set(),
});

function total(finish: (sum: BsonNumber, count: number) => unknown): Accumulator {
  let sum: BsonNumber = 0;
  let count = 0;
  return {
    add(value) {
      if (!isNumber(value)) return;
      sum = addNumbers(sum, value);
      count++;
    },
    result: () => finish(sum, count),
  };
}

function extreme(direction: 1 | -1): Accumulator {
  let best: unknown = null;
  return {
    add(value) {
      const kind = orderOf(value);
      if (kind === order.missing || kind === order.null) return;
      if (best === null || compareValues(value, best) * direction > 0) best = value;
    },
    result: () => best,
  };
}

function first(): Accumulator {
  let seen = false;
  let value: unknown = null;
  return {
    add(one) {
      if (!seen) value = one ?? null;
      seen = true;
    },
    result: () => value,
  };
}

function last(): Accumulator {
  let value: unknown = null;
  return {
    add(one) {
      value = one ?? null;
    },
    result: () => value,
  };
}

function list(): Accumulator {
  const values: unknown[] = [];
  return {
    add(value) {
      if (value !== undefined) values.push(value);
    },
    result: () => values,
  };
}

function set(): Accumulator {
  const values = new Map<string, unknown>();
  return {
    add(value) {
      if (value === undefined) return;
      const text = keyText(value);
      if (!values.has(text)) values.set(text, value);
    },
    result: () => [...values.values()],
  };
}
