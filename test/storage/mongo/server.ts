import { randomBytes } from 'node:crypto';

import { MongoClient, type Db } from 'mongodb';
import { afterAll, beforeAll, describe, it } from 'vitest';

import { mongoStore } from '../../../src/storage/open.js';
import type { Store } from '../../../src/storage/store.js';

/** The server of the tests; `.ci/mongodb start` prints one. */
export const uri = process.env['MONGODB_URI'] ?? '';

export interface TestServer {
  /** Of this suite alone, dropped at its end. */
  readonly database: string;
  readonly url: string;
  /** The bare driver's view of the database. */
  readonly db: Db;
  /** A store on a database that is empty; dropped with the others. */
  fresh(): Store;
  open(options?: { readonly lease?: number; readonly url?: string }): Store;
}

/** A suite that needs a server: without one it is skipped by name, and with CI set it fails. */
export function describeMongo(name: string, suite: (server: TestServer) => void): void {
  if (uri === '') {
    if (process.env['CI'] !== undefined && process.env['CI'] !== '') {
      describe(name, () => {
        it('has a MongoDB server to run on', () => {
          throw new Error('MONGODB_URI is not set, and CI must run this suite: eval "export $(.ci/mongodb start)"');
        });
      });
      return;
    }
    console.warn(`SKIPPED: ${name} (MONGODB_URI is not set; .ci/mongodb start brings a server up)`);
    describe.skip(`${name} (skipped: MONGODB_URI is not set)`, () => {
      it('needs a server', () => undefined);
    });
    return;
  }
  describe(name, () => {
    const database = `millrace-test-${randomBytes(6).toString('hex')}`;
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000 });
    const opened: Store[] = [];
    let databases = 0;
    beforeAll(() => client.connect());
    afterAll(async () => {
      for (const store of opened) await store.close();
      await client.db(database).dropDatabase();
      for (let at = 0; at < databases; at++) await client.db(`${database}-${String(at)}`).dropDatabase();
      await client.close();
    }, 60_000);
    suite({
      database,
      url: uri,
      db: client.db(database),
      fresh: () => {
        const store = mongoStore({ url: uri, database: `${database}-${String(databases++)}` });
        opened.push(store);
        return store;
      },
      open: ({ lease, url = uri } = {}) => {
        const store = mongoStore({ url, database, ...(lease === undefined ? {} : { lease }) });
        opened.push(store);
        return store;
      },
    });
  });
}
