import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';

import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';

import { embeddedStore, mongoStore, openStore } from '../../src/storage/open.js';
import { temporaryFolder } from './temporary.js';

describe('openStore', () => {
  it('chooses the store by the scheme', () => {
    expect(openStore('memory:').url).toBe('memory:');
    expect(openStore('embedded:./some/dir').url).toBe(`embedded:${resolve('some/dir')}`);
    expect(openStore('embedded:').url).toBe(`embedded:${resolve('.millrace/data')}`);
    expect(openStore('./plain/path').url).toBe(`embedded:${resolve('plain/path')}`);
  });

  it.each(['redis://localhost', 'membory:', ''])('refuses %j, and says what there is', (url) => {
    expect(() => openStore(url)).toThrow(
      expect.objectContaining({ code: 'STORE_UNKNOWN', message: expect.stringMatching(/memory:.*embedded:/) as string }),
    );
  });

  it('says what is missing where an environment has no such variable', () => {
    const missing = undefined as unknown as string;
    for (const open of [
      () => openStore(missing),
      () => mongoStore({ url: missing }),
      () => embeddedStore({ path: null as unknown as string }),
    ])
      expect(open).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/must be a text such as/) as string }),
      );
  });

  it('touches nothing before it is used', async () => {
    const path = join(temporaryFolder(), 'made');
    const store = openStore(path);
    expect(existsSync(path)).toBe(false);
    await store.close();
    expect(existsSync(path)).toBe(false);
  });

  it('takes a folder whose name has an extension', async () => {
    const path = join(temporaryFolder(), 'data.db');
    await using store = openStore(path);
    await store.insert('rows', [{ a: 1 }]);
    expect(existsSync(join(path, 'data.mdb'))).toBe(true);
  });

  it('opens one folder several times in a process', async () => {
    const path = temporaryFolder();
    const first = openStore(path);
    await using second = openStore(path);
    await first.insert('rows', [{ a: 1 }]);
    expect(await second.count('rows')).toBe(1);
    await first.close();
    await second.insert('rows', [{ a: 2 }]);
    expect(await second.count('rows')).toBe(2);
    await using third = openStore(path);
    expect(await third.count('rows')).toBe(2);
  });

  it('loads no database, no bson and no query engine with its modules', () => {
    const { outputFiles } = buildSync({
      entryPoints: ['src/storage/open.ts'],
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      write: false,
    });
    const statics = [...(outputFiles[0]?.text ?? '').matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name]) => name ?? '');
    expect(statics.length).toBeGreaterThan(0);
    expect(statics.filter((name) => !isBuiltin(name))).toEqual([]);
  });
});
