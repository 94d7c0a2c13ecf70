import { cpSync, existsSync, symlinkSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linkPackage } from '../package/pack.js';
import { Folder, Process, shop, type Ended } from './kit.js';

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let folder: Folder;
let bin: string;
beforeAll(() => {
  folder = new Folder();
  linkPackage(folder.path);
  bin = folder.at('node_modules/millrace/dist/cli/main.js');
  folder.write(shop).write({ 'odd/millrace.config.ts': odd, 'odd/tsconfig.json': shop['tsconfig.json'] ?? '', 'odd/long.yaml': long });
}, 60_000);
afterAll(() => folder.remove());

const start = (cwd: string, ...argv: readonly string[]): Process => new Process(bin, folder.at(cwd), argv);
const millrace = (cwd: string, ...argv: readonly string[]): Promise<Ended> => start(cwd, ...argv).end();

/** A workflow that does not end. */
const long = `name: long
steps:
  - Writes
  - Waits: { depends: [Writes], bind: { out: waited } }
`;

/** Processors that end in no good way. */
const odd = `
import { defineProject, Depends, Output, Processor, resource, Scope, type TaskContext, type Writer } from 'millrace';

const held = resource(async function* held() { yield { open: true }; console.error('held is closed'); });
const until = (signal: AbortSignal) => new Promise<never>((_, reject) => {
  const alive = setInterval(() => {}, 1000);
  signal.addEventListener('abort', () => { clearInterval(alive); reject(signal.reason); });
});

@Processor()
class Waits {
  @Output({ binding: 'out' }) readonly out!: Writer<any>;
  @Depends(Scope.Worker, held) readonly held!: { open: boolean };
  async run({ signal }: TaskContext) { await this.out.write({ a: 1 }); console.error('it waits'); await until(signal); }
}
@Processor()
class Writes { @Output({ binding: 'written' }) readonly rows!: Writer<any>; async run() { await this.rows.write({ a: 1 }); } }
@Processor()
class Deaf { async run() { console.error('it waits'); await new Promise((resolve) => setTimeout(resolve, 60_000)); } }
@Processor()
class Loose { async run({ signal }: TaskContext) { setTimeout(() => { throw new TypeError('it got loose'); }, 1); await until(signal); } }
@Processor()
class Leaves { async run() { setInterval(() => {}, 1000); } }
@Processor()
class Floods { async run({ progress }: TaskContext) { for (let at = 0; at < 100_000; at++) progress(at); console.error('it has flooded'); } }
export default defineProject({ name: 'odd', processors: [Waits, Writes, Deaf, Loose, Leaves, Floods], workflows: ['long.yaml'], closeTimeout: 60_000 });
`;

