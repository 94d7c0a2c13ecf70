import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder with those above it. Answers the first that was made, if any.
 *
 * Node does not end its own way of doing so where the system says that a parent is not there although it is, as in /proc; hence the first
 * folder that is missing is made by itself.
 */
export function makeFolders(path: string): string | undefined {
  const first = findMissing(resolve(path));
  if (first === undefined) return mkdirSync(path, { recursive: true }); // refuses what is no folder
  const made = makeOne(first);
  return mkdirSync(path, { recursive: true }) === undefined && !made ? undefined : first;
}

/** False where another was faster, in making it or in removing what it was to be in. */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || (code === 'ENOENT' && !existsSync(dirname(path)))) return false;
    throw error;
  }
}

function findMissing(path: string): string | undefined {
  let missing: string | undefined;
  for (let at = path; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing = at;
  return missing;
}
