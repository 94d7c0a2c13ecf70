import { constants } from 'node:fs';
import { access, lstat, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { nearestName, toError, type Fault } from '../../errors.js';
import { describeRefusal } from './source.js';
import { resolveTarget } from './temporary.js';

/**
 * What speaks against reading a file, if anything. A pipe or a device is allowed, and not opened: it gives its rows once.
 *
 * @returns a fault `FILE_UNREADABLE`, its `where` empty.
 */
export async function checkReadable(path: string): Promise<Fault | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return unreadable(path, 'it is a directory', 'Name a file in it.');
    if (found.isFile()) await (await open(path, 'r')).close();
    else await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return isMissing(error) ? missing(path) : unreadable(path, describeRefusal(error), 'Check the path and its permissions.');
  }
}

/**
 * What speaks against writing a file, if anything; nothing is created. Missing folders are no fault: they are made when the file is.
 *
 * @returns a fault `FILE_UNWRITABLE`, its `where` empty.
 */
export async function checkWritable(path: string): Promise<Fault | undefined> {
  try {
    const target = resolveTarget(path);
    const found = await stat(target).catch(unlessMissing);
    if (found?.isDirectory() === true) return unwritable(path, 'it is a directory', 'Name a file in it.');
    if (found?.isFile() === false) {
      return unwritable(
        path,
        'it is a device, a pipe or a socket, and a file is written beside its target and then takes its place',
        'Name a regular file.',
      );
    }
    if (found !== undefined) await access(target, constants.W_OK);
    const folder = await nearestFolder(dirname(target));
    if (!(await stat(folder)).isDirectory())
      return unwritable(path, `'${folder}' is a file, not a folder`, 'Name a path whose folders are folders.');
    await access(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return unwritable(path, describeRefusal(error), 'Check the path and the permissions of its folder.');
  }
}

/** The fault of a missing file, with the nearest name that there is. */
async function missing(path: string): Promise<Fault> {
  const folder = await nearestFolder(dirname(path));
  const here = folder === dirname(path);
  const lost = here ? path : firstBelow(folder, path);
  const names = await readdir(folder).catch(() => []); // an unreadable folder has no name to suggest
  const what = here ? 'it does not exist' : `there is no folder '${lost}'`;
  const near = nearestName(basename(lost), names);
  return unreadable(path, what, near === undefined ? 'Check the path.' : `Did you mean '${near}'?`);
}

/** The folder itself, or the nearest one above it that there is. */
async function nearestFolder(folder: string): Promise<string> {
  const found = await lstat(folder).catch(unlessMissing);
  return found === undefined && dirname(folder) !== folder ? nearestFolder(dirname(folder)) : folder;
}

/** The first folder on the way from `folder` down to `path`. */
function firstBelow(folder: string, path: string): string {
  return dirname(path) === folder ? path : firstBelow(folder, dirname(path));
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

function isMissing(error: unknown): boolean {
  return (toError(error) as NodeJS.ErrnoException).code === 'ENOENT';
}

function unreadable(path: string, why: string, fix: string): Fault {
  return { code: 'FILE_UNREADABLE', message: `File '${path}' cannot be read: ${why}.`, where: [], fix };
}

function unwritable(path: string, why: string, fix: string): Fault {
  return { code: 'FILE_UNWRITABLE', message: `File '${path}' cannot be written: ${why}.`, where: [], fix };
}
