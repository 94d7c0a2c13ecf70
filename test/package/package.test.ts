import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, packPackage, root, run } from './pack.js';

const cases = ['prices.ts', 'scopes.ts', 'testing.ts', 'workflow.ts'];
const strict = {
  target: 'es2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};

describe('the packed package', () => {
  let dir: string;
  let tarball: string;
  let project: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-package-'));
    tarball = packPackage(dir);
    project = join(dir, 'project');
    installPackage(project, tarball);
    mkdirSync(join(project, 'src'));
    for (const name of cases) copyFileSync(join(root, 'test/types/cases', name), join(project, 'src', name));
    // each of its marked lines must be refused: a mark that is not needed is an error
    const mistakes = readFileSync(join(root, 'test/types/mistakes.test-d.ts'), 'utf8').replaceAll("'./cases/", "'./");
    writeFileSync(join(project, 'src/mistakes.ts'), mistakes);
    writeFileSync(join(project, 'prices.csv'), 'sku,amount,currency\na,2,USD\nb,6,USD\n');
  }, 120_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('holds what users need and nothing else', () => {
    const files = run(dir, 'tar', '-tzf', tarball).trim().split('\n');
    const top = new Set(files.map((path) => path.split('/')[1]));
    expect([...top].sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json', 'workflow.schema.json']);
    expect(files.filter((path) => path.includes('/dist/') && !/[.](js|d[.]ts)$/.test(path))).toEqual([]);
  });

  it('is under 300 kB', () => expect(statSync(tarball).size).toBeLessThan(300_000));

  it('names no place of the machine it was built on', () => {
    const text = run(dir, 'tar', '-xzOf', tarball);
    expect([root, dir].filter((path) => text.includes(path))).toEqual([]);
  });

  it('type-checks and runs the cases as tsc compiles them for Node', () => {
    expect(compile({ module: 'nodenext', moduleResolution: 'nodenext', outDir: 'emitted', rootDir: 'src', skipLibCheck: false })).toBe('');
    expectCases('emitted');
  }, 60_000);

  it.each([
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ])(
    'type-checks with module %s and moduleResolution %s',
    (module, moduleResolution) => {
      expect(compile({ module, moduleResolution, noEmit: true, skipLibCheck: true })).toBe('');
    },
    60_000,
  );

  it('runs the cases where no decorator metadata is emitted', async () => {
    const entryPoints = cases.map((name) => join(project, 'src', name));
    const tsconfigRaw = { compilerOptions: { experimentalDecorators: true, target: 'es2022' } };
    await build({ absWorkingDir: project, entryPoints, outdir: 'plain', format: 'esm', target: 'node20', tsconfigRaw, logLevel: 'silent' });
    expect(readFileSync(join(project, 'plain/prices.js'), 'utf8')).not.toContain('design:type');
    expectCases('plain');
  }, 60_000);

  it("loads reflect-metadata with `import 'millrace'`, and nothing else that is not its own", () => {
    expect(packagesLoaded("await import('millrace')")).toEqual(['millrace', 'reflect-metadata']);
  });

  it('loads neither a store nor the validator nor the container for `millrace --help`', () => {
    const bin = join(project, 'node_modules/millrace/dist/cli/main.js');
    const loaded = packagesLoaded(
      `process.argv = [process.argv[0], ${JSON.stringify(bin)}, '--help']; await import(${JSON.stringify(pathToFileURL(bin).href)})`,
    );
    const heavy = ['lmdb', 'bson', 'mingo', 'class-validator', 'tsyringe', 'csv-parse', '@oxc-node/core', 'cli-progress'];
    expect(loaded).toContain('millrace');
    expect(loaded.filter((name) => heavy.includes(name))).toEqual([]);
  });

  it('has the schema of definition files where editors are told to look', () => {
    const script =
      "process.stdout.write(JSON.stringify((await import('millrace/workflow.schema.json', { with: { type: 'json' } })).default))";
    expect(JSON.parse(run(project, process.execPath, '--no-warnings', '--input-type=module', '-e', script))).toEqual(
      JSON.parse(readFileSync(join(root, 'workflow.schema.json'), 'utf8')),
    );
  });

  it('has a command that tells its version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(run(project, join(project, 'node_modules/.bin/millrace'), '--version').trim()).toBe(version);
  });

  it('names the line of the user where a decorator is misused', () => {
    const text =
      "import 'reflect-metadata';\nimport { Input, Processor } from 'millrace';\nclass Wrong { run() {} }\nInput()(Wrong.prototype, 'rows');\nInput()(Wrong.prototype, 'rows');\nProcessor()(Wrong);\n";
    writeFileSync(join(project, 'wrong.mjs'), text);
    const script = "await import('./wrong.mjs').then(() => console.log('accepted'), (error) => console.log(error.message, error.where))";
    expect(run(project, process.execPath, '--input-type=module', '-e', script)).toMatch(/wrong\.mjs:[456]/);
  });

  function compile(compilerOptions: object): string {
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, include: ['src'] }));
    const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], {
      cwd: project,
      encoding: 'utf8',
    });
    return stdout;
  }

  function expectCases(folder: string): void {
    const of = (name: string): unknown => {
      const script = `const { main } = await import('./${folder}/${name}.js'); process.stdout.write(JSON.stringify((await main()) ?? null))`;
      return JSON.parse(run(project, process.execPath, '--input-type=module', '-e', script));
    };
    expect(of('prices')).toEqual([{ sku: 'a', euros: 1 }]);
    const worked = [
      'open pool db://one',
      'begin',
      'a!',
      'commit',
      'begin',
      'b!',
      'commit',
      'begin',
      'rollback',
      'begin',
      'fake c',
      'commit',
      'close pool',
    ];
    expect(of('scopes')).toEqual(worked);
    expect(of('testing')).toBeNull();
    expect(of('workflow')).toMatchObject([{ name: 'all', euros: 4 }]);
  }

  /** Runs a script and answers which packages' files were loaded, by `import` (a hook sees them) or `require` (its cache has them). */
  function packagesLoaded(script: string): readonly string[] {
    const log = join(project, 'loaded.txt');
    writeFileSync(log, '');
    writeFileSync(
      join(project, 'hooks.mjs'),
      `import { appendFileSync } from 'node:fs';
       export async function load(url, context, next) { appendFileSync(${JSON.stringify(log)}, url + '\\n'); return next(url, context); }`,
    );
    writeFileSync(
      join(project, 'watch.mjs'),
      `import { appendFileSync } from 'node:fs';
       import { createRequire, register } from 'node:module';
       register('./hooks.mjs', import.meta.url);
       process.on('exit', () => appendFileSync(${JSON.stringify(log)}, Object.keys(createRequire(import.meta.url).cache).join('\\n')));`,
    );
    run(project, process.execPath, '--import', './watch.mjs', '--input-type=module', '-e', script);
    const names = [...readFileSync(log, 'utf8').matchAll(/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\/(?!.*node_modules)/g)].map(
      ([, name]) => name,
    );
    return [...new Set(names)].filter((name) => name !== undefined).sort();
  }
});
