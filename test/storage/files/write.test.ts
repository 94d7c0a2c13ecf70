import { spawnSync } from 'node:child_process';
import { chmod, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'bson';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Column, Row } from '../../../src/types.js';
import { formatOf } from '../../../src/storage/files/format.js';
import {
  openFileWriter,
  publishFile,
  sweepTemporary,
  temporaryName,
  type FileWriter,
  type FileWriterOptions,
} from '../../../src/storage/files/write.js';
import { put, rowsOf, temporaryFolder, visible } from './folder.js';

const root = await temporaryFolder();
let folder = root;
let tests = 0;
beforeEach(async () => {
  folder = join(root, String(tests++));
  await mkdir(folder);
});

const columns: readonly Column[] = [
  { name: 'a', type: 'number' },
  { name: 'b', type: 'string' },
];

function openWriter(path: string, options: Partial<FileWriterOptions> = {}): Promise<FileWriter> {
  const { format = 'csv', gzip } = formatOf(path);
  return openFileWriter(path, { format, gzip, mode: 'replace', id: 'run-1', ...options });
}

/** What a file holds when batches were written to it and it was published. */
async function written(name: string, batches: readonly (readonly Row[])[], options: Partial<FileWriterOptions> = {}): Promise<string> {
  const path = join(folder, name);
  const writer = await openWriter(path, options);
  for (const rows of batches) await writer.write(rows);
  await writer.finish();
  await publishFile(writer.temporary, writer.target);
  const bytes = await readFile(path);
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}

describe('writing CSV', () => {
  it('has the declared columns first, then the others as first seen', async () => {
    expect(
      await written(
        'o.csv',
        [
          [
            { z: 1, b: 'x' },
            { y: 2, a: 3 },
          ],
        ],
        { columns },
      ),
    ).toBe('a,b,z,y\n,x,1,\n3,,,2\n');
  });

  it.each(['o.csv', 'o.csv.gz', 'o.tsv'])('makes room for columns that are first seen late (%s)', async (name) => {
    const text = await written(name, [[{ a: '1' }, { a: 'x,"\n' }], [{ a: '' }], [{ b: '2' }], [{ a: '3', c: '4' }]]);
    const comma = '1,,\n"x,""\n",,\n,,\n,2,\n3,,4\n';
    const tab = '1\t\t\n"x,""\n"\t\t\n\t\t\n\t2\t\n3\t\t4\n';
    expect(text).toBe(name === 'o.tsv' ? `a\tb\tc\n${tab}` : `a,b,c\n${comma}`);
    expect(await visible(folder)).toEqual([name]);
  });

  it('makes room in a large file', async () => {
    const rows = Array.from({ length: 30_000 }, (_, index) => ({ index, text: `line "${String(index)}"\n` }));
    await written('o.csv', [rows, [{ late: true }]]);
    const read = await rowsOf(join(folder, 'o.csv'));
    expect(read).toHaveLength(30_001);
    expect(read.slice(-2)).toEqual([
      { index: '29999', text: 'line "29999"\n', late: '' },
      { index: '', text: '', late: 'true' },
    ]);
  });

  it('has a header when there are no rows, if there is a schema', async () => {
    expect(await written('o.csv', [], { columns })).toBe('a,b\n');
    expect(await written('o.tsv', [[]], { columns })).toBe('a\tb\n');
    expect(await written('none.csv', [])).toBe('');
  });

  it('keeps rows without properties that come before the first column', async () => {
    expect(await written('o.csv', [[{}], [{ a: 1, b: 2 }]])).toBe('a,b\n,\n1,2\n');
    expect(await written('o.csv', [[{}], [{ a: 1 }, {}]])).toBe('a\n""\n1\n""\n');
  });

  it('quotes what needs it, and nothing else', async () => {
    const values = ['plain', 'a b', 'a,b', 'a\tb', 'a"b', 'a\nb', 'a\rb', ' a', 'a ', '\uFEFFa', '\ta'];
    expect(await written('o.csv', [values.map((v) => ({ v }))])).toBe(
      'v\nplain\na b\n"a,b"\na\tb\n"a""b"\n"a\nb"\n"a\rb"\n" a"\n"a "\n"\uFEFFa"\n"\ta"\n',
    );
    expect(await written('o.tsv', [[{ v: 'a,b' }, { v: 'a\tb' }]])).toBe('v\na,b\n"a\tb"\n');
    expect(await written('o.csv', [[{ '\uFEFFn,': 1 }]])).toBe('"\uFEFFn,"\n1\n');
  });

  it.each([
    ['null', null, ''],
    ['undefined', undefined, ''],
    ['a function', () => 1, ''],
    ['false', false, 'false'],
    ['zero', 0, '0'],
    ['a large number', 1e21, '1e+21'],
    ['a bigint', 123456789012345678901234567890n, '123456789012345678901234567890'],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid date', new Date(Number.NaN), ''],
    ['an object', { x: [1, { d: new Date(0) }], big: 5n }, '"{""x"":[1,{""d"":""1970-01-01T00:00:00.000Z""}],""big"":5}"'],
    ['an array', [], '[]'],
    ['ObjectId', new ObjectId('0123456789abcdef01234567'), '0123456789abcdef01234567'],
    ['Decimal128', Decimal128.fromString('1.50'), '1.50'],
    ['Long', Long.fromString('9007199254740993'), '9007199254740993'],
    ['Int32', new Int32(7), '7'],
    ['Double', new Double(1.5), '1.5'],
    ['Binary', new Binary(Buffer.from('hi')), 'aGk='],
    ['bytes', new Uint8Array([104, 105]), 'aGk='],
  ])('has %s as text', async (_, v, cell) => {
    expect(await written('o.csv', [[{ k: 'k', v }]], { columns: [{ name: 'v', type: 'any' }] })).toBe(`v,k\n${cell},k\n`);
  });

  it('refuses a property without a name', async () => {
    await expect(written('o.csv', [[{ '': 1 }]])).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: expect.stringContaining('a property without a name'),
    });
    expect(await visible(folder)).toEqual([]);
  });
});

