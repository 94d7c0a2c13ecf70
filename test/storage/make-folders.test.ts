import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolders } from '../../src/storage/make-folders.js';
import { temporaryFolder } from './temporary.js';

describe('makeFolders', () => {
  it('makes a folder with those above it, and answers the first that was not there', () => {
    const root = temporaryFolder();
    expect(makeFolders(join(root, 'a/b/c'))).toBe(join(root, 'a'));
    expect(makeFolders(join(root, 'a/b/d'))).toBe(join(root, 'a/b/d'));
    expect(makeFolders(join(root, 'a/b'))).toBeUndefined();
    expect(statSync(join(root, 'a/b/c')).isDirectory()).toBe(true);
  });

  it('refuses a file in its place or in its way', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => makeFolders(file)).toThrow('EEXIST');
    expect(() => makeFolders(join(file, 'a/b'))).toThrow('ENOTDIR');
  });

  it.runIf(existsSync('/proc/self'))('ends where nothing can be made, whatever the system says', () => {
    expect(() => makeFolders('/proc/millrace/a')).toThrow(/ENOENT|EACCES|EPERM/);
  });
});
