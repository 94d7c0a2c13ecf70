import { gunzipSync } from 'node:zlib';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedStore } from '../../src/storage/open.js';
import { loadBson } from '../../src/storage/ids.js';
import { Folder, millrace, shop, type Ended } from './kit.js';

let folder: Folder;
beforeAll(async () => {
  folder = new Folder().write(shop).write({ 'none.json': '[]' });
  const store = embeddedStore({ path: folder.at('.millrace/data') });
  const { ObjectId } = await loadBson();
  const people = [
    { _id: new ObjectId('6745aaaaaaaaaaaaaaaaaaaa'), name: 'Ada\nL', born: new Date('1815-12-10'), sons: 2 },
    { name: 'Bo', born: new Date('1900-01-01'), tags: ['x', { y: 1 }] },
    { name: 'Cy, "the"', sons: 1 },
  ];
  await store.insert('people', people);
  await store.insert(
    'many',
    Array.from({ length: 1500 }, (_, i) => ({ i })),
  );
  await store.close();
});
afterAll(() => folder.remove());

const data = (...argv: readonly string[]): Promise<Ended> => millrace(folder.path, 'data', ...argv);

describe('millrace data', () => {
  it('lists collections with counts', async () => {
    expect(await data()).toEqual({ code: 0, stderr: '', stdout: 'COLLECTION   ROWS\nmany        1,500\npeople          3\n' });
    expect(JSON.parse((await data('--json')).stdout)).toEqual([
      { name: 'many', store: 'default', count: 1500 },
      { name: 'people', store: 'default', count: 3 },
    ]);
  });

  it('shows rows as a table of one line each', async () => {
    const { code, stdout, stderr } = await data('people', '--sort', 'name');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.replace(/[0-9a-f]{24}/g, 'ID'.padEnd(24))).toBe(
      [
        '_id                       name       born                      sons  tags',
        'ID                        Ada\\nL     1815-12-10T00:00:00.000Z     2',
        'ID                        Bo         1900-01-01T00:00:00.000Z        ["x",{"y":1}]',
        'ID                        Cy, "the"                               1',
        '',
      ].join('\n'),
    );
  });

  it('shows 20 rows where nothing else is said, and says that there are more', async () => {
    const { stdout, stderr } = await data('many', '--sort', '-i');
    expect(stdout.trim().split('\n')).toHaveLength(21);
    expect(stdout.split('\n')[1]).toMatch(/ 1499$/);
    expect(stderr).toBe('20 rows of 1,500; --limit 0 shows all of them\n');
    expect((await data('many', '--limit', '0', '--json')).stdout.trim().split('\n')).toHaveLength(1502);
    expect(await data('many', '--quiet')).toMatchObject({ stderr: '' });
  });

  it('says where there is nothing to show', async () => {
    await millrace(folder.path, 'run', 'Both', '--bind', 'in:default=file:none.json', '--bind', 'out:default=none');
    expect(await data('none')).toEqual({ code: 0, stdout: '', stderr: 'none has no rows.\n' });
    expect(await data('people', '--filter', '{"name": "nobody"}')).toEqual({ code: 0, stdout: '', stderr: 'No row of people matches.\n' });
    expect((await data('none', '--json')).stdout).toBe('[]\n');
    expect(await data('none', '--filter', '{"$foo": 1}')).toMatchObject({ code: 2 });
  });

  it('filters and sorts, with ids and dates in Extended JSON', async () => {
    const names = async (...argv: readonly string[]): Promise<unknown> =>
      (JSON.parse((await data('people', '--json', ...argv)).stdout) as { name: string }[]).map(({ name }) => name);
    expect(await names('--filter', '{"sons": {"$gte": 1}}', '--sort', '-sons,name')).toEqual(['Ada\nL', 'Cy, "the"']);
    expect(await names('--filter', '{"born": {"$lt": {"$date": "1850-01-01T00:00:00Z"}}}')).toEqual(['Ada\nL']);
    expect(await names('--filter', '{"_id": {"$oid": "6745aaaaaaaaaaaaaaaaaaaa"}}')).toEqual(['Ada\nL']);
  });

  it('writes a file in every format, whole unless there is a limit', async () => {
    expect(await data('many', '--to', 'out/many.csv.gz')).toMatchObject({
      code: 0,
      stdout: '1,500 rows of many written to out/many.csv.gz\n',
    });
    expect(
      gunzipSync(readFileSync(folder.at('out/many.csv.gz')))
        .toString()
        .split('\n'),
    ).toHaveLength(1502);
    await data('people', '--to', 'file:out/people.json', '--sort', 'name', '--limit', '1');
    expect(JSON.parse(readFileSync(folder.at('out/people.json'), 'utf8'))).toEqual([
      { _id: '6745aaaaaaaaaaaaaaaaaaaa', name: 'Ada\nL', born: '1815-12-10T00:00:00.000Z', sons: 2 },
    ]);
    expect(JSON.parse((await data('people', '--to', 'out/people.ndjson', '--json')).stdout)).toEqual([
      { file: 'out/people.ndjson', count: 3 },
    ]);
  });

  it('leaves a file as it was where it cannot write all of it', async () => {
    folder.write({ 'out/kept.csv': 'kept' });
    expect(await data('many', '--to', 'out/kept.csv', '--filter', '{"i": {"$foo": 1}}')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('$foo'),
    });
    expect(readFileSync(folder.at('out/kept.csv'), 'utf8')).toBe('kept');
    expect(readdirSync(folder.at('out')).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  it.each([
    ['an unknown collection', ['poeple'], "there is no collection 'poeple' in embedded:"],
    ['an unknown collection, by the nearest name', ['poeple'], "Did you mean 'people'?"],
    ['an unknown store', ['people@depott'], "Did you mean 'depot'?"],
    ['a filter that is no JSON', ['people', '--filter', '{name: 1}'], '--filter is not JSON: '],
    ['a filter that is no object', ['people', '--filter', '[1]'], '--filter is an object'],
    ['an operator that there is not', ['people', '--filter', '{"a": {"$gtt": 1}}'], "Did you mean '$gt'?"],
    ['an order that is none', ['people', '--sort', 'a,,b'], "'a,,b' is not an order"],
    ['a limit that is none', ['people', '--limit', '-1'], "'-1' is not a count of rows"],
    ['a file of no known format', ['people', '--to', 'x.xls'], 'BINDING_INVALID'],
    ['a folder in place of a file', ['people', '--to', 'data?format=csv'], 'FILE_UNWRITABLE'],
    ['a filter of nothing', ['--filter', '{}'], 'name it'],
    ['a store that is not there', ['--store', '.millrace/dat'], "Did you mean 'data'?"],
  ])('refuses %s with 2', async (_, argv, message) => {
    const { code, stdout, stderr } = await data(...argv);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('millrace runs', () => {
  it('lists runs, newest first, with rows and errors', async () => {
    for (const argv of [['MakePrices'], ['Fails', '--params', 'key=my-own-secret'], ['MakePrices', '--params', 'rate=3']])
      await millrace(folder.path, 'run', ...argv);
    const { code, stdout } = await millrace(folder.path, 'runs', '--limit', '3');
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) =>
          line
            .replace(/^[0-9a-f]{24}/, 'ID')
            .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +[\d.]+ m?s/, 'WHEN')
            .replace(/ +/g, ' '),
        ),
    ).toEqual([
      'RUN NAME STATUS STARTED TOOK ROWS ERROR',
      'ID MakePrices succeeded WHEN 3 → 2, 1 rejected',
      expect.stringMatching(/^ID Fails failed WHEN 0 → [01] Processor 'Fails' failed: it cannot be done with \*\*\*$/),
      'ID MakePrices succeeded WHEN 3 → 2, 1 rejected',
    ]);
    const found = JSON.parse((await millrace(folder.path, 'runs', '--json', '--limit', '2')).stdout) as object[];
    expect(found).toMatchObject([
      {
        name: 'MakePrices',
        status: 'succeeded',
        kind: 'task',
        tasks: [{ processor: 'MakePrices', inputs: { 'raw-prices': { rows: 3, rejected: 1 } }, outputs: { prices: { rows: 2 } } }],
      },
      { name: 'Fails', status: 'failed' },
    ]);
  });

  it('tells one run in detail, by the beginning of its id', async () => {
    const [first, second] = JSON.parse((await millrace(folder.path, 'runs', '--json')).stdout) as { _id: string }[];
    const { code, stdout } = await millrace(folder.path, 'runs', first?._id ?? '');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^MakePrices succeeded in .+ run [0-9a-f]{24}\nstarted .+ {2}process \d+/);
    expect(stdout).toMatch(
      /\n {2}raw-prices ← file:data\/raw.csv {2}3 rows, 1 rejected\n {2}extra ← nothing {2}0 rows\n {2}prices → prices {2}2 rows\n {2}rate: 3\n {2}1 attempt {2}.+ MB\n$/,
    );
    const failed = await millrace(folder.path, 'runs', second?._id ?? '', '--json');
    expect(JSON.parse(failed.stdout)).toMatchObject({ _id: second?._id, tasks: [{ status: 'failed', error: { code: 'TASK_FAILED' } }] });
  });

  it('refuses an id of no run, or of several, with 2', async () => {
    expect(await millrace(folder.path, 'runs', 'zz')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining("error RUN_UNKNOWN: no run 'zz' is recorded"),
    });
    expect(await millrace(folder.path, 'runs', '6')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("several runs begin with '6': "),
    });
  });

  it('looks without a project into the store of this folder, or that of --store, and makes none', async () => {
    const fresh = folder.write({ 'fresh/readme.txt': '' }).at('fresh');
    const config = ['--config', folder.at('millrace.config.ts')];
    for (const command of ['runs', 'data']) {
      expect(await millrace(folder.at('data'), command, '--store', '../.millrace/data')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/prices/i),
      });
      expect(await millrace(fresh, command, '--store', 'none')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('there is no store at'),
      });
      expect(await millrace(fresh, command, ...config)).toMatchObject({ code: 0 });
    }
    expect(existsSync(folder.at('fresh/.millrace'))).toBe(false);
  });
});
