import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Column } from '../../../src/types.js';
import { readFile } from '../../../src/storage/files/read.js';
import { put, rowsOf, temporaryFolder } from './folder.js';

const folder = await temporaryFolder();
const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('reading CSV', () => {
  const good: readonly [what: string, content: string | Uint8Array, rows: object[]][] = [
    [
      'plain rows',
      'a,b\n1,2\n3,4\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    ['no line break at the end', 'a,b\n1,2', [{ a: '1', b: '2' }]],
    [
      'CRLF',
      'a,b\r\n1,2\r\n3,4\r\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    [
      'CR alone',
      'a,b\r1,2\r3,4',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    ['line breaks of all kinds', 'a\n1\r2\r\n3\n\r4\n', [{ a: '1' }, { a: '2' }, { a: '3' }, { a: '4' }]],
    ['a byte order mark', '\uFEFFa,b\n1,2\n', [{ a: '1', b: '2' }]],
    ['a byte order mark before a quoted name', '\uFEFF"a",b\n1,2\n', [{ a: '1', b: '2' }]],
    ['an empty file', '', []],
    ['a byte order mark alone', '\uFEFF', []],
    ['a header alone', 'a,b\n', []],
    ['a header without line break', 'a,b', []],
    [
      'blank lines',
      '\n\r\na,b\n\n1,2\n\n\n3,4\n\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    ['quoted separators', 'a,b\n"1,2",3\n', [{ a: '1,2', b: '3' }]],
    ['quoted line breaks', 'a,b\n"1\n2\r\n3",4\n', [{ a: '1\n2\r\n3', b: '4' }]],
    ['doubled quotes', 'a,b\n"say ""hi""",""""\n', [{ a: 'say "hi"', b: '"' }]],
    ['a quoted cell at the end', 'a,b\n1,"2"', [{ a: '1', b: '2' }]],
    ['quoted names', '"a,1","b\n2"\n1,2\n', [{ 'a,1': '1', 'b\n2': '2' }]],
    ['empty cells', 'a,b,c\n,"",\n', [{ a: '', b: '', c: '' }]],
    ['an empty cell of one column', 'a\n""\n', [{ a: '' }]],
    ['spaces, kept', ' a, b\n 1, 2 \n', [{ ' a': ' 1', ' b': ' 2 ' }]],
    ['letters of every length', 'ä,€\n😀,"é""\u2028"\n', [{ ä: '😀', '€': 'é"\u2028' }]],
    ['names of what objects inherit', 'constructor,toString\n1,2\n', [{ constructor: '1', toString: '2' }]],
  ];
  it.each(good)('takes %s', async (_, content, rows) => {
    expect(await rowsOf(await put(folder, 'good.csv', content))).toEqual(rows);
    expect(await rowsOf(await put(folder, 'good.csv.gz', gzipSync(content)))).toEqual(rows);
  });

  it('takes TSV, where a comma is a letter like others', async () => {
    expect(await rowsOf(await put(folder, 'good.tsv', 'a\tb\n1,5\t"2\t3"\n'))).toEqual([{ a: '1,5', b: '2\t3' }]);
  });

  const bad: readonly [what: string, content: string | Uint8Array, where: string, message: RegExp][] = [
    ['a row that is too short', 'a,b\n1,2\n3\n', '3:2', /the row has 1 cell, its header has 2/],
    ['a row that is too long', 'a,b\n1,2\n3,4,5\n', '3:5', /the row has 3 cells, its header has 2/],
    ['a row that is too long after quoted ones', 'a,b\n"x,\ny","z",3\n', '3:8', /3 cells/],
    ['an empty column at the end of a row', 'a,b\r\n1,2,\r\n', '2:5', /3 cells/],
    ['a line of spaces', 'a,b\n  \n', '2:3', /1 cell,/],
    ['a quote that is never closed', 'a,b\n1,"2\n3,4\n', '2:3', /never closed/],
    ['a quote that is never closed, at the end', 'a,b\n1,"', '2:3', /never closed/],
    ['a doubled quote that is never closed', 'a\n"x""', '2:1', /never closed/],
    ['a quote in a plain cell', 'a,b\n1,5" disk\n', '2:4', /a quote stands in a cell that does not begin with one/],
    ['text after a closing quote', 'a,b\n"1"x,2\n', '2:4', /text follows a closing quote/],
    ['a space after a closing quote', 'a,b\n"1" ,2\n', '2:4', /text follows a closing quote/],
    ['a column without a name', 'a,,c\n1,2,3\n', '1:3', /column 2 has no name/],
    ['a separator at the end of the header', 'a,b,\n', '1:5', /column 3 has no name/],
    ['two columns of one name', 'a,"b",a\n1,2,3\n', '1:7', /names "a" twice, in columns 1 and 3/],
    ['columns counted in characters', 'ä,b\n😀é,x"\n', '2:5', /a quote stands/],
    ['lines counted across quoted breaks and CRLF', 'a,b\r\n"1\r\n\r\n2",3\r\nx"\r\n', '5:2', /a quote stands/],
    ['lines counted across lone CRs', 'a\rb\r\rx"\r', '4:2', /a quote stands/],
    ['a byte order mark, which is no character', '\uFEFFa"\n', '1:2', /a quote stands/],
    ['Latin-1', latin1('name,n\nJos\xe9,1\n'), '2:4', /the byte 0xE9 is not UTF-8\. Convert the file.*iconv/],
    ['Latin-1 at the end', latin1('name\nJos\xe9'), '2:4', /ends in the middle of a character/],
    ['a byte that begins no character', latin1('a\n\xff\n'), '2:1', /0xFF is not UTF-8/],
    ['an overlong form', latin1('a\nxy\xc0\x80'), '2:3', /0xC0 is not UTF-8/],
    ['a surrogate', latin1('a\n\xed\xa0\x80'), '2:1', /0xED is not UTF-8/],
    ['UTF-16, small end first', Buffer.from('\uFEFFa,b\n', 'utf16le'), '1:1', /the file is UTF-16, not UTF-8.*iconv -f UTF-16/],
    ['UTF-16, big end first', Buffer.from([0xfe, 0xff, 0, 0x61]), '1:1', /UTF-16/],
    ['gzip under another name', gzipSync('a\n1\n'), '1:1', /the file is gzip data.*Add \.gz/],
    ['a spreadsheet', latin1('PK\x03\x04\x14\x00'), '1:1', /spreadsheet/],
  ];
  it.each(bad)('refuses %s', async (_, content, where, message) => {
    const path = await put(folder, 'bad.csv', content);
    await expect(rowsOf(path)).rejects.toMatchObject({
      code: 'FILE_MALFORMED',
      message: expect.stringMatching(message),
      where: [`${path}:${where}`],
    });
    await expect(rowsOf(path)).rejects.toThrow(`${path}:${where}: `);
  });

  it('gives the rows before a mistake, then the mistake', async () => {
    const path = await put(folder, 'late.csv', 'a,b\n1,2\n3,4\n5\n');
    const rows: object[] = [];
    const reading = (async () => {
      for await (const batch of readFile(path, { format: 'csv', gzip: false })) rows.push(...batch);
    })();
    await expect(reading).rejects.toThrow(`${path}:4:2`);
    expect(rows).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ]);
  });

  it('finds a mistake deep in a large file', async () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `${index},"text ${index}",é`);
    lines[77_776] = '77776,"text"s,é';
    const path = await put(folder, 'large.csv', `n,text,e\n${lines.join('\n')}\n`);
    await expect(rowsOf(path)).rejects.toThrow(`${path}:77778:13: text follows`);
  });

  it('takes very long cells', async () => {
    const long = 'ab"c\n'.repeat(500_000);
    expect(await rowsOf(await put(folder, 'long.csv', `a,b\n"${long.replaceAll('"', '""')}",${'x'.repeat(1_000_000)}\n`))).toEqual([
      { a: long, b: 'x'.repeat(1_000_000) },
    ]);
  });

  it('makes __proto__ a property like others', async () => {
    const [row = {}] = await rowsOf(await put(folder, 'proto.csv', '__proto__,a\nx,1\n'));
    expect(Object.entries(row)).toEqual([
      ['__proto__', 'x'],
      ['a', '1'],
    ]);
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  });
});