describe('writing JSON', () => {
  it('is an array with a row a line, also an empty one', async () => {
    expect(await written('o.json', [[{ a: 1 }, { b: [new Date(0)] }], [], [{ c: 'é\n' }]])).toBe(
      '[\n{"a":1},\n{"b":["1970-01-01T00:00:00.000Z"]},\n{"c":"é\\n"}\n]\n',
    );
    expect(await written('o.json.gz', [], { columns })).toBe('[]\n');
  });

  it('is a row a line in NDJSON', async () => {
    expect(await written('o.ndjson', [[{ a: 1 }], [{ b: undefined }, { c: null }]])).toBe('{"a":1}\n{}\n{"c":null}\n');
    expect(await written('o.jsonl', [])).toBe('');
  });

  it('has numbers where they are exact and text where they are not', async () => {
    const row = {
      n: 5n,
      big: 2n ** 64n,
      long: Long.fromNumber(7),
      wide: Long.MAX_VALUE,
      deep: [{ dec: Decimal128.fromString('0.10') }],
      id: new ObjectId('0123456789abcdef01234567'),
      b: new Uint8Array([1]),
    };
    expect(await written('o.ndjson', [[row]])).toBe(
      '{"n":5,"big":"18446744073709551616","long":7,"wide":"9223372036854775807","deep":[{"dec":"0.10"}],"id":"0123456789abcdef01234567","b":"AQ=="}\n',
    );
  });

  it('refuses a row that has no end', async () => {
    const row: Record<string, unknown> = {};
    row['self'] = [row];
    await expect(written('o.json', [[row]])).rejects.toMatchObject({ code: 'FILE_UNWRITABLE', message: expect.stringMatching(/circular/) });
  });
});

