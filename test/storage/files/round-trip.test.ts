import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Column, Row } from '../../../src/types.js';
import type { FileFormat } from '../../../src/storage/files/format.js';
import { readFile } from '../../../src/storage/files/read.js';
import { openFileWriter, publishFile } from '../../../src/storage/files/write.js';
import { temporaryFolder } from './folder.js';

const folder = await temporaryFolder();
const formats: readonly FileFormat[] = ['csv', 'tsv', 'json', 'ndjson'];
const letters = [
  'a',
  'B',
  '0',
  ' ',
  ',',
  '\t',
  '"',
  '""',
  "'",
  '\n',
  '\r',
  '\r\n',
  '\uFEFF',
  'é',
  '€',
  '😀',
  '\u2028',
  '\u0000',
  '\\',
  '{',
  '-',
  '__proto__',
];
const text = fc.array(fc.constantFrom(...letters), { maxLength: 6 }).map((parts) => parts.join(''));
const name = text.filter((one) => one !== '');
const batches = <T>(row: fc.Arbitrary<T>) => fc.array(fc.array(row, { maxLength: 4 }), { maxLength: 4 });

async function passedThrough(
  given: readonly (readonly Row[])[],
  format: FileFormat,
  gzip: boolean,
  columns?: readonly Column[],
): Promise<Row[]> {
  const path = join(folder, 'file');
  const writer = await openFileWriter(path, { format, gzip, columns, mode: 'replace', id: '1' });
  for (const rows of given) await writer.write(rows);
  await writer.finish();
  await publishFile(writer.temporary, writer.target);
  const read: Row[] = [];
  for await (const batch of readFile(path, { format, gzip, columns, batchSize: 3 })) read.push(...batch);
  await rm(path);
  return read;
}

describe.each(formats)('rows written to %s and read again', (format) => {
  it.each([false, true])('are the same with a schema (gzip: %s)', async (gzip) => {
    const columns: readonly Column[] = [
      { name: 'text', type: 'string' },
      { name: 'number', type: 'number' },
      { name: 'flag', type: 'boolean' },
      { name: 'day', type: 'date' },
    ];
    const row = fc.record(
      {
        text: text.filter((one) => one !== ''), // an empty cell is an absent value
        number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
        flag: fc.boolean(),
        day: fc.date({ noInvalidDate: true }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(batches(row), async (given) => {
        expect(await passedThrough(given, format, gzip, columns)).toEqual(given.flat());
      }),
      { numRuns: 60 },
    );
  });

  it.each([false, true])('are the same texts without one, columns as first seen (gzip: %s)', async (gzip) => {
    await fc.assert(
      fc.asyncProperty(batches(fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: true })), async (given) => {
        const rows = given.flat();
        const seen = [...new Set(rows.flatMap((row) => Object.keys(row)))];
        const full = format === 'csv' || format === 'tsv' ? rows.map((row) => filled(row, seen)) : rows;
        const read = await passedThrough(given, format, gzip);
        expect(read.map((row) => Object.entries(row))).toEqual(
          (seen.length === 0 && full !== rows ? [] : full).map((row) => Object.entries(row)),
        );
      }),
      { numRuns: 60 },
    );
  });
});

/** A cell has no way to be absent. */
function filled(row: Record<string, string>, names: readonly string[]): object {
  return Object.fromEntries(names.map((one) => [one, Object.hasOwn(row, one) ? row[one] : '']));
}
