import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { checkReadable, checkWritable } from '../../../src/storage/files/check.js';
import { readFile } from '../../../src/storage/files/read.js';
import { openFileWriter } from '../../../src/storage/files/write.js';
import { put, temporaryFolder, visible } from './folder.js';

const folder = await temporaryFolder();
await put(folder, 'prices.csv', 'a\n1\n');
await mkdir(join(folder, 'data'));
await symlink('loop-b', join(folder, 'loop-a'));
await symlink('loop-a', join(folder, 'loop-b'));
await symlink('gone/x.csv', join(folder, 'dangling'));
const at = (name: string) => join(folder, name);
/** Root may do anything: it steps down for a while. */
async function asNobody<T>(step: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return step();
  await chmod(folder, 0o755);
  process.seteuid?.(65_534);
  try {
    return await step();
  } finally {
    process.seteuid?.(0);
  }
}

async function read(path: string, signal?: AbortSignal): Promise<number> {
  let count = 0;
  for await (const batch of readFile(path, { format: 'csv', gzip: path.endsWith('.gz'), batchSize: 10, signal })) count += batch.length;
  return count;
}

describe('checkReadable', () => {
  it.each(['prices.csv', 'data/../prices.csv', '/dev/null'])('has nothing against %s', async (name) => {
    expect(await checkReadable(name.startsWith('/') ? name : at(name))).toBeUndefined();
  });

  it.each([
    ['price.csv', /'.*price\.csv' cannot be read: it does not exist/, /Did you mean 'prices\.csv'\?/],
    ['dta/prices.csv', /there is no folder '.*\/dta'/, /Did you mean 'data'\?/],
    ['dta/deeper/prices.csv', /there is no folder '.*\/dta'/, /Did you mean 'data'\?/],
    ['data', /it is a directory/, /Name a file/],
    ['prices.csv/x', /a part of its path is a file/, /./],
    ['loop-a', /circle/, /./],
    ['dangling', /it does not exist/, /./],
    ['x'.repeat(300), /too long/, /./],
  ])('refuses %s', async (name, message, fix) => {
    expect(await checkReadable(at(name))).toEqual({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(message),
      where: [],
      fix: expect.stringMatching(fix),
    });
  });

  it('says of an empty folder that the path is to be checked', async () => {
    expect(await checkReadable(at('data/x.csv'))).toMatchObject({ fix: 'Check the path.' });
  });

  it('refuses a file without permission', async () => {
    const path = await put(folder, 'secret.csv', '');
    await chmod(path, 0);
    const denied = { code: 'FILE_UNREADABLE', message: `File '${path}' cannot be read: permission is denied.` };
    expect(await asNobody(() => checkReadable(path))).toMatchObject(denied);
    await expect(asNobody(() => read(path))).rejects.toMatchObject(denied);
  });

  it('does not open a pipe', async () => {
    if (spawnSync('mkfifo', [at('pipe.csv')]).status !== 0) return;
    expect(await checkReadable(at('pipe.csv'))).toBeUndefined();
    expect(await checkWritable(at('pipe.csv'))).toMatchObject({ code: 'FILE_UNWRITABLE', message: expect.stringContaining('pipe') });
  });
});

describe('checkWritable', () => {
  it('has nothing against files that are there, are not, or whose folders are not, and makes nothing', async () => {
    const before = await visible(folder);
    for (const name of ['prices.csv', 'new.csv', 'x/y/z/new.csv', 'dangling']) expect(await checkWritable(at(name))).toBeUndefined();
    expect(await visible(folder)).toEqual(before);
  });

  it.each([
    ['data', /it is a directory/],
    ['prices.csv/new.csv', /a part of its path is a file|'.*prices\.csv' is a file, not a folder/],
    ['prices.csv/x/new.csv', /a part of its path is a file|'.*prices\.csv' is a file, not a folder/],
    ['loop-a', /circle/],
  ])('refuses %s', async (name, message) => {
    expect(await checkWritable(at(name))).toMatchObject({ code: 'FILE_UNWRITABLE', message: expect.stringMatching(message), where: [] });
  });

  it('refuses a device, which would be replaced by a file', async () => {
    expect(await checkWritable('/dev/null')).toMatchObject({ code: 'FILE_UNWRITABLE', message: expect.stringContaining('device') });
  });

  it('refuses a folder without permission', async () => {
    await mkdir(at('closed'));
    await chmod(at('closed'), 0o500);
    const denied = { code: 'FILE_UNWRITABLE', message: `File '${at('closed/new.csv')}' cannot be written: permission is denied.` };
    expect(await asNobody(() => checkWritable(at('closed/new.csv')))).toMatchObject(denied);
    const writing = asNobody(() => openFileWriter(at('closed/new.csv'), { format: 'csv', gzip: false, mode: 'replace', id: '1' }));
    await expect(writing).rejects.toMatchObject(denied);
  });
});

describe('readFile', () => {
  it('can be iterated again, also while it is being iterated', async () => {
    const rows = readFile(at('prices.csv'), { format: 'csv', gzip: false });
    for await (const batch of rows) {
      for await (const again of rows) expect(again).toEqual(batch);
    }
  });

  it.each([
    ['none.csv', 'it does not exist'],
    ['none.csv.gz', 'it does not exist'],
    ['data', 'it is a directory'],
  ])('refuses %s', async (name, why) => {
    await expect(read(at(name))).rejects.toMatchObject({ code: 'FILE_UNREADABLE', message: `File '${at(name)}' cannot be read: ${why}.` });
  });

  it.each(['big.csv', 'big.csv.gz'])('stops with the reason of its signal (%s)', async (name) => {
    const path = await put(folder, name, `a\n${'1\n'.repeat(200_000)}`);
    const controller = new AbortController();
    const reason = new Error('enough');
    let count = 0;
    const reading = (async () => {
      for await (const batch of readFile(path, { format: 'csv', gzip: name.endsWith('.gz'), batchSize: 10, signal: controller.signal })) {
        count += batch.length;
        if (count >= 100) controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    expect(count).toBe(100);
    await expect(read(path, controller.signal)).rejects.toBe(reason);
  });

  it('lets go of the file when it is left early', async () => {
    const open = () => visible('/proc/self/fd').then((list) => list.length);
    for (const name of ['left.csv', 'left.csv.gz']) {
      const path = await put(folder, name, `a\n${'1\n'.repeat(200_000)}`);
      const before = await open().catch(() => 0); // a system without /proc
      for await (const batch of readFile(path, { format: 'csv', gzip: name.endsWith('.gz') })) if (batch.length > 0) break;
      expect(await open().catch(() => 0)).toBe(before);
    }
  });
});
