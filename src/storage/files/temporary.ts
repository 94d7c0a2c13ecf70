import { readlinkSync, realpathSync } from 'node:fs';
import { lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MillraceError, toError } from '../../errors.js';
import { describeRefusal } from './source.js';

const ending = '.millrace-tmp';

/** The file that writing to a path means: what its symbolic links lead to, be it there or not. */
export function resolveTarget(path: string): string {
  let target = resolve(path);
  for (let hops = 0; hops < 40; hops++) {
    let link: string;
    try {
      link = readlinkSync(target);
    } catch {
      return target; // no link, or nothing there yet
    }
    target = resolve(realpathSync(dirname(target)), link);
  }
  throw new MillraceError('FILE_UNWRITABLE', `File '${path}' cannot be written: its symbolic links lead in a circle.`);
}

/**
 * Where a writer builds a file before it takes its place: hidden, beside what `target` resolves to, as `.name.<pid>.<id>.millrace-tmp`.
 *
 * @param id - unique among the writers of this process.
 */
export function temporaryName(target: string, id: string): string {
  const path = resolveTarget(target);
  return join(dirname(path), `${stemOf(path)}${process.pid}.${id.replaceAll(/[^\w-]/g, '_').slice(0, 64)}${ending}`);
}

/**
 * Puts a finished file into its place, so that a crash leaves the old one or the new one. May be repeated: where `from` is gone and `to` is there, it has
 * been done.
 *
 * @throws MillraceError `FILE_UNWRITABLE`.
 */
export async function publishFile(from: string, to: string): Promise<void> {
  try {
    if (await isGone(from)) {
      if (await isGone(to)) throw new Error(`it was to come from '${from}', which is gone`);
      return;
    }
    await flush(from, 'r+');
    await rename(from, to);
    await flushFolder(dirname(to));
  } catch (cause) {
    throw new MillraceError('FILE_UNWRITABLE', `File '${to}' cannot be put into place: ${describeRefusal(cause)}.`, { cause });
  }
}

/**
 * Removes what writers of dead processes left beside a target.
 *
 * Only for when nobody is going to publish them any more: a store that has a commit record with such a file must have been opened
 * before. Processes are looked up on this machine alone.
 */
export async function sweepTemporary(target: string): Promise<void> {
  const path = resolveTarget(target);
  const stem = stemOf(path);
  const names = await readdir(dirname(path)).catch(() => []); // no folder, nothing left in it
  for (const name of names) {
    if (!name.startsWith(stem) || !name.endsWith(ending)) continue;
    const owner = /^(\d+)\.[\w-]+$/.exec(name.slice(stem.length, -ending.length))?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(dirname(path), name), { force: true });
  }
}

/** The beginning of a temporary name; of a very long name a part, since the system bounds names at 255 bytes. */
function stemOf(path: string): string {
  const name = basename(path);
  return `.${Buffer.byteLength(name) <= 128 ? name : Array.from(name).slice(0, 32).join('')}.`;
}

async function isGone(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: unknown) => {
      if ((toError(error) as NodeJS.ErrnoException).code === 'ENOENT') return true;
      throw error;
    },
  );
}

async function flush(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a rename durable. Some systems cannot flush a folder: there it is as durable as they make it. */
async function flushFolder(folder: string): Promise<void> {
  await flush(folder, 'r').catch((error: unknown) => {
    if (!['EISDIR', 'EINVAL', 'EPERM', 'ENOTSUP', 'EACCES'].includes((toError(error) as NodeJS.ErrnoException).code ?? '')) throw error;
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (toError(error) as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM: alive, and another user's
  }
}