describe('the gzip of a file', () => {
  const whole = gzipSync(`a,b\n${'1,2\n'.repeat(1000)}`);
  const spoilt = Buffer.from(whole);
  spoilt[spoilt.length - 6] = (spoilt[spoilt.length - 6] ?? 0) ^ 0xff;

  it.each([
    ['that ends too early', whole.subarray(0, whole.length - 12), /gzip data is truncated/],
    ['that is empty', new Uint8Array(), /gzip data is truncated/],
    ['that is none', Buffer.from('a,b\n1,2\n'), /not gzip data, though its name ends in \.gz/],
    ['that is corrupt', spoilt, /gzip data is corrupt/],
  ])('is refused: one %s', async (_, content, message) => {
    const path = await put(folder, 'bad.csv.gz', content);
    await expect(rowsOf(path)).rejects.toMatchObject({
      code: 'FILE_MALFORMED',
      message: expect.stringMatching(message),
      where: [expect.stringMatching(/:\d+:\d+$/)],
    });
  });

  it('may be of several members', async () => {
    const path = await put(folder, 'two.csv.gz', Buffer.concat([gzipSync('a\n1\n'), gzipSync('2\n')]));
    expect(await rowsOf(path)).toEqual([{ a: '1' }, { a: '2' }]);
  });
});

