import { Binary, Decimal128, Long, ObjectId } from 'bson';
import { expect, it } from 'vitest';

import { describeMongo } from './server.js';

describeMongo('A store on MongoDB', ({ open, db }) => {
  it('keeps rows, and finds them by filter, sort, projection, skip and limit', async () => {
    await using store = open();
    expect(
      await store.insert('prices', [
        { sku: 'b', n: 2 },
        { sku: 'a', n: 1 },
        { sku: 'c', n: 3 },
      ]),
    ).toBe(3);
    expect(
      await store
        .find('prices', { filter: { n: { $gte: 1 } }, sort: { sku: 1 }, projection: { _id: 0, sku: 1 }, skip: 1, limit: 1 })
        .toArray(),
    ).toEqual([{ sku: 'b' }]);
    expect(await store.count('prices')).toBe(3);
    expect(await store.count('prices', { n: { $gt: 1 } })).toBe(2);
    expect(await store.delete('prices', { sku: 'a' })).toBe(1);
    expect(await store.collections()).toContain('prices');
    await store.drop('prices');
    expect(await store.collections()).not.toContain('prices');
  });

  it('gives back every kind of value as it was', async () => {
    await using store = open();
    const row = {
      _id: 1,
      long: Long.fromNumber(5),
      decimal: Decimal128.fromString('1.50'),
      binary: new Binary(Buffer.from('x'), 0),
      id: new ObjectId(),
      at: new Date(5),
      gone: undefined,
      list: [1, null],
    };
    await store.insert('kinds', [row]);
    const { gone: _gone, ...kept } = row;
    expect(await store.find('kinds').toArray()).toEqual([kept]);
  });

  it('upserts by key, keeping the _id; the last of equal keys wins', async () => {
    await using store = open();
    await store.insert('stock', [{ _id: 1, sku: 'a', n: 1, old: true }]);
    expect(
      await store.upsert(
        'stock',
        ['sku'],
        [
          { sku: 'a', n: 2 },
          { sku: 'b', n: 1 },
          { sku: 'b', n: 2 },
          { _id: 9, sku: 'c' },
          { _id: 7, sku: 'a', n: 3 },
        ],
      ),
    ).toBe(5);
    expect(await store.find('stock', { sort: { sku: 1 } }).toArray()).toEqual([
      { _id: 1, sku: 'a', n: 3 },
      { _id: expect.objectContaining({ _bsontype: 'ObjectId' }) as ObjectId, sku: 'b', n: 2 },
      { _id: 9, sku: 'c' },
    ]);
  });

  it('says which key is there already, and how many rows went in before', async () => {
    await using store = open();
    await store.createIndex('users', { mail: 1 }, { unique: true });
    await expect(store.insert('users', [{ mail: 'a' }, { mail: 'b' }, { mail: 'a' }])).rejects.toMatchObject({
      code: 'KEY_DUPLICATE',
      message: expect.stringMatching(/'users'.*mail: "a".*'mail_1'.*2 rows went in/) as string,
    });
    expect(await store.count('users')).toBe(2);
    expect(await store.indexes('users')).toEqual([{ name: 'mail_1', keys: { mail: 1 }, unique: true }]);
    await expect(store.createIndex('users', { mail: 1 })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await store.insert('twice', [{ n: 1 }, { n: 1 }]);
    await expect(store.createIndex('twice', { n: 1 }, { unique: true })).rejects.toMatchObject({
      code: 'KEY_DUPLICATE',
      message: expect.stringMatching(/n: 1/) as string,
    });
  });

  it('takes rows of almost 16 MiB, several of them at a time, and refuses larger ones', async () => {
    await using store = open();
    const text = 'x'.repeat(15.9 * 2 ** 20);
    const output = { collection: 'large', mode: 'append' } as const;
    expect(
      await store.insert(
        'large',
        [1, 2, 3, 4].map((_id) => ({ _id, text })),
      ),
    ).toBe(4); // more than the 48 MB of a message
    const stage = await store.stage({ id: 'large', runId: 'large' });
    await stage.insert('large', [{ _id: 5, text }], output);
    await stage.prepare([output]);
    await stage.commit();
    await stage.publish();
    await stage.finish();
    expect(await store.count('large', { text })).toBe(5);
    await expect(store.insert('large', [{ _id: 6 }, { _id: 7, text: `${text}${text}` }])).rejects.toMatchObject({
      code: 'ROW_INVALID',
      message: expect.stringMatching(/larger than the maximum size 16777216/) as string,
    });
    await store.drop('large');
  });

  it('refuses what the server does not know, and pipelines that write', async () => {
    await using store = open();
    await store.insert('rows', [{ n: 1 }]);
    await expect(store.find('rows', { filter: { n: { $foo: 1 } } }).toArray()).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await expect(store.aggregate('rows', [{ $facet: { a: [{ $out: 'x' }] } }]).toArray()).rejects.toMatchObject({
      code: 'PIPELINE_INVALID',
      message: expect.stringMatching(/pipeline\[0\]\.\$facet\.a\[0\]\.\$out/) as string,
    });
    expect(await store.aggregate('rows', [{ $group: { _id: '$n', rows: { $sum: 1 } } }]).toArray()).toEqual([{ _id: 1, rows: 1 }]);
  });

  it('fails a reader whose collection is replaced under it, or lets it finish on the rows that it began with', async () => {
    await using store = open();
    await store.insert(
      'long',
      Array.from({ length: 9000 }, (_, n) => ({ n, from: 'old' })),
    );
    await store.insert(
      'next',
      Array.from({ length: 9000 }, (_, n) => ({ n, from: 'new' })),
    );
    const seen = new Set<string>();
    let failure: unknown;
    try {
      for await (const row of store.find<{ from: string }>('long')) {
        if (seen.size === 0) await db.renameCollection('next', 'long', { dropTarget: true });
        seen.add(row.from);
      }
    } catch (error) {
      failure = error;
    }
    expect([...seen]).toEqual(['old']);
    if (failure !== undefined) expect(failure).toMatchObject({ code: 'COLLECTION_REPLACED' });
  });

  it('names host and operation where no server answers, and never a password', async () => {
    await using store = open({ url: 'mongodb://mill:s3cret@127.0.0.1:9/db?serverSelectionTimeoutMS=200' });
    await expect(store.count('prices')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/127\.0\.0\.1:9.*opening the store/) as string,
    });
    const failure = (await store.insert('prices', [{ a: 1 }]).catch((error: unknown) => error)) as Error;
    expect(`${failure.message}${store.url}`).not.toContain('s3cret');
  });
});
