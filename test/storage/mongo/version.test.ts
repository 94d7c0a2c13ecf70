import { Decimal128 } from 'bson';
import { expect, it } from 'vitest';

import { sumOfHashes } from '../../../src/storage/mongo/version.js';
import { describeMongo } from './server.js';

describeMongo('The version of a collection on MongoDB', ({ open, db }) => {
  const many = 20_000;

  it('is another one after a change in the middle of many rows, and the same again without one', async () => {
    await using store = open();
    await store.insert(
      'many',
      Array.from({ length: many }, (_, n) => ({ _id: n, price: n / 8, place: { shelf: n } })),
    );
    const seen = [await store.version?.('many'), await store.version?.('many')];
    expect(seen[0]).toEqual(expect.any(String));
    expect(seen[1]).toBe(seen[0]);
    const changes = [
      { price: 1.5 },
      { price: 1.25 },
      { price: Decimal128.fromString('1.25') },
      { place: { shelf: 'top' } },
      { price: null },
    ] as const;
    for (const $set of changes) {
      await db.collection('many').updateOne({ _id: (many / 2) as never }, { $set });
      const now = await store.version?.('many');
      expect(now).toEqual(expect.any(String));
      expect(seen).not.toContain(now);
      seen.push(now);
    }
    await db.collection('many').updateMany({ _id: { $in: [1, 2] as never[] } }, [{ $set: { price: { $subtract: [0.375, '$price'] } } }]);
    expect(seen, 'values that two rows have exchanged').not.toContain(await store.version?.('many'));
  });

  it('is not made for few rows, nor for none', async () => {
    await using store = open();
    await store.insert('few', [{ _id: 1 }]);
    for (const name of ['few', 'missing']) expect(await store.version?.(name)).toBeUndefined();
  });

  it('sees fractions also where the server hashes the whole part of numbers', async () => {
    const rows = db.collection<{ _id: number; price: number }>('fractions');
    await rows.insertMany([
      { _id: 1, price: 2.5 },
      { _id: 2, price: 3 },
    ]);
    const sums = async (): Promise<unknown> => rows.aggregate(sumOfHashes('whole')).next();
    const before = await sums();
    expect(before).toMatchObject({ rows: 2 });
    expect(await sums()).toEqual(before);
    await rows.updateOne({ _id: 1 }, { $set: { price: 2.75 } });
    expect(await sums()).not.toEqual(before);
  });
});
