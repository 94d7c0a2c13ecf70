import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

/** A small tree that breaks each rule once; by file, what it imports. */
const sources: Readonly<Record<string, string>> = {
  'errors.ts': `export const error = 1;`,
  'types.ts': `import type { spec } from './metadata/spec.js'; export type T = typeof spec;`,
  'mask.ts': `export const mask = 1;`,
  'index.ts': `export { error } from './errors.js'; export { cli } from './cli/main.js';`,
  'metadata/spec.ts': `import 'reflect-metadata'; export const spec = 1;`,
  'storage/store.ts': `import type { spec } from '../metadata/spec.js'; export type S = typeof spec; export const open = () => import('lmdb');`,
  'validation/check.ts': `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); export const load = (): unknown => require('lmdb');`,
  'container/scope.ts': `export const cut = () => import('../binding/binding.js');`,
  'binding/binding.ts': `import { spec } from '../metadata/spec.js'; export const binding = spec;`,
  'task/task.ts': `import type { Command } from 'commander'; import { binding } from '../binding/binding.js'; export type C = Command; export const task = binding;`,
  'project/project.ts': `import { error } from '../index.js'; export const project = error;`,
  'project/left.ts': `import type { Right } from './right.js'; export interface Left { right: Right }`,
  'project/right.ts': `import type { Left } from './left.js'; export interface Right { left: Left }`,
  'testing/kit.ts': `export * from 'left-pad';`,
  'helper/odd.ts': `import { error } from '../errors.js'; export const odd = error;`,
  'cli/main.ts': `import { Command } from 'commander'; import { task } from '../task/task.js'; import '../nowhere.js'; export const cli = [Command, task];`,
};

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

describe('the architecture rules', () => {
  let dir: string;
  let found: readonly string[];

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-architecture-'));
    for (const [path, text] of Object.entries(sources)) write(`src/${path}`, text);
    const packages = ['reflect-metadata', 'lmdb', 'commander', 'left-pad'];
    for (const name of packages) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
      write(`node_modules/${name}/index.js`, 'exports.Command = 1;');
    }
    write(
      'package.json',
      JSON.stringify({ name: 'tree', type: 'module', dependencies: { ...Object.fromEntries(packages.map((name) => [name, '1.0.0'])) } }),
    );
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json']) copyFileSync(join(root, file), join(dir, file));
    const { stdout } = spawnSync(process.execPath, [depcruise, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'], {
      cwd: dir,
      encoding: 'utf8',
    });
    const { summary } = JSON.parse(stdout) as { summary: { violations: readonly Violation[] } };
    found = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).sort();
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each([
    ['a row below, by type only', 'row-types: src/types.ts -> src/metadata/spec.ts'],
    ['a neighbour, by type only', 'row-storage: src/storage/store.ts -> src/metadata/spec.ts'],
    ['a neighbour, by a dynamic import', 'row-container: src/container/scope.ts -> src/binding/binding.ts'],
    ['a package at home elsewhere, by createRequire', 'home-lmdb: src/validation/check.ts -> node_modules/lmdb/index.js'],
    ['a package at home elsewhere, by type only', 'home-commander: src/task/task.ts -> node_modules/commander/index.js'],
    ['a package without a home', 'homeless-package: src/testing/kit.ts -> node_modules/left-pad/index.js'],
    ['the index', 'index-is-for-users: src/project/project.ts -> src/index.ts'],
    ['the CLI from the index', 'testing-and-cli-are-entries: src/index.ts -> src/cli/main.ts'],
    ['one another in a circle', 'no-cycle: src/project/left.ts -> src/project/right.ts'],
    ['from a room that no row names', 'unknown-room-importing: src/helper/odd.ts -> src/errors.ts'],
    ['what is not there', 'resolvable: src/cli/main.ts -> ../nowhere.js'],
  ])('refuse to import %s', (_, violation) => expect(found).toContain(violation));

  it('allow what the table allows', () => {
    const allowed = [
      'src/metadata/spec.ts -> node_modules/reflect-metadata',
      'src/storage/store.ts -> node_modules/lmdb',
      'src/binding/binding.ts ->',
      'src/cli/main.ts -> src/task/task.ts',
      'src/cli/main.ts -> node_modules/commander',
    ];
    for (const edge of allowed) expect(found.filter((violation) => violation.includes(edge))).toEqual([]);
  });
});
