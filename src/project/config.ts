import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describeValue, MillraceError, suggestName } from '../errors.js';
import { configNames } from './config-names.js';
import { importModule } from './import-module.js';
import { findProjectOptions, type Project } from './project.js';

/** A project with the file that it was read from. */
export interface LoadedProject {
  readonly project: Project;
  /** Absolute. */
  readonly path: string;
}

/** The config file of a folder or of the nearest folder above it. */
export function findConfig(folder: string): string | undefined {
  const found = configNames.map((name) => join(folder, name)).find((path) => existsSync(path));
  const above = dirname(folder);
  return found ?? (above === folder ? undefined : findConfig(above));
}

/**
 * The config file that was asked for, else the nearest one.
 *
 * @param given - a file, or a folder that has one, relative to `folder`.
 * @throws MillraceError `CONFIG_INVALID` where there is none.
 */
export function getConfig(folder: string, given?: string): string {
  if (given !== undefined) return givenConfig(resolve(folder, given));
  const found = findConfig(folder);
  if (found !== undefined) return found;
  throw new MillraceError(
    'CONFIG_INVALID',
    `there is no ${configNames[0]} (nor one in .mts, .js or .mjs) in ${folder} or a folder above it. Make a project with 'millrace init', or name the file with --config.`,
  );
}

/**
 * Loads the project that a config file exports.
 *
 * @throws MillraceError `CONFIG_INVALID` for a file that cannot be read, does not parse, throws, or has another default export than a
 * project; the code of Millrace's own error where that is what it threw. `cause` is what was thrown.
 */
export async function loadProject(path: string): Promise<LoadedProject> {
  const exported = await importModule(path);
  const project = await exported['default'];
  if (findProjectOptions(project) !== undefined) return { project: project as Project, path };
  // A module that was compiled to CommonJS has its exports once more within the default one.
  const inner: unknown = typeof project === 'object' && project !== null && 'default' in project ? project.default : undefined;
  if (findProjectOptions(inner) !== undefined) return { project: inner as Project, path };
  throw new MillraceError('CONFIG_INVALID', `${path} ${explainExports(exported, project)}`);
}

function givenConfig(path: string): string {
  if (!existsSync(path)) {
    const names = existsSync(dirname(path)) ? readdirSync(dirname(path)).filter((name) => /[.][cm]?[jt]s$/.test(name)) : [];
    throw new MillraceError('CONFIG_INVALID', `the config file ${path} does not exist. ${suggestName(basename(path), names)}`);
  }
  if (!statSync(path).isDirectory()) return path;
  const inside = configNames.map((name) => join(path, name)).find((one) => existsSync(one));
  if (inside !== undefined) return inside;
  throw new MillraceError('CONFIG_INVALID', `the folder ${path} has no ${configNames[0]} (nor one in .mts, .js or .mjs): name the file.`);
}

function explainExports(exported: Readonly<Record<string, unknown>>, project: unknown): string {
  const wanted = 'write `export default defineProject({ name: …, processors: [ … ] });`';
  const named = Object.keys(exported).find((name) => findProjectOptions(exported[name]) !== undefined);
  if (named !== undefined) return `exports its project as '${named}': make it the default export; ${wanted}`;
  if (!('default' in exported)) return `has no default export: ${wanted}`;
  return `has ${describeValue(project)} as its default export, not a project: ${wanted}`;
}
