import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { MillraceError } from '../errors.js';
import type { StagedFile } from './store.js';

/** Makes what was written to the files durable, before a commit record says that they are whole. */
export async function syncFiles(files: readonly StagedFile[]): Promise<void> {
  for (const { from, to } of files) await sync(from, to);
}

/** Renames each file into its place; one that is there already was renamed before. Then the folders are made durable. */
export async function placeFiles(files: readonly StagedFile[]): Promise<void> {
  for (const { from, to } of files) await place(from, to);
  for (const folder of new Set(files.map(({ to }) => dirname(to)))) await syncFolder(folder);
}

/** Removes files that may be there. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true }).catch(() => undefined); // its folder may be closed to us: the file is not ours to insist on
}

async function place(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // renamed by an earlier attempt
    throw unwritable(to, error);
  }
}

async function sync(from: string, to: string): Promise<void> {
  const file = await open(from, 'r').catch((error: unknown) => {
    throw unwritable(to, error);
  });
  try {
    await file.sync();
  } catch (error) {
    throw unwritable(to, error);
  } finally {
    await file.close();
  }
}

/** Where folders cannot be opened (Windows), their entries are durable without it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  if (!handle) return;
  await handle.sync().catch(() => undefined); // some file systems refuse; the rename has happened all the same
  await handle.close();
}

function unwritable(path: string, error: unknown): MillraceError {
  return new MillraceError(
    'FILE_UNWRITABLE',
    `${path} could not be put into place: ${(error as Error).message}. Make the folder writable; the next use of the store finishes it.`,
    {
      cause: error,
    },
  );
}
