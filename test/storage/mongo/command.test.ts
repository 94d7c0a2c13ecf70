import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { millrace, type Ended } from '../../cli/kit.js';
import { temporaryFolder } from '../temporary.js';
import { describeMongo } from './server.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const config = ['--config', 'samples/movies/millrace.config.ts'] as const;

describeMongo('The command line on MongoDB', ({ url, database }) => {
  const mongo = `${url.replace(/\/$/, '')}/${database}`;
  const on = (store: string, ...argv: readonly string[]): Promise<Ended> => millrace(root, ...argv, ...config, '--store', store);
  const rows = async (store: string, collection: string): Promise<readonly string[]> => {
    const { code, stdout } = await on(store, 'data', collection, '--json', '--limit', '0');
    expect(code).toBe(0);
    return (JSON.parse(stdout) as { _id: unknown; runId?: unknown }[]).map(({ _id, runId, ...row }) => JSON.stringify(row)).sort();
  };

  it('gives the same films, ranks and rejects as on the embedded store, and keeps records', async () => {
    const stores = [mongo, `embedded:${temporaryFolder()}`];
    for (const store of stores)
      for (const name of ['CleanMovies', 'RankGenres']) expect((await on(store, 'run', name, '--quiet')).code).toBe(0);
    for (const [collection, least] of [
      ['movies', 3000],
      ['genres', 10],
      ['movie_rejects', 30],
    ] as const) {
      const [here, there] = await Promise.all(stores.map((store) => rows(store, collection)));
      expect(here?.length).toBeGreaterThan(least);
      expect(here).toEqual(there);
    }
    const [here, there] = await Promise.all(stores.map((store) => on(store, 'data')));
    expect(here?.stdout).toBe(there?.stdout);
    const runs = JSON.parse((await on(mongo, 'runs', '--json')).stdout) as { name: string; status: string; _id?: string; id?: string }[];
    expect(runs.map(({ name, status }) => [name, status])).toEqual([
      ['RankGenres', 'succeeded'],
      ['CleanMovies', 'succeeded'],
    ]);
    const one = await on(mongo, 'runs', runs[0]?._id ?? runs[0]?.id ?? '');
    expect(one).toMatchObject({ code: 0, stdout: expect.stringMatching(/RankGenres[^]*movies/) as string });
  });

  it('says what is not there, by the nearest name', async () => {
    const { code, stderr } = await on(mongo, 'data', 'movis');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/no collection 'movis'.*Did you mean 'movies'/) as string });
  });

  const secret = 's3cr3t-of-ann';
  it.each([
    [
      'data',
      `mongodb://ann:${secret}@127.0.0.1:9/shop?serverSelectionTimeoutMS=200`,
      /127\.0\.0\.1:9 is out of reach.*while opening the store\. Start the server, or check host and port/,
    ],
    ['runs', `mongodb://ann:${secret}@nowhere.invalid/shop?serverSelectionTimeoutMS=200`, /nowhere\.invalid is out of reach/],
    ['data', `${url.replace('//', `//ann:${secret}@`)}shop`, /refused access.*check user, password and roles/],
    ['data', `mongodb://ann:${secret}/x@y@127.0.0.1/shop`, /is no MongoDB URL.*%-escaped/],
    ['data', `mongodb//ann:${secret}@127.0.0.1/shop`, /no colon after 'mongodb'/],
    ['data', `mongodb://ann:${secret}@127.0.0.1/sh op`, /cannot be the name of a database/],
    ['data', `mongodb://ann:${secret}@127.0.0.1/shop?nosuch=1&password=${secret}`, /options? nosuch/],
    ['data', `mongodb://ann:${secret}@127.0.0.1/shop?w=0`, /w=0.*w=majority/],
  ])('fails `%s` on %s by name, and never shows the password', async (command, store, message) => {
    const { code, stdout, stderr } = await on(store, command, '--debug');
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stdout + stderr).not.toContain(secret);
  });

  it('shows no password in events and records of a run that fails', async () => {
    const store = `mongodb://ann:${secret}@127.0.0.1:9/shop?serverSelectionTimeoutMS=200`;
    const { code, stdout, stderr } = await on(store, 'run', 'CleanMovies', '--json', '--debug');
    expect(code).toBe(1);
    expect(stdout).toContain('STORE_UNAVAILABLE');
    expect(stdout + stderr).not.toContain(secret);
  });
});
