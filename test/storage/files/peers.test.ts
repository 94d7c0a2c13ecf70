import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvEncoder } from '../../../src/storage/files/encode.js';
import { parsed } from './folder.js';

const letters = ['a', 'é', '😀', ' ', ',', '\t', '"', '\n', '\r\n', '0', "'"];
const cell = fc.array(fc.constantFrom(...letters), { maxLength: 5 }).map((parts) => parts.join(''));
const table = fc
  .integer({ min: 2, max: 4 })
  .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 6 }));
const named = (cells: readonly string[]) => Object.fromEntries(cells.map((text, index) => [`c${index}`, text]));
const namesOf = (rows: readonly (readonly string[])[]) => (rows[0] ?? ['', '']).map((_, index) => `c${index}`);

describe.each([',', '\t'] as const)('with the separator %j', (separator) => {
  it.each(['\n', '\r\n'])('what csv-stringify writes is read (line end %j)', async (lineEnd) => {
    await fc.assert(
      fc.asyncProperty(table, fc.boolean(), async (rows, quoted) => {
        // csv-stringify leaves a line break alone that is not its own
        const text = stringify([namesOf(rows), ...rows], {
          delimiter: separator,
          record_delimiter: lineEnd,
          quoted,
          quoted_match: /[\r\n]/,
        });
        const { rows: read, error } = await parsed(Buffer.from(text), [3, 11], { format: separator === ',' ? 'csv' : 'tsv' });
        expect(error).toBeUndefined();
        expect(read).toEqual(rows.map(named));
      }),
    );
  });

  it('what is written csv-parse reads', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const encoder = new CsvEncoder({ separator });
        const text = encoder.encode(rows.map(named)) + encoder.end();
        const expected = rows.length === 0 ? [] : [namesOf(rows), ...rows];
        expect(parse(text, { delimiter: separator, record_delimiter: '\n' })).toEqual(expected);
      }),
    );
  });
});