describe('millrace', () => {
  it('tells its commands and its version', async () => {
    const { code, stdout, stderr } = await millrace('.', '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of ['init', 'run', 'list', 'show', 'check', 'graph', 'runs', 'data'])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect((await millrace('.', '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [[], 'Usage: millrace'],
    [['lst'], "error: unknown command 'lst'. Did you mean 'list'?"],
    [['list', '--jsn'], "error: unknown option '--jsn'. Did you mean '--json'? See 'millrace list --help'."],
  ])('refuses %j with 2', async (argv, message) => {
    expect(await millrace('.', ...argv)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('loads the project of the nearest folder above, or that of --config, compiled as its own tsconfig says', async () => {
    folder.write({ 'deep/er/readme.txt': '' });
    const { stdout } = await millrace('deep/er', 'list', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ name: 'shop' });
    for (const config of ['../../odd', '../../odd/millrace.config.ts']) {
      expect(JSON.parse((await millrace('deep/er', '--config', config, 'list', '--json')).stdout)).toMatchObject({ name: 'odd' });
    }
  });

  it.each([
    ['without a tsconfig', undefined],
    ['with one that says nothing of decorators', '{ "compilerOptions": { "target": "es2022" }, "include": ["nothing"] }'],
  ])('decorates properties of any name, %s', async (_, tsconfig) => {
    const alone = new Folder().write({
      'millrace.config.ts': `
        import { IsString } from 'class-validator';
        import { defineProject, Input, Processor, type Reader } from 'millrace';
        class Film { @IsString() 'Release Date'!: string; @IsString() title!: string }
        @Processor() class Films { @Input({ schema: Film }) readonly films!: Reader<Film> }
        export default defineProject({ name: 'films', processors: [Films] });`,
      ...(tsconfig === undefined ? {} : { 'tsconfig.json': tsconfig }),
    });
    symlinkSync(folder.at('node_modules'), alone.at('node_modules'));
    const { stdout } = await new Process(bin, alone.path, ['show', 'Films', '--json']).end();
    alone.remove();
    expect(JSON.parse(stdout)).toMatchObject({ inputs: [{ properties: [{ name: 'Release Date', type: 'string' }, { name: 'title' }] }] });
  });

  it('runs a project that has another copy of Millrace', async () => {
    cpSync(folder.at('node_modules/millrace'), folder.at('other/node_modules/millrace'), { recursive: true });
    cpSync(folder.at('data'), folder.at('other/data'), { recursive: true });
    folder.write(Object.fromEntries(Object.entries(shop).map(([name, text]) => [`other/${name}`, text])));
    const { code, stdout } = await millrace('other', 'run', 'MakePrices', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ outputs: { prices: { rows: 2 } } });
    expect(await millrace('other', 'check')).toMatchObject({ code: 0 });
    const failed = await millrace('other', 'run', 'Fails');
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("error TASK_FAILED: Processor 'Fails' failed: it cannot be done with ***"),
    });
  });

  it('is done when the command is, whatever user code left open', async () => {
    expect(await millrace('odd', 'run', 'Leaves')).toMatchObject({ code: 0 });
  });

  it('ends quietly when its reader goes, but not before its run is done', () => {
    const script = `"$0" "$1" data many --limit 0 --json --store many | head -n 1; "$0" "$1" run Floods --config odd --json | head -n 1`;
    folder.write({
      'many.mjs': `import { embeddedStore } from 'millrace';
        const store = embeddedStore({ path: 'many' });
        await store.insert('many', Array.from({ length: 20_000 }, (_, i) => ({ i, text: 'x'.repeat(100) })));
        await store.close();`,
    });
    spawnSync(process.execPath, ['many.mjs'], { cwd: folder.path });
    const { stdout, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${script}; echo "code $?"`, process.execPath, bin], {
      cwd: folder.path,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^\[\n\{"event":"run:start",.*\}\ncode 0\n$/);
    expect(stderr.split('\n').filter((line) => !line.startsWith('{'))).toEqual(['it has flooded', '']);
  });

  it.runIf(existsSync('/dev/full'))('says that its answer could not be written, and does not end with 0', () => {
    const full = (...argv: readonly string[]): unknown[] => {
      const line = ['-c', '"$0" "$@" > /dev/full', process.execPath, bin, ...argv];
      const { status, stderr } = spawnSync('bash', line, { cwd: folder.path, encoding: 'utf8' });
      return [status, stderr.split('\n').filter((line) => line.startsWith('error'))];
    };
    const told = ['error: standard output cannot be written: ENOSPC: no space left on device, write'];
    expect([full('run', 'MakePrices', '--quiet'), full('list')]).toEqual([
      [1, told],
      [2, told],
    ]);
  });

  it('uses no colours without a terminal, nor with NO_COLOR; FORCE_COLOR asks for them', async () => {
    const coloured = async (env: NodeJS.ProcessEnv): Promise<boolean> =>
      (await new Process(bin, folder.path, ['list'], env).end()).stdout.includes('\u001b[');
    expect([await coloured({}), await coloured({ FORCE_COLOR: '1' }), await coloured({ FORCE_COLOR: '1', NO_COLOR: '1' })]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe('Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('(%s) cancels the run, closes everything and publishes nothing', async (signal) => {
    const run = start('odd', 'run', 'Waits');
    await run.shows('it waits');
    run.child.kill(signal);
    const { code, stdout, stderr } = await run.end();
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain("error TASK_CANCELLED: Processor 'Waits' was cancelled: it was interrupted\n");
    expect(stderr).toContain('held is closed');
    expect(JSON.parse((await millrace('odd', 'data', '--json')).stdout)).toEqual([]);
    expect(JSON.parse((await millrace('odd', 'runs', '--json', '--limit', '1')).stdout)).toMatchObject([
      { name: 'Waits', status: 'cancelled' },
    ]);
  });

  it('(SIGKILL) leaves the run of a workflow known as interrupted, to be gone on with', async () => {
    const run = start('odd', 'run', 'long');
    await run.shows('it waits');
    const [running] = JSON.parse((await millrace('odd', 'runs', '--json', '--limit', '1')).stdout) as readonly object[];
    expect(running).toMatchObject({ name: 'long', status: 'running', tasks: [{ step: 'Writes', status: 'succeeded' }] });
    run.child.kill('SIGKILL');
    await run.end();
    const [killed] = JSON.parse((await millrace('odd', 'runs', '--json', '--limit', '1')).stdout) as readonly { readonly _id: string }[];
    expect(killed).toMatchObject({
      name: 'long',
      status: 'interrupted',
      error: expect.stringContaining('millrace run long --resume') as string,
    });
    expect((await millrace('odd', 'runs', killed?._id ?? '')).stdout).toMatch(/^long interrupted {2}run /);
    const plan = JSON.parse((await millrace('odd', 'run', 'long', '--resume', '--plan', '--json')).stdout) as readonly {
      readonly runs: boolean;
    }[];
    expect(plan.map(({ runs }) => runs)).toEqual([false, true]);
  });

  it('a second time ends at once what does not end', async () => {
    const run = start('odd', 'run', 'Deaf', '--json');
    await run.shows('it waits');
    run.child.kill('SIGINT');
    await run.shows('Press Ctrl-C again to end at once.');
    run.child.kill('SIGINT');
    expect(await run.end()).toMatchObject({ code: 130 });
  });

  it('ends a command that has nothing to close at once', async () => {
    folder.write({
      'waits/millrace.config.mjs': `console.error('it loads'); await new Promise((resolve) => setTimeout(resolve, 60_000));`,
    });
    const list = start('waits', 'list');
    await list.shows('it loads');
    list.child.kill('SIGINT');
    expect(await list.end()).toEqual({ code: 130, stdout: '', stderr: 'it loads\n' });
  });
});

it('an error that nobody awaited cancels the run, is told in a line, and ends with 1', async () => {
  const { code, stderr } = await millrace('odd', 'run', 'Loose');
  expect(code).toBe(1);
  expect(stderr).toContain('error: an error was thrown where nothing awaited it: it got loose\n  at millrace.config.ts:');
  expect(stderr).not.toMatch(/^ {4}at /m);
});

describe('a config file', () => {
  const typed = { 'tsconfig.json': shop['tsconfig.json'] ?? '' };

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'that throws',
      { 'millrace.config.ts': `import './rates.js';`, 'rates.ts': `\nthrow new TypeError('no rates');` },
      'millrace.config.ts cannot be loaded: it threw TypeError: no rates\n  at rates.ts:2\n',
    ],
    [
      'that does not parse',
      { 'millrace.config.ts': `import { defineProject } from 'millrace';\n\nexport default defineProject({ name: 'x', processors: [ });` },
      'millrace.config.ts:3:57 does not parse: Expression or comma expected.',
    ],
    [
      'that imports what does not parse',
      { 'millrace.config.ts': `import './broken.js';`, 'broken.ts': `class A {\n  x: = 1;\n}` },
      'broken.ts:2:6 does not parse: Type expected.',
    ],
    [
      'in JavaScript that does not parse',
      { 'millrace.config.mjs': `const a = 1;\nconst b = ;` },
      "millrace.config.mjs:2 does not parse: Unexpected token ';'",
    ],
    [
      'that imports a package that is not there',
      { 'millrace.config.ts': `import 'no-such-package';` },
      "Cannot find package 'no-such-package' imported from ",
    ],
    [
      'that imports a name that is not there',
      { 'millrace.config.ts': `import { defineProjects } from 'millrace'; export default defineProjects;` },
      "does not provide an export named 'defineProjects'",
    ],
    [
      'with a misused decorator',
      { 'millrace.config.ts': `import { Input } from 'millrace';\nclass A { @Input() static a: any }\nexport default A;` },
      'error DECORATOR_MISUSED: @Input() on static A.a (millrace.config.ts:2)',
    ],
    [
      'whose tsconfig is broken',
      { 'millrace.config.ts': `enum Kind { Of }\nexport default Kind;`, 'tsconfig.json': '{ "compilerOptions": {' },
      // newer versions of Node strip types themselves, and refuse what is more than types
      Number(process.versions.node.split('.')[0]) >= 22
        ? 'millrace.config.ts cannot be loaded: TypeScript enum is not supported'
        : 'millrace.config.ts cannot be loaded: its TypeScript cannot be compiled: its tsconfig.json, or what that extends, cannot be read',
    ],
  ])('%s is told in one message, with 2', async (name, files, message) => {
    const cwd = `config/${name.replaceAll(' ', '-')}`;
    folder.write(Object.fromEntries(Object.entries({ ...typed, ...files }).map(([path, text]) => [`${cwd}/${path}`, text])));
    const { code, stdout, stderr } = await millrace(cwd, 'list');
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error [A-Z_]+: /);
    expect(stderr).not.toMatch(/^ {4}at |node_modules/m);
  });
});
