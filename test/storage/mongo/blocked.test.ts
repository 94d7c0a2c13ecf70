import { expect, it } from 'vitest';

import { Connection } from '../../../src/storage/mongo/connection.js';
import { parseAddress } from '../../../src/storage/mongo/address.js';
import { park } from '../../../src/storage/mongo/park.js';
import { placeOutput } from '../../../src/storage/mongo/place.js';
import type { Store } from '../../../src/storage/store.js';
import { describeMongo } from './server.js';

describeMongo('A publish on MongoDB that something is in the way of', ({ open, db, url, database }) => {
  const append = { collection: 'users', mode: 'append' } as const;
  const state = async (id: string): Promise<unknown> =>
    (await db.collection<{ _id: string; state: string }>('_millrace_stages').findOne({ _id: id }))?.state;

  async function publish(store: Store, id: string, mail: string): Promise<void> {
    const stage = await store.stage({ id, runId: id });
    await stage.insert('users', [{ mail }], append);
    await stage.prepare([append]);
    await stage.commit();
    await stage.publish();
    await stage.finish();
  }

  it('keeps its rows and its record, says where they are, and keeps nobody else from publishing', async () => {
    await using store = open();
    await store.createIndex('users', { mail: 1 }, { unique: true });
    const stage = await store.stage({ id: 'blocked', runId: 'blocked' });
    await stage.insert('users', [{ mail: 'a' }], append);
    await stage.prepare([append]);
    await stage.commit();
    await db.collection('users').insertOne({ mail: 'a', by: 'another' });
    const failure = (await stage.publish().catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ code: 'KEY_DUPLICATE', message: expect.stringMatching(/'users'.*mail: "a".*'mail_1'/) as string });
    const [, kept = ''] = /kept in '([^']+)'/.exec(failure.message) ?? [];
    expect(await db.collection(kept).find({}).toArray()).toMatchObject([{ mail: 'a' }]);
    expect(await state('blocked')).toBe('blocked');

    await using next = open(); // recovers
    await publish(next, 'next', 'b');
    expect(await next.find('users', { sort: { mail: 1 }, projection: { _id: 0 } }).toArray()).toEqual([
      { mail: 'a', by: 'another' },
      { mail: 'b' },
    ]);
    expect(await db.collection(kept).countDocuments()).toBe(1);

    await db.collection('_millrace_stages').deleteOne({ _id: 'blocked' as never }); // as the message says
    await using last = open();
    await last.collections();
    expect(await db.listCollections({ name: kept }).toArray()).toEqual([]);
  });

  it('gives a lock back that a blocked stage has left', async () => {
    await using store = open();
    const stage = await store.stage({ id: 'left', runId: 'left' });
    await stage.insert('locked', [{ n: 1 }]);
    await stage.prepare([{ collection: 'locked', mode: 'replace' }]);
    await db.collection('_millrace_stages').updateOne({ _id: 'left' as never }, { $set: { state: 'blocked' } }); // and the process died
    const other = await store.stage({ id: 'other', runId: 'other' });
    await other.insert('locked', [{ n: 2 }]);
    await other.prepare([{ collection: 'locked', mode: 'replace' }]);
    await other.abort();
    await db.collection('_millrace_stages').deleteOne({ _id: 'left' as never });
  });

  it('makes way for a swap only where the old values are still there', async () => {
    await using connection = Object.assign(new Connection(parseAddress(url, database)), {
      [Symbol.asyncDispose](this: Connection) {
        return this.close();
      },
    });
    await connection.run({ what: 'testing' }, (own) =>
      own.collection('swapped').createIndexes([{ key: { code: 1 }, name: 'code_1', unique: true }]),
    );
    await db
      .collection<{ _id: number }>('swapped')
      .insertMany([{ _id: 1, code: 'x' }, { _id: 2, code: 'y', note: 'stays' }, { _id: 3, code: 'z' }, { _id: 4 }] as never[]);
    const coming = [
      { _id: 1, code: 'y' },
      { _id: 2, code: 'x' },
      { _id: 3, code: 'z', n: 1 },
      { _id: 4, code: 'w' },
    ];
    await db.collection<{ _id: number }>('staged').insertMany(coming);
    const placing = { collection: 'swapped', mode: 'upsert', from: 'staged', how: 'merge' } as const;
    await park(connection, placing);
    expect(
      await db
        .collection('swapped')
        .find({}, { sort: { _id: 1 } })
        .toArray(),
    ).toEqual([
      { _id: 1, code: { millrace: 1 } },
      { _id: 2, code: { millrace: 2 }, note: 'stays' },
      { _id: 3, code: 'z' },
      { _id: 4, code: { millrace: 4 } },
    ]);
    await db
      .collection('staged')
      .aggregate([{ $out: 'again' }])
      .toArray();
    await placeOutput(connection, placing);
    expect(
      await db
        .collection('swapped')
        .find({}, { sort: { _id: 1 } })
        .toArray(),
    ).toEqual(coming);
    await park(connection, { ...placing, from: 'again' }); // of another process that is at the same stage, and late
    expect(
      await db
        .collection('swapped')
        .find({}, { sort: { _id: 1 } })
        .toArray(),
    ).toEqual(coming);
  });

  it.each(['found', 'rename'] as const)('is set aside where the server will never do it (%s)', async (how) => {
    await using store = open();
    const id = `never-${how}`;
    const stage = await store.stage({ id, runId: id });
    await stage.insert('fine', [{ n: 1 }]);
    await stage.prepare([{ collection: 'fine', mode: 'replace' }]);
    await stage.commit();
    const outputs = [{ collection: 'system.not', mode: 'replace', from: `_millrace_stage_${id}~0`, how }];
    await db.collection('_millrace_stages').updateOne({ _id: id as never }, { $set: { outputs, lease: new Date(0) } });
    await using next = open();
    await expect(next.count('fine')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/'system\.not' could not be published: the server refuses it.*_millrace_stages/) as string,
    });
    expect(await next.count('fine')).toBe(0);
    expect(await state(id)).toBe('blocked');
    await db.collection('_millrace_stages').deleteOne({ _id: id as never });
  });
});