describe('cells of declared columns', () => {
  const columns: readonly Column[] = [
    { name: 's', type: 'string' },
    { name: 'n', type: 'number' },
    { name: 'b', type: 'boolean' },
    { name: 'd', type: 'date' },
    { name: 'x', type: 'any' },
  ];
  const cell = async (name: string, text: string): Promise<unknown> => {
    const [row] = await rowsOf(await put(folder, 'cell.csv', `${name},other\n"${text}",\n`), { columns });
    expect(row).toHaveProperty('other', '');
    return (row as Record<string, unknown>)[name];
  };

  it.each(['s', 'n', 'b', 'd', 'x'])('are absent when empty (%s)', async (name) => {
    expect(await rowsOf(await put(folder, 'cell.csv', `${name},other\n,\n`), { columns })).toEqual([{ other: '' }]);
  });

  it.each([
    ['0', 0],
    ['-1.50', -1.5],
    ['+.5', 0.5],
    ['7.', 7],
    ['1e3', 1000],
    ['12E-1', 1.2],
    ['007', 7],
  ])('are numbers: %s', async (text, value) => expect(await cell('n', text)).toBe(value));

  it.each(['abc', '1,5', ' 1', '1 ', '0x10', '1e999', 'NaN', 'Infinity', '1_000', '--1', '.', 'e5', '٣'])(
    'stay text where they are no number: %j',
    async (text) => {
      expect(await cell('n', text)).toBe(text);
    },
  );

  it('are true or false, else text', async () => {
    expect([await cell('b', 'true'), await cell('b', 'false'), await cell('b', 'TRUE'), await cell('b', '1')]).toEqual([
      true,
      false,
      'TRUE',
      '1',
    ]);
  });

  it.each([
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-01-02T03:04', '2024-01-02T03:04:00.000Z'],
    ['2024-01-02T03:04:05', '2024-01-02T03:04:05.000Z'],
    ['2024-01-02T03:04:05.678Z', '2024-01-02T03:04:05.678Z'],
    ['2024-01-02T03:04:05.6789Z', '2024-01-02T03:04:05.678Z'],
    ['2024-01-02T03:04:05+02:00', '2024-01-02T01:04:05.000Z'],
    ['2024-01-02T03:04:05-0130', '2024-01-02T04:34:05.000Z'],
    ['2024-01-02T03:04+02', '2024-01-02T01:04:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
    ['+012024-01-01', '+012024-01-01T00:00:00.000Z'],
  ])('are dates: %s', async (text, iso) => expect(await cell('d', text)).toEqual(new Date(iso)));

  it.each([
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '2024-04-31',
    '2024-01-02T25:00',
    '2024-01-02T03:60',
    '2024',
    '2024-01',
    '01/02/2024',
    '2024-1-2',
    'today',
    '20240102',
    '2024-01-02T',
    '2024-01-02T03:04+25:00',
    '2024-01-02 03:04',
  ])('stay text where they are no date: %s', async (text) => expect(await cell('d', text)).toBe(text));

  it('stay text where the type is any or string', async () => {
    expect([await cell('s', '12'), await cell('x', 'true')]).toEqual(['12', 'true']);
  });
});
