import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linkPackage, root } from '../package/pack.js';
import { Folder, millrace, Process, type Ended } from './kit.js';

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const made = [
  'package.json',
  'tsconfig.json',
  'millrace.config.ts',
  'src/clean-prices.ts',
  'test/clean-prices.test.ts',
  'data/prices.csv',
  '.gitignore',
];

describe('millrace init', () => {
  let folder: Folder;
  beforeAll(() => {
    folder = new Folder();
  });
  afterAll(() => folder.remove());

  it('makes a project, and ends with the command to type next', async () => {
    const { code, stdout, stderr } = await millrace(folder.path, 'init', 'My shop');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      `Made in ${folder.at('My shop')}:\n${made.map((path) => `  ${path}\n`).join('')}\nNext:\n  cd 'My shop' && npm install && npx millrace run CleanPrices\n`,
    );
    const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(JSON.parse(readFileSync(folder.at('My shop/package.json'), 'utf8'))).toMatchObject({
      name: 'my-shop',
      type: 'module',
      dependencies: { millrace: `^${own.version}`, 'class-validator': expect.stringMatching(/^\^\d/) },
      devDependencies: {
        vitest: expect.stringMatching(/^\^\d/),
        typescript: expect.stringMatching(/^\^\d/),
        '@types/node': expect.stringMatching(/^\^\d/),
      },
    });
  });

  it('overwrites nothing: it names what was there, and says what that lacks', async () => {
    const before = {
      'package.json': '{"name":"own"}',
      'tsconfig.json': '{"compilerOptions":{"emitDecoratorMetadata": true}}',
      'millrace.config.mjs': 'export {}',
      'src/clean-prices.ts': '//',
    };
    const own = folder.write(Object.fromEntries(Object.entries(before).map(([name, text]) => [`own/${name}`, text]))).at('own');
    const { code, stdout, stderr } = await millrace(own, 'init');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'There already, and left as they are:\n  package.json\n  tsconfig.json\n  millrace.config.ts\n  src/clean-prices.ts\n',
    );
    expect(stdout).toMatch(/\nNext:\n {2}npm install class-validator@0\.\d+ millrace@0\.\d+ && npx millrace list\n$/);
    expect(stderr).toMatch(/\nFor its unit test: npm install --save-dev @types\/node@\d+ typescript@\d+ vitest@\d+ && npx vitest run\n$/);
    expect(stderr).toContain('Add CleanPrices of src/clean-prices.ts to the processors of your config file');
    expect(stderr).toContain('Make sure that tsconfig.json, or what it extends, has "experimentalDecorators": true.');
    for (const [name, text] of Object.entries(before)) expect(readFileSync(join(own, name), 'utf8')).toBe(text);
    expect(readdirSync(own)).not.toContain('millrace.config.ts');
  });

  it('is one value with --json, and does nothing the second time', async () => {
    const [first, second] = [
      await millrace(folder.path, 'init', 'twice', '--json'),
      await millrace(folder.path, 'init', 'twice', '--json'),
    ];
    expect(JSON.parse(first.stdout)).toEqual({
      folder: folder.at('twice'),
      created: made,
      left: [],
      next: 'cd twice && npm install && npx millrace run CleanPrices',
    });
    expect(JSON.parse(second.stdout)).toMatchObject({ created: [], left: made });
  });

  it('refuses a folder that it cannot make, with 2', async () => {
    folder.write({ file: '' });
    expect(await millrace(folder.path, 'init', 'file/in')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('cannot be written'),
    });
  });
});

describe('the project that it makes', () => {
  let folder: Folder;
  let shop: string;
  const run = (...argv: readonly string[]): Promise<Ended> =>
    new Process(folder.at('node_modules/millrace/dist/cli/main.js'), shop, argv).end();

  beforeAll(async () => {
    folder = new Folder();
    linkPackage(folder.path);
    shop = folder.at('shop');
    const { stdout } = await new Process(folder.at('node_modules/millrace/dist/cli/main.js'), folder.path, ['init', 'shop']).end();
    expect(stdout).toMatch(/\nNext:\n {2}cd shop && npx millrace run CleanPrices\n$/);
  }, 60_000);
  afterAll(() => folder.remove());

  it('runs, and shows its data', async () => {
    expect(await run('run', 'CleanPrices')).toMatchObject({ code: 0, stdout: expect.stringContaining('8 rows, 3 rejected') });
    expect(JSON.parse((await run('data', 'prices', '--json')).stdout)).toHaveLength(5);
    expect(JSON.parse((await run('data', 'prices_rejects', '--json')).stdout)).toHaveLength(3);
    expect(await run('check')).toMatchObject({ code: 0, stderr: '' });
  });

  it('passes its own unit test', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', shop], {
      cwd: shop,
      encoding: 'utf8',
    });
    expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' });
  });

  it('type-checks', () => {
    const { config } = ts.readConfigFile(join(shop, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, shop);
    const paths = { millrace: [join(root, 'src/index.ts')], 'millrace/testing': [join(root, 'src/testing/index.ts')] };
    const program = ts.createProgram(fileNames, { ...options, paths, typeRoots: [join(root, 'node_modules/@types')] });
    const faults = fileNames.flatMap((name) => program.getSemanticDiagnostics(program.getSourceFile(name)));
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
    expect(fileNames.map((name) => name.slice(shop.length + 1)).sort()).toEqual([
      'millrace.config.ts',
      'src/clean-prices.ts',
      'test/clean-prices.test.ts',
    ]);
  });
});