describe('appending', () => {
  it.each([
    ['o.csv', 'b,a\n1,2\n', 'b,a\n1,2\ny,9\n'],
    ['o.csv', 'b,a\n1,2', 'b,a\n1,2\ny,9\n'],
    ['o.csv', '\uFEFFb,a\r\n"1\n",2\r\n', '\uFEFFb,a\r\n"1\n",2\r\ny,9\r\n'],
    ['o.csv', 'b,a,c\r\n', 'b,a,c\r\ny,9,\r\n'],
    ['o.csv', '', 'a,b\n9,y\n'],
    ['o.csv', '\n\n', 'a,b\n9,y\n'],
    ['o.csv.gz', 'b,a\n1,2', 'b,a\n1,2\ny,9\n'],
    ['o.tsv', 'a\tb\n', 'a\tb\n9\ty\n'],
    ['o.json', '[]', '[\n{"a":9,"b":"y"}\n]\n'],
    ['o.json', '', '[\n{"a":9,"b":"y"}\n]\n'],
    ['o.json', ' [ {"n" : 1.50}, {} ] ', '[\n{"n" : 1.50},\n{},\n{"a":9,"b":"y"}\n]\n'],
    ['o.json', '{"one":1}', '[\n{"one":1},\n{"a":9,"b":"y"}\n]\n'],
    ['o.json.gz', '[{"n":1}]', '[\n{"n":1},\n{"a":9,"b":"y"}\n]\n'],
    ['o.ndjson', '{"n":1}', '{"n":1}\n{"a":9,"b":"y"}\n'],
    ['o.ndjson.gz', '{"n":1}\n', '{"n":1}\n{"a":9,"b":"y"}\n'],
  ])('keeps what %s has: %j', async (name, before, after) => {
    await put(folder, name, before);
    expect(await written(name, [[{ a: 9, b: 'y' }]], { mode: 'append', columns })).toBe(after);
  });

  it.each([
    ['o.csv', 'b,a\n1,2\n'],
    ['o.tsv.gz', undefined],
    ['o.json', '[{"a":0}]'],
    ['o.ndjson', '{"a":0}'],
    ['o.ndjson', undefined],
  ])('adds to what others have published to %s in the meantime (%j)', async (name, before) => {
    const path = join(folder, name);
    if (before !== undefined) await put(folder, name, before);
    const mine = await openWriter(path, { mode: 'append', columns, id: 'mine' });
    await mine.write([{ a: 3, b: '' }]);
    await written(name, [[{ a: 1 }, { a: 2, b: '"' }]], { mode: 'append', columns });
    await mine.write([{ a: 4, b: null }]);
    await mine.finish();
    await publishFile(mine.temporary, mine.target);
    const rows = (await rowsOf(path)) as { a: unknown }[];
    expect(rows.map(({ a }) => Number(a))).toEqual([...(before === undefined ? [] : [name === 'o.csv' ? 2 : 0]), 1, 2, 3, 4]);
    expect(await visible(folder)).toEqual([name]);
  });

  it('begins a file that is not there', async () => {
    expect(await written('o.csv', [[{ a: 9 }]], { mode: 'append', columns })).toBe('a,b\n9,\n');
    expect(await written('o.csv', [[{ a: 8 }]], { mode: 'append', columns })).toBe('a,b\n9,\n8,\n');
    expect(await written('o.csv', [], { mode: 'append', columns })).toBe('a,b\n9,\n8,\n');
  });

  it('refuses a column that the file does not have', async () => {
    await put(folder, 'o.csv', 'a,name\n1,2\n');
    const writing = written('o.csv', [[{ a: 1 }], [{ nam: 2 }]], { mode: 'append' });
    await expect(writing).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: expect.stringMatching(/a row has 'nam', and the file has no such column\. Did you mean 'name'\?/),
    });
    expect(await readFile(join(folder, 'o.csv'), 'utf8')).toBe('a,name\n1,2\n');
    expect(await visible(folder)).toEqual(['o.csv']);
  });

  it.each([
    ['o.csv', 'a\n"1\n', /2:1.*never closed/],
    ['o.json', '[{"a":1}', /1:9.*truncated/],
    ['o.csv.gz', gzipSync('a\n1\n').subarray(0, 15), /gzip data is truncated/],
  ])('refuses a broken file, and leaves it (%s)', async (name, content, message) => {
    const path = await put(folder, name, content);
    await expect(openWriter(path, { mode: 'append' })).rejects.toMatchObject({
      code: 'FILE_MALFORMED',
      message: expect.stringMatching(message),
    });
    expect(await visible(folder)).toEqual([name]);
  });
});

