import { describe, expect, it } from 'vitest';
import { describeFormats, formatOf, parseFileTarget, unknownFormat } from '../../../src/storage/files/format.js';

describe('parseFileTarget', () => {
  it.each([
    ['./data/p.csv', { path: '/base/data/p.csv', format: 'csv', gzip: false }],
    ['data/../p.TSV', { path: '/base/p.TSV', format: 'tsv', gzip: false }],
    ['/abs/p.json.gz', { path: '/abs/p.json.gz', format: 'json', gzip: true }],
    ['p.jsonl', { path: '/base/p.jsonl', format: 'ndjson', gzip: false }],
    ['p.txt?format=tsv', { path: '/base/p.txt', format: 'tsv', gzip: false }],
    ['p.gz?format=csv', { path: '/base/p.gz', format: 'csv', gzip: true }],
    ['p.csv?format=ndjson', { path: '/base/p.csv', format: 'ndjson', gzip: false }],
    ['p.csv?', { path: '/base/p.csv', format: 'csv', gzip: false }],
    ['p.txt', { path: '/base/p.txt', gzip: false }],
    ['what%3F.csv', { path: '/base/what?.csv', format: 'csv', gzip: false }],
    ['what%253f.csv', { path: '/base/what%3f.csv', format: 'csv', gzip: false }],
    ['100%.csv', { path: '/base/100%.csv', format: 'csv', gzip: false }],
    ['a%20b c#d.csv', { path: '/base/a%20b c#d.csv', format: 'csv', gzip: false }],
    ['///abs/a%20b.csv', { path: '/abs/a b.csv', format: 'csv', gzip: false }],
  ])('reads %s', (text, target) => expect(parseFileTarget(text, '/base')).toEqual(target));

  it('starts from the working directory by default', () => {
    expect(parseFileTarget('p.csv').path).toBe(`${process.cwd()}/p.csv`);
  });

  it.each([
    ['', /names no file/],
    ['?format=csv', /names no file/],
    ['p.csv?formt=json', /unknown option 'formt'\. Did you mean 'format'\?.*%3F/],
    ['p.csv?format=jsn', /unknown format 'jsn'\. Did you mean 'json'\?/],
    ['p.csv?format=', /unknown format ''/],
    ['//host/p.csv', /not a file URL of this machine/],
  ])('refuses %j', (text, message) => {
    expect(() => parseFileTarget(text)).toThrow(
      expect.objectContaining({ code: 'BINDING_INVALID', message: expect.stringMatching(message) }),
    );
  });
});

describe('formatOf', () => {
  it('knows nothing of a name without a known extension', () => {
    for (const name of ['csv', '.csvx', 'a.xlsx', 'a.csv.bak', 'a', 'a.gz', 'dir.csv/a']) expect(formatOf(name).format).toBeUndefined();
  });
});

describe('unknownFormat', () => {
  it('lists the formats', () => {
    expect(unknownFormat('/a.xlsx')).toMatchObject({ code: 'BINDING_INVALID', message: expect.stringContaining(describeFormats()) });
  });
});
