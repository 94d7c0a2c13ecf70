import { describe, expect, it } from 'vitest';

import { EmbeddedStore } from '../../../src/storage/embedded.js';
import type { Query } from '../../../src/types.js';
import { temporaryFolder } from '../temporary.js';

async function planOf(store: EmbeddedStore, query: Query<object>): Promise<string> {
  const plan = await store.explain('rows', query);
  if (plan?.kind === 'index')
    return [plan.index.name, plan.ranges.length, ...(plan.sorted ? ['sorted'] : []), ...(plan.reverse ? ['reverse'] : [])].join(' ');
  if (plan?.kind === 'scan') return ['scan', ...(plan.sorted ? ['sorted'] : []), ...(plan.reverse ? ['reverse'] : [])].join(' ');
  return String(plan?.kind);
}

describe('the plan of a query', () => {
  it.each<readonly [Query<object>, string]>([
    [{}, 'scan'],
    [{ filter: { z: 1 } }, 'scan'],
    [{ filter: { _id: 1 } }, 'ids'],
    [{ filter: { _id: { $in: [1, 2] } }, sort: { a: 1 } }, 'ids'],
    [{ sort: { _id: 1 } }, 'scan sorted'],
    [{ sort: { _id: -1 } }, 'scan sorted reverse'],
    [{ filter: { a: 1 } }, 'a_1_b_-1 1'],
    [{ filter: { a: 1, b: 2 } }, 'a_1_b_-1 1'],
    [{ filter: { a: { $in: [1, 2, 3] }, b: 2 } }, 'a_1_b_-1 3'],
    [{ filter: { $and: [{ a: 1 }, { b: { $gt: 1 } }] } }, 'a_1_b_-1 1'],
    [{ filter: { a: { $gte: 1, $lt: 5 } } }, 'a_1_b_-1 1'],
    [{ filter: { a: null } }, 'a_1_b_-1 1'],
    [{ filter: { b: 1 } }, 'scan'],
    [{ filter: { a: { $ne: 1 } } }, 'scan'],
    [{ filter: { a: /x/ } }, 'scan'],
    [{ filter: { a: [1] } }, 'scan'],
    [{ filter: { $or: [{ a: 1 }] } }, 'scan'],
    [{ filter: { u: 1, a: 1 } }, 'u_1 1'],
    [{ sort: { a: 1, b: -1 } }, 'a_1_b_-1 1 sorted'],
    [{ sort: { a: -1, b: 1 } }, 'a_1_b_-1 1 sorted reverse'],
    [{ sort: { a: 1, b: 1 } }, 'scan'],
    [{ sort: { a: 1 } }, 'scan'],
    [{ filter: { a: 1 }, sort: { b: 1 } }, 'a_1_b_-1 1 sorted reverse'],
    [{ filter: { a: 1 }, sort: { a: 1, b: -1 } }, 'a_1_b_-1 1 sorted'],
    [{ filter: { tags: 'x' } }, 'tags_1 1'],
    [{ sort: { tags: 1 } }, 'scan'],
    [{ filter: { 'in.n': { $gt: 1 } }, sort: { 'in.n': 1 } }, 'in.n_1 1 sorted'],
  ])('%j is %s', async (query, expected) => {
    await using store = await filled();
    expect(await planOf(store, query)).toBe(expected);
  });

  it('reads no more rows than a range has', async () => {
    await using store = await filled();
    expect(await store.find('rows', { filter: { a: { $gt: 2, $lte: 4 } }, projection: { _id: 1 } }).toArray()).toEqual([
      { _id: 3 },
      { _id: 4 },
    ]);
    expect(await store.find('rows', { filter: { u: { $lt: 2 } }, sort: { u: -1 }, projection: { u: 1, _id: 0 } }).toArray()).toEqual([
      { u: 1 },
      { u: 0 },
    ]);
  });

  it('does not sort by _id where ids came in another order', async () => {
    await using store = await filled();
    await store.insert('rows', [{ _id: -5, u: -5 }]);
    expect(await planOf(store, { sort: { _id: 1 } })).toBe('scan');
    expect((await store.find('rows', { sort: { _id: 1 }, limit: 2 }).toArray()).map(({ _id }) => _id as number)).toEqual([-5, 0]);
  });
});

async function filled(): Promise<EmbeddedStore> {
  const store = new EmbeddedStore(temporaryFolder());
  await store.createIndex('rows', { a: 1, b: -1 });
  await store.createIndex('rows', { u: 1 }, { unique: true });
  await store.createIndex('rows', { tags: 1 });
  await store.createIndex('rows', { 'in.n': 1 });
  await store.insert(
    'rows',
    Array.from({ length: 10 }, (_, n) => ({ _id: n, a: n, b: n % 3, u: n, tags: ['x', n], in: { n } })),
  );
  return store;
}
