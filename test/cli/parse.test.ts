import { describe, expect, it } from 'vitest';
import { parseDuration, parseLimit, parseSort, splitAssignment } from '../../src/cli/parse.js';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['250', 250],
    [' 2 S ', 2000],
  ])('%j is %d milliseconds', (text, ms) => expect(parseDuration(text)).toBe(ms));
  it.each(['', 'soon', '5x', '-1s', '0', '0s', '1e3', '5m30s'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(`'${text}' is not a time: write 500ms, 30s or 5m`);
  });
});

describe('parseLimit', () => {
  it('takes whole numbers', () => expect([parseLimit('0'), parseLimit('20')]).toEqual([0, 20]));
  it.each(['', '-1', '1.5', 'all', '99999999999999999999'])('refuses %j', (text) =>
    expect(() => parseLimit(text)).toThrow('is not a count'),
  );
});

describe('parseSort', () => {
  it('keeps the order of weight, over repeated options too', () => {
    expect(Object.entries(parseSort('b.c,-a', parseSort('z', undefined)))).toEqual([
      ['z', 1],
      ['b.c', 1],
      ['a', -1],
    ]);
  });
  it.each(['', 'a,', ',', '-'])('refuses %j', (text) => expect(() => parseSort(text, undefined)).toThrow('is not an order'));
});

describe('splitAssignment', () => {
  it('takes apart at the first =', () => {
    expect(splitAssignment('raw=file:a.csv?format=tsv')).toEqual(['raw', 'file:a.csv?format=tsv']);
    expect(splitAssignment('key=')).toEqual(['key', '']);
    expect([splitAssignment('key'), splitAssignment('=x')]).toEqual([undefined, undefined]);
  });
});
