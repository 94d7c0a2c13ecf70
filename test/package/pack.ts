import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a command to its end and answers what it wrote; a failure's error holds its stderr. */
export function run(cwd: string, command: string, ...args: readonly string[]): string {
  // Without npm_* what `npm test` hands down does not reach the npm that is run here, nor NODE_OPTIONS the processes of vitest.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|NODE_V8_COVERAGE$|VITEST)/.test(name)),
  );
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 });
}

/** Builds the package into a folder, as it will be unpacked; dist/ of the repository is left alone. */
function buildPackage(dir: string, options: { readonly types: boolean }): void {
  mkdirSync(dir, { recursive: true });
  for (const file of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'workflow.schema.json'])
    cpSync(join(root, file), join(dir, file));
  run(root, process.execPath, 'build.mjs', '--out', join(dir, 'dist'), ...(options.types ? [] : ['--no-types']));
}

/** Builds and packs; answers the tarball's path. */
export function packPackage(dir: string): string {
  const staged = join(dir, 'package');
  buildPackage(staged, { types: true });
  run(staged, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', dir);
  const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball');
  return join(dir, tarball);
}

/** An npm project of a user's own, with the tarball installed and the compiler and Node's types at hand. */
export function installPackage(dir: string, tarball: string): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'fresh', version: '1.0.0', private: true, type: 'module' }));
  // What `npm ci` has fetched is in npm's cache: the registry is not asked again.
  run(dir, 'npm', 'install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--silent');
  linkPackages(dir, ['typescript', '@types/node']);
}

/** A project without an installation: the built package and what it depends on, linked. For what runs the CLI or a page's commands. */
export function linkPackage(dir: string): void {
  buildPackage(join(dir, 'node_modules/millrace'), { types: false });
  const installed = readdirSync(join(root, 'node_modules')).filter((name) => name !== 'millrace' && !name.startsWith('.'));
  linkPackages(dir, installed);
  const bin = join(dir, 'node_modules/.bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync('../millrace/dist/cli/main.js', join(bin, 'millrace'));
}

function linkPackages(dir: string, names: readonly string[]): void {
  for (const name of names) {
    const at = join(dir, 'node_modules', name);
    mkdirSync(join(at, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), at, 'junction');
  }
}