describe('a file in the making', () => {
  it('leaves the target as it was until it is published', async () => {
    const path = await put(folder, 'o.csv', 'old\n');
    const writer = await openWriter(path);
    expect(writer).toMatchObject({ target: path, temporary: temporaryName(path, 'run-1') });
    await writer.write([{ a: 1 }]);
    await writer.finish();
    expect(await readFile(path, 'utf8')).toBe('old\n');
    expect(await visible(folder)).toEqual([`.o.csv.${process.pid}.run-1.millrace-tmp`, 'o.csv']);
    await publishFile(writer.temporary, path);
    await publishFile(writer.temporary, path);
    expect(await readFile(path, 'utf8')).toBe('a\n1\n');
    expect(await visible(folder)).toEqual(['o.csv']);
  });

  it('is gone when it is aborted: begun, written to, finished, or aborted already', async () => {
    for (const name of ['o.csv', 'o.json.gz']) {
      const begun = await openWriter(join(folder, name));
      await begun.abort();
      const busy = await openWriter(join(folder, name));
      void busy.write(Array.from({ length: 50_000 }, (_, a) => ({ a })));
      await busy.abort();
      const finished = await openWriter(join(folder, name));
      await finished.write([{ a: 1 }]);
      await finished.finish();
      await finished.abort();
      await finished.abort();
      expect(await visible(folder)).toEqual([]);
    }
  });

  it('takes writes that are not awaited in their order', async () => {
    const writer = await openWriter(join(folder, 'o.ndjson.gz'));
    await Promise.all([
      ...Array.from({ length: 20 }, (_, batch) => writer.write(Array.from({ length: 1500 }, (_, i) => ({ n: batch * 1500 + i })))),
      writer.finish(),
    ]);
    await publishFile(writer.temporary, writer.target);
    expect(await rowsOf(writer.target)).toEqual(Array.from({ length: 30_000 }, (_, n) => ({ n })));
  });

  it('makes missing folders, and takes empty ones of its own away when it is aborted', async () => {
    const path = join(folder, 'x/y/o.csv');
    await mkdir(join(folder, 'x'));
    const writer = await openWriter(path);
    await writer.abort();
    expect(await visible(folder)).toEqual(['x']);
    expect(await visible(join(folder, 'x'))).toEqual([]);
    expect(await written('x/y/o.csv', [[{ a: 1 }]])).toBe('a\n1\n');
  });

  it('has the permissions of the file that it replaces', async () => {
    const path = await put(folder, 'o.csv', 'a\n');
    await chmod(path, 0o640);
    await written('o.csv', [[{ a: 1 }, { b: 2 }]]);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  it('replaces what a symbolic link leads to, not the link', async () => {
    await mkdir(join(folder, 'real'));
    await symlink('real/a.csv', join(folder, 'link.csv'));
    await symlink('link.csv', join(folder, 'o.csv'));
    expect(await written('o.csv', [[{ a: 1 }]])).toBe('a\n1\n');
    expect((await lstat(join(folder, 'o.csv'))).isSymbolicLink()).toBe(true);
    expect(await visible(join(folder, 'real'))).toEqual(['a.csv']);
  });

  it('may have a name as long as the system allows', async () => {
    const name = `${'é'.repeat(120)}.csv`;
    expect(await written(name, [[{ a: 1 }]])).toBe('a\n1\n');
  });

  it('refuses a directory, a device, a path through a file and a folder that cannot be made, and leaves nothing', async () => {
    await put(folder, 'file', '');
    for (const path of [folder, '/dev/null', join(folder, 'file/o.csv'), '/proc/none/below/o.csv']) {
      await expect(openWriter(path)).rejects.toMatchObject({ code: 'FILE_UNWRITABLE', message: expect.stringContaining(path) });
    }
    expect(await visible(folder)).toEqual(['file']);
  });

  it('says that the disk is full, and leaves nothing', async ({ skip }) => {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status !== 0) return skip('only root can make a small disk');
    try {
      for (const name of ['o.csv', 'new/o.json.gz']) {
        const writer = await openWriter(join(disk, name));
        const rows = Array.from({ length: 20_000 }, () => ({ text: Math.random() }));
        const writing = writer.write(rows).then(() => writer.finish());
        await expect(writing).rejects.toMatchObject({
          code: 'FILE_UNWRITABLE',
          message: `File '${join(disk, name)}' cannot be written: the disk is full.`,
        });
        expect(await visible(disk)).toEqual([]);
      }
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it('fails all that follows once it has failed', async () => {
    const writer = await openWriter(join(folder, 'o.csv'));
    await expect(writer.write([{ '': 1 }])).rejects.toThrow('without a name');
    await expect(writer.write([{ a: 1 }])).rejects.toThrow('without a name');
    await expect(writer.finish()).rejects.toThrow('without a name');
    await writer.abort();
    expect(await visible(folder)).toEqual([]);
  });
});

describe('publishFile', () => {
  it('refuses when both files are gone', async () => {
    await expect(publishFile(join(folder, 'a'), join(folder, 'b'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
  });

  it('refuses a target that is a directory by now', async () => {
    const from = await put(folder, 'a', '');
    await mkdir(join(folder, 'b'));
    await expect(publishFile(from, join(folder, 'b'))).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: expect.stringContaining(join(folder, 'b')),
    });
  });
});

describe('sweepTemporary', () => {
  it('removes what dead processes left for a target, and nothing else', async () => {
    const dead = 4_194_305; // one more than the system gives
    const kept = [
      `.o.csv.${process.pid}.run-1.millrace-tmp`,
      '.o.csv.12.millrace-tmp',
      `.oo.csv.${dead}.x.millrace-tmp`,
      `o.csv.${dead}.x.millrace-tmp`,
      'o.csv',
    ];
    for (const name of [...kept, `.o.csv.${dead}.run-1.millrace-tmp`, `.o.csv.${dead}.run-2.millrace-tmp`])
      await writeFile(join(folder, name), '');
    await sweepTemporary(join(folder, 'o.csv'));
    expect(await visible(folder)).toEqual([...kept].sort());
    await sweepTemporary(join(folder, 'none/o.csv'));
  });
});
