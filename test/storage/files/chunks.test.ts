import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileFormat } from '../../../src/storage/files/format.js';
import { checkUtf8 } from '../../../src/storage/files/utf8.js';
import { TextWindow } from '../../../src/storage/files/window.js';
import { CsvRecords } from '../../../src/storage/files/csv-records.js';
import { parsed } from './folder.js';

/** Text of the letters that matter to a format, so that most of it is broken somehow. */
const scraps: Readonly<Record<FileFormat, readonly string[]>> = {
  csv: ['a', 'b', '1', 'é', '€', '😀', ',', ',', '"', '""', '\n', '\n', '\r\n', '\r', ' ', '\uFEFF', '"x"', '"1\n2"'],
  tsv: ['a', '1', 'é', '\t', '\t', ',', '"', '\n', '\r\n', '"x"'],
  json: [
    '{',
    '}',
    '[',
    ']',
    '{}',
    '{"a":1}',
    ',',
    ':',
    '"',
    '"é"',
    '"a":',
    '1',
    '-0.5e3',
    'true',
    'null',
    '\\',
    '\\u00e9',
    '\n',
    ' ',
    '\uFEFF',
    '{"a":[{}]},',
  ],
  ndjson: ['{', '}', '{"a":1}\n', '{"é":"😀"}\r\n', ',', '"', '1', '\n', ' ', '\r', '{"a":{"b":[]}}'],
};
const formats: readonly FileFormat[] = ['csv', 'tsv', 'json', 'ndjson'];
const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });

describe('bytes in any pieces', () => {
  it.each(formats)('give the same rows and the same mistake (%s)', async (format) => {
    const text = fc.array(fc.constantFrom(...scraps[format]), { maxLength: 25 }).map((parts) => parts.join(''));
    const foreign = fc.option(fc.tuple(fc.nat(), fc.constantFrom(0xe9, 0xff, 0xc0, 0xed, 0x80)), { freq: 4 });
    await fc.assert(
      fc.asyncProperty(text, foreign, sizes, fc.boolean(), async (content, bad, pieces, broken) => {
        const bytes = Buffer.from((broken || format !== 'json' ? '' : '[{"a":1},') + content);
        if (bad !== null && bytes.length > 0) bytes[bad[0] % bytes.length] = bad[1];
        const whole = await parsed(bytes, [bytes.length + 1], { format });
        expect(await parsed(bytes, pieces, { format })).toEqual(whole);
        expect(await parsed(bytes, [1], { format })).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it('give the same rows in batches of any size', async () => {
    const bytes = Buffer.from(`a,b\n${'1,"2\n"\r\n'.repeat(50)}`);
    const whole = await parsed(bytes, [64], { format: 'csv' });
    expect(whole.rows).toHaveLength(50);
    for (const batchSize of [1, 7, 50, 1000]) expect(await parsed(bytes, [5], { format: 'csv', batchSize })).toEqual(whole);
  });
});

describe('checkUtf8', () => {
  it('agrees with the decoder about every beginning', () => {
    const byte = fc.constantFrom(
      0x41,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xed,
      0xef,
      0xf0,
      0xf1,
      0xf4,
      0xf5,
      0xff,
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1 }), fc.array(byte, { maxLength: 8 }), (before, list) => {
        const bytes = Uint8Array.from([...before, ...list]);
        const { end, bad } = checkUtf8(bytes, before.length, bytes.length);
        expect(isDecodable(bytes.subarray(before.length, end), false)).toBe(true);
        expect(isDecodable(bytes.subarray(before.length), true)).toBe(!bad);
        if (bad) expect(isDecodable(bytes.subarray(before.length, end + 4), false)).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('TextWindow', () => {
  it('refuses a row without end before it fills the memory', async () => {
    let given = 0;
    const endless = (async function* () {
      yield Buffer.from('a,b\n1,"');
      for (; given < 1000; given++) yield Buffer.alloc(1024, 'x');
    })();
    const window = new TextWindow(endless, 'f', 10_000);
    const records = new CsvRecords(window, ',');
    const reading = (async () => {
      while (!window.ended) {
        while (records.next() !== undefined);
        await window.fill();
      }
    })();
    await expect(reading).rejects.toThrow(
      'f:2:1: the row that begins here has more than 10000 bytes. Is a quote or a bracket never closed?',
    );
    expect(given).toBeLessThan(50);
  });
});

function isDecodable(bytes: Uint8Array, more: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: more });
    return true;
  } catch {
    return false;
  }
}
