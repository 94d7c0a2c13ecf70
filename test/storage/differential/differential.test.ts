import { EJSON } from 'bson';
import { afterAll, describe, expect, it } from 'vitest';

import { embeddedStore } from '../../../src/storage/open.js';
import { memoryStore } from '../../../src/storage/open.js';
import type { Store } from '../../../src/storage/store.js';
import type { Query, Row } from '../../../src/types.js';
import { temporaryFolder } from '../temporary.js';
import { Generator } from './generate.js';

const rowsEach = 60;
const queriesEach = 60;
const seeds = Array.from({ length: 8 }, (_, at) => at + 1);

/** Every store gives what the first one gives. Another one joins by standing here. */
const stores: readonly (readonly [name: string, open: () => Store])[] = [
  ['memory', () => memoryStore()],
  ['embedded', () => embeddedStore({ path: temporaryFolder() })],
];

interface Contender {
  readonly name: string;
  readonly store: Store;
  readonly collection: string;
}

describe('the same rows and queries on every store', () => {
  const opened = stores.map(([name, open]) => ({ name, store: open() }));
  afterAll(() => Promise.all(opened.map(({ store }) => store.close())));

  it.each(seeds)('give the same (seed %i)', async (seed) => {
    const generator = new Generator(seed);
    const rows = generator.rows(rowsEach);
    const contenders = await fill(generator, rows, seed);
    for (let at = 0; at < queriesEach; at++) {
      const query = generator.query();
      const [first, ...others] = await Promise.all(contenders.map((contender) => answer(contender, query)));
      for (const other of others)
        expect(other.rows, `${other.name} against ${first?.name ?? ''}: ${EJSON.stringify(query)}`).toEqual(first?.rows);
    }
  });

  /** Each store as it is, and with indexes made before and after the rows came. */
  async function fill(generator: Generator, rows: readonly Row[], seed: number): Promise<Contender[]> {
    const indexes = [generator.index(), generator.index(), generator.index()];
    const made: Contender[] = [];
    for (const { name, store } of opened) {
      const plain = `plain-${seed}`;
      await store.insert(plain, rows);
      made.push({ name, store, collection: plain });
      const indexed = `indexed-${seed}`;
      await tryIndex(store, indexed, indexes[0] ?? {});
      await insertOneByOne(store, indexed, rows);
      for (const keys of indexes.slice(1)) await tryIndex(store, indexed, keys);
      made.push({ name: `${name} with indexes`, store, collection: indexed });
    }
    return made;
  }
});

/** An index may not be able to hold two arrays side by side: then there is none. */
async function tryIndex(store: Store, collection: string, keys: Readonly<Record<string, 1 | -1>>): Promise<void> {
  await store.createIndex(collection, keys).catch((error: unknown) => expect(error).toMatchObject({ code: 'ROW_INVALID' }));
}

async function insertOneByOne(store: Store, collection: string, rows: readonly Row[]): Promise<void> {
  const [index] = await store.indexes(collection);
  try {
    for (const row of rows) await store.insert(collection, [row]);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ROW_INVALID' });
    expect(Object.keys(index?.keys ?? {})).toHaveLength(2);
    await store.drop(collection);
    await store.insert(collection, rows);
  }
}

async function answer(
  { name, store, collection }: Contender,
  query: Query<unknown>,
): Promise<{ readonly name: string; readonly rows: readonly string[] }> {
  const rows = await store.find<Row>(collection, query).toArray();
  const { filter, skip = 0, limit = 0 } = query;
  const all = await store.count(collection, filter);
  expect(rows.length).toBe(limit === 0 ? Math.max(0, all - skip) : Math.min(limit, Math.max(0, all - skip)));
  return { name, rows: rows.map((row) => EJSON.stringify(row, { relaxed: false })) };
}
