import { describe, expect, it } from 'vitest';

import { SeenKeys } from '../../../src/storage/mongo/seen-keys.js';

describe('Keys that were seen', () => {
  it('are known for sure, and nearly none besides', () => {
    const seen = new SeenKeys();
    const keys = Array.from({ length: 200_000 }, (_, n) => `n:${String(n)}`);
    for (const key of keys) seen.add(key);
    expect(keys.every((key) => seen.mayHave(key))).toBe(true);
    const others = keys.map((key) => key.replace('n:', 's:ü'));
    expect(others.filter((key) => seen.mayHave(key)).length).toBeLessThan(others.length / 500);
  });
});
