import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { JsonMistake, scanJson, unfinished } from '../../../src/storage/files/json-scan.js';
import { put, rowsOf, temporaryFolder } from './folder.js';

const folder = await temporaryFolder();
const letters = ['{', '}', '[', ']', '"', ',', ':', '\\', 'u', 'e', '0', '.', '-', '+', '1', ' ', '\n', '\u0001', 'é'];

describe('reading JSON', () => {
  it.each([
    ['an array', '[{"a":1},{"a":null}]', [{ a: 1 }, { a: null }]],
    ['white space everywhere', ' \r\n[ {"a" : 1 }\t,\n{"b":[ ] } ] \n', [{ a: 1 }, { b: [] }]],
    ['one object', '{"a":{"b":[1,{"c":"}]"}]}}', [{ a: { b: [1, { c: '}]' }] } }]],
    ['an empty array', '[]', []],
    ['an empty array with space', ' [ ] ', []],
    ['a byte order mark', '\uFEFF[{"ä":"€😀"}]', [{ ä: '€😀' }]],
    ['escapes', '[{"a\\u00e9":"\\ud83d\\ude00\\"\\\\\\n\\/"}]', [{ aé: '😀"\\\n/' }]],
    [
      'numbers of all kinds',
      '[{"a":-0.5e+10,"b":0,"c":12345678901234567890,"d":1E400}]',
      [{ a: -5e9, b: 0, c: 12345678901234567890, d: Infinity }],
    ],
  ])('takes %s', async (_, content, rows) => {
    expect(await rowsOf(await put(folder, 'good.json', content))).toEqual(rows);
    expect(await rowsOf(await put(folder, 'good.json.gz', content))).toEqual(rows);
  });

  it.each([
    ['an empty file', '', '1:1', /the file is empty/],
    ['white space alone', ' \n ', '2:2', /the file is empty/],
    ['a number', '12', '1:1', /expected an array of objects, or one object, found '1'/],
    ['a row that is no object', '[{"a":1},\n 5]', '2:2', /expected an object, found '5'/],
    ['a row that is an array', '[[1]]', '1:2', /expected an object, found '\['/],
    ['a row that is null', '[null]', '1:2', /expected an object, found 'n'/],
    ['a comma at the end', '[{"a":1},]', '1:10', /expected an object, found '\]'/],
    ['a comma at the beginning', '[,{"a":1}]', '1:2', /expected an object, found ','/],
    ['no comma', '[{"a":1}\n{"a":2}]', '2:1', /expected ',' or '\]', found '{'/],
    ['a comma at the end of an object', '[{"a":1,}]', '1:9', /expected a property name in double quotes, found '}'/],
    ['a name without quotes', '[{a:1}]', '1:3', /expected a property name in double quotes, or '}', found 'a'/],
    ['single quotes', '[{"a":\'x\'}]', '1:7', /expected a value, found '''/],
    ['no colon', '[{"a" 1}]', '1:7', /expected ':', found '1'/],
    ['a bracket of the other kind', '[{"a":[1}]', '1:9', /expected ',' or '\]', found '}'/],
    ['a missing brace', '[{"a":1,{"b":2}]', '1:9', /expected a property name in double quotes, found '{'/],
    ['NaN', '[{"a":NaN}]', '1:7', /expected a value, found 'N'/],
    ['a word cut short', '[{"a":nul}]', '1:10', /expected 'null', found '}'/],
    ['a leading zero', '[{"a":01}]', '1:8', /expected ',' or '}', found '1'/],
    ['a leading dot', '[{"a":.5}]', '1:7', /expected a value, found '\.'/],
    ['a dot without digits', '[{"a":1.}]', '1:9', /expected a digit, found '}'/],
    ['a sign without digits', '[{"a":-}]', '1:8', /expected a digit/],
    ['a line break in a string', '[{"a":"x\ny"}]', '1:9', /expected the end of the string.*found the end of the line/],
    ['a tab in a string', '[{"a":"\t"}]', '1:8', /control character \\u0009/],
    ['an unknown escape', '[{"a":"\\x41"}]', '1:9', /after the backslash, found 'x'/],
    ['bad digits of an escape', '[{"a":"é\\u12g4"}]', '1:13', /four hexadecimal digits.*found 'g'/],
    ['a comment', '[// all\n]', '1:2', /expected an object, found '\/'/],
    ['text after the end', '[{"a":1}] x', '1:11', /expected the end of the file, found 'x'/],
    ['two objects', '{"a":1}\n{"a":2}', '2:1', /expected the end of the file.*NDJSON/],
    ['a truncated array', '[{"a":1},\n{"a":2}', '2:8', /the file is truncated: its array is not closed/],
    ['a truncated object', '[{"a":1},\n{"a":', '2:6', /the file is truncated: it ends in the middle of an object/],
    ['a truncated string', '[{"a":"é', '1:9', /the file is truncated/],
    ['a character that is found whole', '[{"a":1}😀]', '1:9', /found '😀'/],
    ['Latin-1', Buffer.from('[{"a":"é"}]', 'latin1'), '1:8', /0xE9 is not UTF-8/],
  ] as [string, string | Uint8Array, string, RegExp][])('refuses %s', async (_, content, where, message) => {
    const path = await put(folder, 'bad.json', content);
    await expect(rowsOf(path)).rejects.toMatchObject({
      code: 'FILE_MALFORMED',
      message: expect.stringMatching(message),
      where: [`${path}:${where}`],
    });
  });

  it('finds a mistake deep in a large file', async () => {
    const lines = Array.from({ length: 50_000 }, (_, index) => JSON.stringify({ index, text: `é ${index}`, list: [1, { two: 2 }] }));
    lines[40_000] = '{"index":40000,"text":"é", list:[]}';
    const path = await put(folder, 'large.json', `[\n${lines.join(',\n')}\n]\n`);
    await expect(rowsOf(path)).rejects.toThrow(`${path}:40002:28: expected a property name in double quotes, found 'l'.`);
  });

  it('says where, not at the end, when a brace is missing early in a large file', async () => {
    const path = await put(folder, 'open.json', `[\n{"a":1,\n${'{"a":1},\n'.repeat(500_000)}{}]`);
    await expect(rowsOf(path)).rejects.toThrow(`${path}:3:1: expected a property name`);
  });

  it('takes deep nesting and very long strings', async () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(await rowsOf(await put(folder, 'deep.json', `[${deep},{"b":1}]`))).toHaveLength(2);
    expect(await rowsOf(await put(folder, 'long.json', `[{"a":"${'x'.repeat(3_000_000)}"}]`))).toEqual([{ a: 'x'.repeat(3_000_000) }]);
  });

  it('makes __proto__ a property like others', async () => {
    const [row = {}] = await rowsOf(await put(folder, 'proto.json', '[{"__proto__":{"admin":true}}]'), {
      columns: [{ name: '__proto__', type: 'date' }],
    });
    expect(Object.keys(row)).toEqual(['__proto__']);
    expect((row as { admin?: boolean }).admin).toBeUndefined();
  });

  it('converts dates where a column is one, and nothing else', async () => {
    const path = await put(folder, 'dates.json', '[{"d":"2024-01-02","n":"1","o":"2024-01-02"},{"d":"soon"},{"d":5},{"d":null},{}]');
    const columns = [
      { name: 'd', type: 'date' },
      { name: 'n', type: 'number' },
    ] as const;
    expect(await rowsOf(path, { columns })).toEqual([
      { d: new Date('2024-01-02'), n: '1', o: '2024-01-02' },
      { d: 'soon' },
      { d: 5 },
      { d: null },
      {},
    ]);
  });
});

describe('reading NDJSON', () => {
  it.each([
    ['objects', '{"a":1}\n{"a":2}\n', [{ a: 1 }, { a: 2 }]],
    ['no line break at the end', '{"a":1}\n{"a":2}', [{ a: 1 }, { a: 2 }]],
    ['CRLF, blank lines and spaces', '\r\n {"a":1} \r\n\n  \n{"a":2}\r\n', [{ a: 1 }, { a: 2 }]],
    ['a byte order mark', '\uFEFF{"a":1}', [{ a: 1 }]],
    ['an empty file', '', []],
  ])('takes %s', async (_, content, rows) => {
    expect(await rowsOf(await put(folder, 'good.ndjson', content))).toEqual(rows);
    expect(await rowsOf(await put(folder, 'good.jsonl.gz', content))).toEqual(rows);
  });

  it.each([
    ['a line that is no object', '{"a":1}\n[1]\n', '2:1', /expected an object, found '\['/],
    ['a mistake', '{"a":1}\n\n {"ä":tru}\n', '3:10', /expected 'true', found '}'/],
    ['two objects in a line', '{"a":1} {"a":2}\n', '1:9', /expected the end of the line, found '{'/],
    ['an object that spans lines', '{"a":1,\n"b":2}\n', '1:8', /the line ends in the middle of an object.*\.json/],
    ['a truncated object', '{"a":1}\n{"a"', '2:5', /the file is truncated/],
  ])('refuses %s', async (_, content, where, message) => {
    const path = await put(folder, 'bad.ndjson', content);
    await expect(rowsOf(path)).rejects.toMatchObject({
      code: 'FILE_MALFORMED',
      message: expect.stringMatching(message),
      where: [`${path}:${where}`],
    });
  });
});

describe('scanJson', () => {
  it('ends where the value ends', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const bytes = Buffer.from(`${text} `);
        expect(scanJson(bytes, 0)).toBe(Buffer.byteLength(text));
      }),
    );
  });

  it('takes what JSON.parse takes, and refuses what it refuses', () => {
    const mutated = fc.tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('', ...letters), fc.nat(2));
    fc.assert(
      fc.property(mutated, ([text, at, letter, removed]) => {
        const place = at % (text.length + 1);
        const changed = Buffer.from(`${text.slice(0, place)}${letter}${text.slice(place + removed)}`).toString(); // no half characters
        expect(isWhole(changed)).toBe(isJson(changed));
      }),
      { numRuns: 3000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isWhole(text: string): boolean {
  const bytes = Buffer.from(`${text} `); // a number has no end of its own
  try {
    const end = scanJson(bytes, 0);
    return end !== unfinished && bytes.subarray(end).toString().trim() === '';
  } catch (error) {
    if (error instanceof JsonMistake) return false;
    throw error;
  }
}
