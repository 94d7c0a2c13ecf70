import { Binary, Decimal128, Long, ObjectId } from 'bson';

import type { Query, Row } from '../../../src/types.js';

/** Random numbers that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes rows and queries that meet each other: few names, few values, every type. */
export class Generator {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  rows(count: number): Row[] {
    return Array.from({ length: count }, (_, _id) => ({ _id, ...this.#document(2) }));
  }

  query(): Query<unknown> {
    return {
      filter: this.#filter(2),
      ...(this.#chance(0.5) ? { sort: this.#sort() } : {}),
      ...(this.#chance(0.3) ? { projection: this.#projection() } : {}),
      ...(this.#chance(0.2) ? { skip: this.#below(5) } : {}),
      ...(this.#chance(0.3) ? { limit: this.#below(10) } : {}),
    } as Query<unknown>;
  }

  index(): Readonly<Record<string, 1 | -1>> {
    const paths = new Set(Array.from({ length: 1 + this.#below(2) }, () => this.#path()).filter((path) => !/\d/.test(path)));
    return Object.fromEntries([...(paths.size === 0 ? ['a'] : paths)].map((path) => [path, this.#chance(0.5) ? 1 : -1]));
  }

  #document(depth: number): Record<string, unknown> {
    return Object.fromEntries(names.filter(() => this.#chance(0.6)).map((name) => [name, this.#value(depth)]));
  }

  #value(depth: number): unknown {
    if (depth > 0 && this.#chance(0.2)) return this.#document(depth - 1);
    if (depth > 0 && this.#chance(0.25)) return Array.from({ length: this.#below(4) }, () => this.#value(depth - 1));
    return this.#scalar();
  }

  #scalar(): unknown {
    return this.#pick(scalars)();
  }

  /** No two arrays side by side, which an index cannot hold: it is on one path that has them, or on none. */
  #path(): string {
    return this.#pick(['a', 'b', 'c', 'a.a', 'a.b', 'b.a', 'c.c', 'a.0', 'b.1.a', 'a.b.c', '_id']);
  }

  #filter(depth: number): object {
    if (depth > 0 && this.#chance(0.2)) {
      const branches = Array.from({ length: 1 + this.#below(3) }, () => this.#filter(depth - 1));
      return { [this.#pick(['$and', '$or', '$nor'])]: branches };
    }
    return Object.fromEntries(Array.from({ length: this.#below(3) }, () => [this.#path(), this.#condition(depth)]));
  }

  #condition(depth: number): unknown {
    if (this.#chance(0.3)) return this.#value(1);
    return Object.assign({}, ...Array.from({ length: 1 + this.#below(2) }, () => this.#operator(depth))) as object;
  }

  #operator(depth: number): object {
    const comparable = (): unknown => {
      for (;;) {
        const value = this.#value(1);
        if (!(value instanceof RegExp)) return value;
      }
    };
    const list = (): unknown[] => Array.from({ length: this.#below(4) }, () => this.#scalar());
    return this.#pick<() => object>([
      () => ({ $eq: comparable() }),
      () => ({ $ne: this.#scalar() === undefined ? null : comparable() }),
      () => ({ $gt: comparable() }),
      () => ({ $gte: comparable() }),
      () => ({ $lt: comparable() }),
      () => ({ $lte: comparable() }),
      () => ({ $in: list() }),
      () => ({ $nin: list() }),
      () => ({ $exists: this.#chance(0.5) }),
      () => ({ $type: this.#pick(['string', 'number', 'int', 'double', 'long', 'array', 'object', 'null', 'bool', 'date']) }),
      () => ({ $size: this.#below(3) }),
      () => ({ $all: list().filter((value) => !(value instanceof RegExp)) }),
      () => ({ $mod: [2, this.#below(2)] }),
      () => ({ $regex: this.#pick(['^a', 'b', 'Z$']), $options: this.#pick(['', 'i']) }),
      () => (depth > 0 ? { $not: this.#operator(depth - 1) } : { $exists: true }),
      () => (depth > 0 ? { $elemMatch: this.#chance(0.5) ? this.#operator(0) : this.#filter(0) } : { $exists: false }),
    ])();
  }

  #sort(): Readonly<Record<string, 1 | -1>> {
    return Object.fromEntries(
      Array.from({ length: 1 + this.#below(2) }, () => [this.#pick(['a', 'b', 'c', 'a.b', '_id']), this.#chance(0.5) ? 1 : -1]),
    );
  }

  #projection(): Readonly<Record<string, 0 | 1>> {
    const keep = this.#chance(0.5) ? 1 : 0;
    const paths = this.#pick([['a'], ['a', 'b'], ['a.b'], ['b.a', 'c'], ['c.c', 'a.a', 'a.b'], []]);
    return { ...Object.fromEntries(paths.map((path) => [path, keep])), ...(this.#chance(0.3) ? { _id: 0 } : {}) };
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }
}

const names = ['a', 'b', 'c'];

const scalars: readonly (() => unknown)[] = [
  () => 0,
  () => 1,
  () => 2,
  () => -1.5,
  () => 1e20,
  () => NaN,
  () => Long.fromNumber(1),
  () => Long.fromString('9007199254740993'),
  () => Decimal128.fromString('1.0'),
  () => Decimal128.fromString('0.1'),
  () => 'a',
  () => 'ab',
  () => 'ä\u{1f600}',
  () => '',
  () => null,
  () => true,
  () => false,
  () => new Date(0),
  () => new Date(86_400_000),
  () => new ObjectId('65f000000000000000000001'),
  () => new Binary(Buffer.from([1, 2])),
  () => /^a/,
];
