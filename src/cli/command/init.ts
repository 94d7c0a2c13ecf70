import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Cli } from '../command.js';
import { exitCode, UsageError } from '../failure.js';
import { readManifest } from '../manifest.js';
import { firstProcessor, projectFiles, type Requirements } from '../template.js';
import { toJson } from '../text.js';
import { configNames } from '../../project/config-names.js';
import { makeFolders } from '../../storage/make-folders.js';

/** `millrace init [dir]`. */
export async function init({ dir = '.' }: { readonly dir?: string }, { out, err, cwd, json }: Cli): Promise<number> {
  const folder = resolve(cwd, dir);
  const needed = readRequirements();
  const files = projectFiles(toPackageName(basename(folder)), needed);
  const left = Object.keys(files).filter((path) => isThere(folder, path));
  const created = Object.keys(files).filter((path) => !left.includes(path));
  for (const path of created) writeNew(join(folder, path), files[path] ?? '');
  const next = [...changeTo(folder, cwd), ...installs(folder, needed, created.includes('package.json')), firstRun(left)];
  if (json) {
    out.line(toJson({ folder, created, left, next: next.join(' && ') }));
    return exitCode.done;
  }
  if (created.length > 0) out.line(`Made in ${folder}:\n${created.map((path) => `  ${path}`).join('\n')}`);
  if (left.length > 0) out.line(`There already, and left as they are:\n${left.map((path) => `  ${path}`).join('\n')}`);
  for (const advice of adviceFor(folder, left, needed)) err.line(advice);
  out.line(`\nNext:\n  ${out.colors.bold(next.join(' && '))}`);
  return exitCode.done;
}

/** Whether a file is there; a config of another name would be shadowed by a new one. */
function isThere(folder: string, path: string): boolean {
  const names: readonly string[] = path === configNames[0] ? configNames : [path];
  return names.some((name) => existsSync(join(folder, name)));
}

function writeNew(path: string, text: string): void {
  try {
    makeFolders(dirname(path));
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${(error as Error).message}. Name another folder: millrace init DIR.`, {
      cause: error,
    });
  }
}

/** The versions that this version of Millrace was made and tested with. */
function readRequirements(): Requirements {
  const own = readManifest();
  const versions: Readonly<Record<string, string>> = { ...own.devDependencies, ...own.dependencies, millrace: own.version };
  const ranges = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, `^${versions[name] ?? ''}`]));
  return { runtime: ranges(['class-validator', 'millrace']), development: ranges(['@types/node', 'typescript', 'vitest']) };
}

/** A name that npm allows. */
function toPackageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'millrace-project' : name;
}

function changeTo(folder: string, cwd: string): readonly string[] {
  const path = relative(cwd, folder);
  return path === '' ? [] : [`cd ${/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`}`];
}

/** What has to be installed before the first run: all that a new package.json asks for, or what the one that was there lacks. */
function installs(folder: string, { runtime }: Requirements, isNew: boolean): readonly string[] {
  const lacking = missing(folder, runtime);
  if (lacking.length === 0) return [];
  return [isNew ? 'npm install' : `npm install ${lacking.join(' ')}`];
}

/** Packages that are not installed, by major version. */
function missing(folder: string, ranges: Readonly<Record<string, string>>): readonly string[] {
  const lacking = Object.entries(ranges).filter(([name]) => !isInstalled(folder, name));
  return lacking.map(([name, range]) => `${name}@${range.replace(/^\^(0\.\d+|\d+).*$/, '$1')}`);
}

function isInstalled(folder: string, name: string): boolean {
  if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return true;
  return dirname(folder) !== folder && isInstalled(dirname(folder), name);
}

function firstRun(left: readonly string[]): string {
  return left.includes(configNames[0]) ? 'npx millrace list' : `npx millrace run ${firstProcessor}`;
}

/** What has to be done by hand where files were left. */
function adviceFor(folder: string, left: readonly string[], { development }: Requirements): readonly string[] {
  const advice: string[] = [];
  if (left.includes(configNames[0]))
    advice.push(`Add ${firstProcessor} of src/clean-prices.ts to the processors of your config file to run it.`);
  if (left.includes('tsconfig.json')) {
    const text = readFileSync(join(folder, 'tsconfig.json'), 'utf8');
    const lacking = ['experimentalDecorators', 'emitDecoratorMetadata'].filter(
      (option) => !new RegExp(`"${option}"\\s*:\\s*true`).test(text),
    );
    if (lacking.length > 0)
      advice.push(`Make sure that tsconfig.json, or what it extends, has ${lacking.map((option) => `"${option}": true`).join(' and ')}.`);
  }
  const tools = left.includes('package.json') ? missing(folder, development) : [];
  if (tools.length > 0) advice.push(`For its unit test: npm install --save-dev ${tools.join(' ')} && npx vitest run`);
  return advice;
}
