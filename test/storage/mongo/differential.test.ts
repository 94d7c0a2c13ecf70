import { Binary, BSONRegExp, Code, DBRef, Decimal128, Double, EJSON, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { embeddedStore } from '../../../src/storage/embedded.js';
import { memoryStore } from '../../../src/storage/memory.js';
import type { Store } from '../../../src/storage/store.js';
import type { Query } from '../../../src/types.js';
import { temporaryFolder } from '../temporary.js';
import { describeMongo } from './server.js';

/** MILLRACE_SEED tries other documents and queries than the usual ones. */
const seed = Number(process.env['MILLRACE_SEED'] ?? 1);
const documents = Number(process.env['MILLRACE_DOCUMENTS'] ?? 300);
const queries = Number(process.env['MILLRACE_QUERIES'] ?? 500);

interface Random {
  (): number;
  /** Whether lists may be empty: servers do not agree on where one comes in a sort. MongoDB has it before null, others with it. */
  readonly empty: boolean;
}

function mulberry(start: number, empty: boolean): Random {
  let state = start;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Object.assign(next, { empty });
}

const names = ['a', 'b', 'c'];

/** Few values, so that filters find some of them. */
function scalar(random: Random): unknown {
  const choices: (() => unknown)[] = [
    () => Math.floor(random() * 5),
    () => Math.floor(random() * 4) + 0.5,
    () => -1,
    () => Long.fromNumber(Math.floor(random() * 4)),
    () => Long.fromString('9007199254740993'),
    () => Decimal128.fromString(['1', '2.5', '0.1', '3.0', '-1E+3'][Math.floor(random() * 5)] ?? '1'),
    () => [Infinity, -Infinity, NaN, -0, 1e300][Math.floor(random() * 5)],
    () => ['', 'a', 'b', 'ab', 'Ä', '\u{1f600}', 'ﾮ', 'z\u0301'][Math.floor(random() * 8)],
    () => random() < 0.5,
    () => null,
    () => new Date([0, 1000, -1000, 1e12][Math.floor(random() * 4)] ?? 0),
    () => new ObjectId(`00000000000000000000000${String(Math.floor(random() * 4))}`),
    () => new Binary(Buffer.from([Math.floor(random() * 4)]), Math.floor(random() * 2) * 5),
    () => new Timestamp({ t: Math.floor(random() * 3), i: 1 }),
    () => [new MinKey(), new MaxKey()][Math.floor(random() * 2)],
    () => [new UUID('00000000-0000-4000-8000-000000000001'), new UUID('00000000-0000-4000-8000-000000000002')][Math.floor(random() * 2)],
    () => [new Int32(2), new Double(1.5)][Math.floor(random() * 2)],
    () => [/a/, /^a/i, new BSONRegExp('b$', 'm')][Math.floor(random() * 3)],
    () => [new Code('a'), new Code('a', { b: 1 }), new Code('b')][Math.floor(random() * 3)],
    () => new DBRef('a', new ObjectId('000000000000000000000001')),
  ];
  return choices[Math.floor(random() * choices.length)]?.();
}

function value(random: Random, depth: number): unknown {
  const kind = random();
  if (depth > 0 && kind < 0.22)
    return Array.from({ length: Math.floor(random() * 4) + (random.empty ? 0 : 1) }, () => value(random, depth - 1));
  if (depth > 0 && kind < 0.42) return document(random, depth - 1);
  return scalar(random);
}

function document(random: Random, depth: number): Record<string, unknown> {
  return Object.fromEntries(names.filter(() => random() < 0.65).map((name) => [name, value(random, depth)]));
}

/** @param places - a part may be a place in a list: servers do not agree on what a sort sees there. */
function path(random: Random, places = true): string {
  const parts = [names[Math.floor(random() * names.length)] ?? 'a'];
  while (random() < 0.4 && parts.length < 3)
    parts.push(places && random() < 0.2 ? String(Math.floor(random() * 2)) : (names[Math.floor(random() * names.length)] ?? 'a'));
  return parts.join('.');
}

/**
 * FerretDB compares several values by hashes that are not the same for equal numbers of different types, fractions at least, nor inside
 * documents: `{ $in: [null, 2.5] }` does not find Decimal128('2.5') there, `{ $in: [2.5] }` does.
 */
function listed(random: Random): unknown {
  const one = scalar(random);
  return one instanceof Decimal128 || one instanceof Double || one instanceof DBRef || (typeof one === 'number' && !Number.isInteger(one))
    ? listed(random)
    : one;
}

function condition(random: Random, depth: number): unknown {
  const list = (): unknown[] =>
    random() < 0.2
      ? [value(random, 1)].map((one) => (one instanceof DBRef ? 1 : one))
      : Array.from({ length: 1 + Math.floor(random() * 3) }, () => listed(random));
  const choices: (() => unknown)[] = [
    () => value(random, 1),
    () => ({ $eq: value(random, 1) }),
    () => ({ $ne: value(random, 1) }),
    () => ({ [['$gt', '$gte', '$lt', '$lte'][Math.floor(random() * 4)] ?? '$gt']: value(random, random() < 0.2 ? 1 : 0) }),
    () => ({ $gte: Math.floor(random() * 3), $lt: 3 + Math.floor(random() * 2) }),
    () => ({ $in: list() }),
    () => ({ $nin: list() }),
    () => ({ $exists: random() < 0.5 }),
    () => ({
      $type: ['number', 'string', 'object', 'array', 'null', 'bool', 'date', 'long', 'int', 'double', 'decimal'][Math.floor(random() * 11)],
    }),
    () => ({ $size: Math.floor(random() * 3) }),
    () => ({ $all: list() }),
    () => ({ $mod: [2, Math.floor(random() * 2)] }),
    () => ({ $regex: ['a', '^a', 'b$', '.'][Math.floor(random() * 4)] }),
    () => ({
      [['$bitsAllSet', '$bitsAnySet', '$bitsAllClear', '$bitsAnyClear'][Math.floor(random() * 4)] ?? '']: 1 + Math.floor(random() * 6),
    }),
    () => ({ $not: { $gt: scalar(random) } }),
    () => ({ $not: [/a/i, { $in: list() }, { $gt: 0, $lt: 3 }, { $size: 1 }, { $not: { $exists: true } }][Math.floor(random() * 5)] }),
    () => ({ $in: [[null, /^a/], [/b/i, 1], [null], [[], null], [/a/, 'b', true]][Math.floor(random() * 5)] }),
    () => ({ $nin: [[null, /^a/], [null, 1], [/./]][Math.floor(random() * 3)] }),
    () => ({
      $regex: ['A', '^\u00e4', 'a.?b', 'b $'][Math.floor(random() * 4)],
      $options: ['i', 's', 'm', 'im'][Math.floor(random() * 4)],
    }),
    () => ({ $elemMatch: { $not: { $gt: Math.floor(random() * 3) } } }),
    () => ({ $elemMatch: { $gte: 0, $lt: 2 } }),
    () => ({ $all: [{ $elemMatch: { a: scalar(random) } }, { $elemMatch: { b: { $exists: true } } }] }),
    () => ({
      $type: [
        ['string', 'null'],
        'regex',
        'binData',
        'timestamp',
        'minKey',
        'maxKey',
        'javascript',
        'javascriptWithScope',
        'objectId',
        'symbol',
        1,
        16,
      ][Math.floor(random() * 12)],
    }),
    () => ({
      $elemMatch:
        random() < 0.5
          ? { [['$gt', '$lte', '$eq', '$ne'][Math.floor(random() * 4)] ?? '$gt']: scalar(random) }
          : filter(random, depth - 1, false),
    }),
  ];
  return choices[Math.floor(random() * (depth > 0 ? choices.length : choices.length - 1))]?.();
}

/** What is computed from a row: over paths without places, and null for what is missing, which FerretDB takes for MinKey. */
function computed(random: Random): unknown {
  const one = (): unknown =>
    random() < 0.6 ? { $ifNull: [`$${path(random, false)}`, null] } : { $literal: [1, 'a', null, true, 2.5][Math.floor(random() * 5)] };
  const choices: (() => unknown)[] = [
    () => ({ [['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'][Math.floor(random() * 6)] ?? '$eq']: [one(), one()] }),
    () => ({ $and: [computed(random), { $ne: [one(), null] }] }),
    () => ({ $or: [{ $eq: [one(), one()] }, { $not: [one()] }] }),
    () => ({ $in: [one(), [1, 'a', null, true]] }),
    () => ({ $eq: [{ $type: one() }, ['missing', 'array', 'string', 'int', 'null'][Math.floor(random() * 5)]] }),
    () => ({ $gt: [{ $cond: [{ $isArray: [one()] }, 1, 0] }, 0] }),
    () => ({ $eq: [{ $ifNull: [one(), 'none'] }, 'none'] }),
  ];
  return choices[Math.floor(random() * choices.length)]?.();
}

/** @param places - as for `path`: inside `$elemMatch` FerretDB sees others than outside. */
function filter(random: Random, depth: number, places = true): Record<string, unknown> {
  const kind = random();
  if (depth > 1 && kind > 0.94) return { $expr: computed(random) };
  if (depth > 0 && kind < 0.15) {
    const branches = Array.from({ length: 1 + Math.floor(random() * 2) }, () => filter(random, depth - 1));
    return { [['$and', '$or', '$nor'][Math.floor(random() * 3)] ?? '$and']: branches };
  }
  return Object.fromEntries(Array.from({ length: random() < 0.75 ? 1 : 2 }, () => [path(random, places), condition(random, depth)]));
}

function query(random: Random): Query<object> {
  const way = (): 1 | -1 => (random() < 0.5 ? 1 : -1);
  const sort =
    !random.empty && random() < 0.6
      ? { [path(random, false)]: way(), ...(random() < 0.3 ? { [path(random, false)]: way() } : {}), _id: way() }
      : { _id: way() };
  const fields = [...new Set([path(random), path(random), ...(random() < 0.2 ? ['_id'] : [])])];
  const crossing = fields.some((one) => fields.some((other) => other.startsWith(`${one}.`)));
  const keep = random() < 0.5 ? 1 : 0;
  return {
    filter: random() < 0.85 ? filter(random, 2) : {},
    sort,
    ...(random() < 0.3 && !crossing
      ? { projection: Object.fromEntries(fields.map((field) => [field, field === '_id' && random() < 0.7 ? 0 : keep] as const)) }
      : {}),
    ...(random() < 0.25 ? { skip: Math.floor(random() * 5) } : {}),
    ...(random() < 0.25 ? { limit: 1 + Math.floor(random() * 20) } : {}),
  };
}

const text = (row: unknown): string => EJSON.stringify(row, undefined, 0, { relaxed: false });

describeMongo('The same queries on memory, embedded and MongoDB', ({ open }) => {
  let stores: readonly Store[] = [];
  beforeAll(() => {
    stores = [open(), memoryStore(), embeddedStore({ path: temporaryFolder() })];
  });
  afterAll(() => Promise.all(stores.map((store) => store.close())));

  it.each([
    ['with empty lists, by _id', true],
    ['without them, sorted', false],
  ])(
    `gives the same rows (%s) for ${String(queries)} queries over ${String(documents)} documents, seed ${String(seed)}`,
    async (_, empty) => {
      const random = mulberry(seed, empty);
      const name = empty ? 'empty' : 'sorted';
      const rows = Array.from({ length: documents }, (_row, at) => ({ _id: at, ...document(random, 3) }));
      for (const store of stores) await store.insert(name, rows);
      const all = await Promise.all(stores.map((store) => store.find(name, { sort: { _id: 1 } }).toArray()));
      for (const found of all) expect(found.map(text)).toEqual(rows.map(text));

      const differ: string[] = [];
      for (let at = 0; at < queries; at++) {
        const one = query(random);
        const [server = '', ...others] = await Promise.all(stores.map((store) => answer(store, name, one)));
        others.forEach((other, place) => {
          if (other !== server) differ.push(`${place === 0 ? 'memory' : 'embedded'} ${text(one)}\n${difference(server, other)}`);
        });
      }
      expect(differ.slice(0, 20).join('\n\n'), `${String(differ.length)} answers differ`).toBe('');
    },
    120_000,
  );
});

async function answer(store: Store, name: string, one: Query<object>): Promise<string> {
  try {
    return (await store.find(name, one).toArray()).map(text).join('\n');
  } catch (error) {
    return `refused: ${(error as { readonly code?: string }).code ?? String(error)}`;
  }
}

function difference(server: string, other: string): string {
  const [expected, actual] = [server.split('\n'), other.split('\n')];
  const missing = expected.filter((line) => !actual.includes(line)).slice(0, 3);
  const more = actual.filter((line) => !expected.includes(line)).slice(0, 3);
  const at = expected.findIndex((line, index) => line !== actual[index]);
  const order =
    missing.length + more.length === 0 ? [`  order from row ${String(at)}: ${String(expected[at])} / ${String(actual[at])}`] : [];
  return [...missing.map((line) => `  only the server: ${line}`), ...more.map((line) => `  only here: ${line}`), ...order].join('\n');
}
