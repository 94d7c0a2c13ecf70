import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are missing, one by one: where a system answers that a folder which is there is not (as /proc
 * does), Node's own recursion never ends.
 *
 * @returns the uppermost that was made.
 */
export function makeFolders(folder: string): string | undefined {
  if (isFolder(folder)) return undefined;
  const outer = dirname(folder);
  const uppermost = outer === folder || existsSync(outer) ? undefined : makeFolders(outer);
  try {
    mkdirSync(folder);
    return uppermost ?? folder;
  } catch (error) {
    if (isFolder(folder)) return uppermost; // another was faster
    removeFolders(outer, uppermost);
    throw error;
  }
}

/** Removes folders that were made, from the innermost outwards; one that holds something else stays, and those around it. */
export function removeFolders(folder: string, uppermost: string | undefined): void {
  if (uppermost === undefined) return;
  try {
    rmdirSync(folder);
  } catch {
    return; // not empty, or gone
  }
  if (folder !== uppermost) removeFolders(dirname(folder), uppermost);
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
