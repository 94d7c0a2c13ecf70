import { cp, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { makeFolders } from '../../storage/make-folders.js';
import type { Action } from './action.js';

/** Copies a file or a folder; into `to` where that is a folder that is there, or is written with a slash at its end. */
export function copyAction(from: string, to: string, overwrite = true): Action {
  return {
    name: `copy of '${from}'`,
    async perform() {
      const target = to.endsWith('/') || to.endsWith(sep) || (await isFolder(to)) ? join(to, basename(from)) : to;
      makeFolders(dirname(target));
      await cp(from, target, { recursive: true, force: overwrite, errorOnExist: !overwrite });
    },
  };
}

/** Deletes files and folders; one that is not there is no fault. */
export function deleteAction(paths: readonly string[]): Action {
  return {
    name: `delete of ${paths.map((path) => `'${path}'`).join(', ')}`,
    async perform() {
      for (const path of paths) await rm(path, { recursive: true, force: true });
    },
  };
}

/** Whether a path is a folder that another one is in, or that folder itself. */
export function holds(path: string, inner: string): boolean {
  const way = relative(path, inner);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // it is not there
  }
}
