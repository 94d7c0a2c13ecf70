import { chmodSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { embeddedStore } from '../../../src/storage/open.js';
import { temporaryFolder } from '../temporary.js';
import { runChild } from './fixture/run-child.js';

async function filled(): Promise<{ readonly path: string; readonly file: string }> {
  const path = temporaryFolder();
  await using store = embeddedStore({ path });
  await store.insert(
    'rows',
    Array.from({ length: 5000 }, (_, n) => ({ n, text: `row ${n}` })),
  );
  return { path, file: join(path, 'data.mdb') };
}

describe('a database file that is damaged', () => {
  it.each([
    ['garbage', (file: string) => writeFileSync(file, Buffer.alloc(100_000, 7))],
    ['a text', (file: string) => writeFileSync(file, 'sku,amount\n')],
    ['cut in the middle', (file: string) => truncateSync(file, Math.floor(readFileSync(file).length / 2))],
    ['cut within its first pages', (file: string) => truncateSync(file, 5000)],
    ['overwritten where its tree begins', (file: string) => overwriteRoot(file)],
  ])('says so where it is %s', async (_, damage) => {
    const { path, file } = await filled();
    damage(file);
    await using store = embeddedStore({ path });
    await expect(store.count('rows')).rejects.toMatchObject({ code: 'STORE_DAMAGED', message: expect.stringContaining(path) as string });
    await expect(store.insert('rows', [{ a: 1 }])).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringMatching(/backup/) as string,
    });
  });

  it('is usable again once it was put right', async () => {
    const { path, file } = await filled();
    const whole = readFileSync(file);
    await using store = embeddedStore({ path });
    writeFileSync(file, 'damaged');
    await expect(store.count('rows')).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    writeFileSync(file, whole);
    expect(await store.count('rows')).toBe(5000);
  });

  it('is a new database where the file is empty', async () => {
    const path = temporaryFolder();
    writeFileSync(join(path, 'data.mdb'), '');
    await using store = embeddedStore({ path });
    expect(await store.insert('rows', [{ a: 1 }])).toBe(1);
  });
});

/** The page that the latest transaction names as the root of its tree. */
function overwriteRoot(file: string): void {
  const bytes = readFileSync(file);
  const metas = [0, 2048, 4096].filter((at) => bytes.readUInt32LE(at + 24) === 0xbeefc0de);
  for (const at of metas) {
    const root = Number(bytes.readBigUInt64LE(at + 24 + 24 + 48 + 40));
    if (root * 4096 < bytes.length) bytes.fill(0xaa, root * 4096, root * 4096 + 4096);
  }
  writeFileSync(file, bytes);
}

describe('a folder that cannot be used', () => {
  it('is unavailable where no folder can be made', async () => {
    await using store = embeddedStore({ path: '/proc/none/below' });
    await expect(store.count('rows')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('is unavailable where a file stands', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'inside')]) {
      await using store = embeddedStore({ path });
      await expect(store.count('rows')).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining(file) as string,
      });
    }
  });

  it.skipIf(process.getuid?.() === 0)('is unavailable where it may not be written', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o500);
    await using store = embeddedStore({ path: join(folder, 'data') });
    await expect(store.count('rows')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    chmodSync(folder, 0o700);
  });
});

describe.skipIf(process.platform === 'win32')('a disk that is full', () => {
  it('fails what is written, and loses nothing of what was', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const child = await runChild(['fill', folder], 'ulimit -f 40000; exec');
    const lines = (await child.lines()).map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(lines[0]).toMatchObject({ code: 'STORE_FULL', message: expect.stringMatching(/full/) as string });
    expect(lines[0]?.['batch']).toBeGreaterThan(0);
    expect(lines[1]).toEqual({ kept: 1, filled: 1000 * Number(lines[0]?.['batch']) });
    expect(await child.ended).toBe(0);
    await using store = embeddedStore({ path: join(folder, 'data') });
    expect(await store.count('filled')).toBe(lines[1]?.['filled']);
    await store.insert('filled', [{ a: 1 }]);
    expect(await store.count('kept')).toBe(1);
  });
});
