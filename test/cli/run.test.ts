import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { existsSync } from 'node:fs';
import { Folder, millrace, shop, type Ended } from './kit.js';

const folders: Folder[] = [];
let folder: Folder;
beforeEach(() => {
  folder = new Folder().write(shop);
  folders.push(folder);
});
afterAll(() => {
  for (const one of folders) one.remove();
});

const run = (...argv: readonly string[]): Promise<Ended> => millrace(folder.path, 'run', ...argv);
const rows = async (collection: string): Promise<object[]> => {
  const { stdout } = await millrace(folder.path, 'data', collection, '--json');
  return (JSON.parse(stdout) as { _id?: unknown }[]).map(({ _id, ...row }) => row);
};

describe('millrace run', () => {
  it('runs a processor on its default bindings, and tells what went through each port, by name', async () => {
    const { code, stdout, stderr } = await run('MakePrices');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^MakePrices succeeded in [\d.]+ m?s {2}run [0-9a-f]{24}\n {2}raw-prices ← file:data\/raw.csv {2}3 rows, 1 rejected\n {2}extra {6}← nothing {12}0 rows\n {2}prices {5}→ prices {13}2 rows\n {2}rejected rows, with their reasons: millrace data refused\n {2}rate: 2\n$/,
      ),
    });
    expect(stderr).toContain('the key is ***');
    expect(stderr).not.toContain('a debug line');
    expect(await rows('prices')).toEqual([
      { sku: 'a', euros: 4 },
      { sku: 'c', euros: 6 },
    ]);
    expect(await rows('refused')).toEqual([expect.objectContaining({ row: { sku: 'b', amount: 'x' }, index: 1 })]);
  });

  it('binds ports by their names to collections, stores and files', async () => {
    folder.write({ 'may.json': '[{"sku":"m","amount":1}]' });
    expect(await run('MakePrices', '--bind', 'raw-prices=file:may.json', '-b', 'prices=may@depot')).toMatchObject({ code: 0 });
    expect(await rows('may@depot')).toEqual([{ sku: 'm', euros: 2 }]);
    expect(existsSync(folder.at('depot'))).toBe(true);
    expect(await run('Both', '--bind', 'in:default=may@depot', '--bind', 'out:default=file:out/may.csv')).toMatchObject({ code: 0 });
    expect(await run('Both', '--bind', 'in:default=file:out/may.csv', '--bind', 'out:default=back')).toMatchObject({ code: 0 });
    expect(await rows('back')).toEqual([{ sku: 'm', euros: '2' }]);
  });

  it('takes parameters as JSON, else text, nested by dots, or from a file', async () => {
    expect(await run('MakePrices', '--params', 'rate=10', '-p', 'factors.tax=1.5', '-p', 'code=007')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("code: '007', tax: 1.5"),
    });
    expect(await rows('prices')).toEqual([
      { sku: 'a', euros: 30 },
      { sku: 'c', euros: 45 },
    ]);
    folder.write({ 'params.json': '{"rate": 3}' });
    for (const given of [
      ['--params', 'file:params.json'],
      ['--bind', 'params=file:params.json'],
    ]) {
      expect(await run('MakePrices', ...given)).toMatchObject({ code: 0, stdout: expect.stringContaining('rate: 3') });
    }
  });

  it('uses the store that is named, relative to where it is called', async () => {
    await millrace(folder.at('data'), 'run', 'MakePrices', '--bind', 'raw-prices=file:raw.csv', '--store', 'elsewhere');
    expect(await millrace(folder.at('data'), 'data', '--store', 'elsewhere', '--json')).toMatchObject({
      stdout: expect.stringContaining('"prices"'),
    });
    expect(existsSync(folder.at('.millrace'))).toBe(false);
  });

  it('works in a folder below that of the config, on the same store', async () => {
    expect(await millrace(folder.at('data'), 'run', 'MakePrices', '--bind', 'raw-prices=file:raw.csv')).toMatchObject({ code: 0 });
    expect(await rows('prices')).toHaveLength(2);
  });

  it('writes with --json one line an event, ports by their names, the result last', async () => {
    const { code, stdout, stderr } = await run('MakePrices', '--json');
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(events.map(({ event }) => event)).toEqual([
      ...['run:start', 'task:start', 'dependency:setup', 'port:rows', 'task:progress', 'port:rows', 'publish', 'task:end', 'run:end'],
      ...['dependency:close', 'result'],
    ]);
    expect(events.find(({ event }) => event === 'port:rows')).toMatchObject({ port: 'raw-prices', rows: 3 });
    expect(events.at(-1)).toMatchObject({
      status: 'succeeded',
      processor: 'MakePrices',
      inputs: { 'raw-prices': { rows: 3, rejected: 1 } },
      outputs: { prices: { rows: 2, rejected: 0 } },
      metrics: { rate: 2 },
    });
    for (const line of stderr.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), message: expect.any(String) });
  });

  it('ends with 1 when the run fails: what, where, no stack, no secret, nothing published', async () => {
    const { code, stdout, stderr } = await run('Fails', '--params', 'key=my-own-secret');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain("error TASK_FAILED: Processor 'Fails' failed: it cannot be done with ***\n  at millrace.config.ts:");
    expect(stderr).not.toMatch(/^ {4}at /m);
    const debugged = await run('Fails', '--params', 'key=my-own-secret', '--debug');
    expect(debugged.stderr).toMatch(/caused by RangeError: it cannot be done with \*\*\*\n {4}at /);
    folder.write({ 'params.json': '{"key": "my-own-secret"}' });
    const bound = await run('Fails', '--params', 'file:params.json', '--debug', '--json');
    expect(JSON.parse(bound.stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      event: 'result',
      processor: 'Fails',
      status: 'failed',
      error: { code: 'TASK_FAILED', message: "Processor 'Fails' failed: it cannot be done with ***" },
    });
    for (const { stdout: all, stderr: log } of [debugged, bound]) expect(all + log).not.toContain('my-own-secret');
    expect((await millrace(folder.path, 'data', '--json')).stdout).toBe('[]\n');
  });

  it('shows debug lines with --debug, and only warnings and errors with --quiet', async () => {
    expect((await run('MakePrices', '--debug')).stderr).toContain('debug a debug line');
    expect(await run('MakePrices', '--quiet')).toMatchObject({ code: 0, stderr: '' });
    expect((await run('Fails', '--quiet')).stderr).toContain('error TASK_FAILED');
  });

  it.each([
    [
      'an unknown processor',
      ['MakePrizes'],
      "error PROCESSOR_UNKNOWN: project 'shop' has no processor 'MakePrizes'. Did you mean 'MakePrices'?",
    ],
    [
      'a definition file',
      ['nightly.yaml'],
      "has no processor 'nightly.yaml'. A definition file is known by the name of its workflow, where `workflows` of defineProject in ",
    ],
    [
      'an unknown port',
      ['MakePrices', '--bind', 'price=x'],
      "error PORT_UNKNOWN: Processor 'MakePrices' has no port 'price'\n  → Did you mean 'prices'?",
    ],
    [
      "a port's property in place of its name",
      ['MakePrices', '--bind', 'raw=x'],
      "has no port 'raw'\n  → Known: 'raw-prices', 'extra', 'prices'.",
    ],
    ['an input that is none', ['Both', '--bind', 'in:defualt=x'], "has no input port 'defualt'\n  → Did you mean 'default'?"],
    ['an output that is none', ['Both', '--bind', 'out:x=x'], "has no output port 'x'"],
    ['a name of two ports', ['Both', '--bind', 'default=x'], '  → Write --bind in:default=… or --bind out:default=….'],
    ['a port bound twice', ['MakePrices', '--bind', 'prices=x', '--bind', 'prices=y'], "port 'prices' is bound twice"],
    ['a binding to nothing', ['MakePrices', '--bind', 'prices=', '--bind', 'prices'], '--bind "prices" binds nothing'],
    [
      'what else is wrong beside it',
      ['MakePrices', '--bind', 'nothing', '--params', 'rate', '--bind', 'prices=x@depott'],
      "store 'depott' is not known\n",
    ],
    ['an unbound port', ['Both'], "error PORT_UNBOUND: Processor 'Both' input port 'default' is not bound\n"],
    ['an unbound port, with the option', ['Both'], '  → Bind it with --bind in:default=… or --bind out:default=….'],
    ['an unknown store', ['MakePrices', '--bind', 'prices=x@depott'], "store 'depott' is not known\n"],
    ['a missing file', ['MakePrices', '--bind', 'raw-prices=file:data/row.csv'], "data/row.csv' cannot be read: it does not exist.\n"],
    ['an unknown parameter', ['MakePrices', '--params', 'rat=1'], "unknown parameter 'rat': Did you mean 'rate'?"],
    ['a parameter of the wrong type', ['MakePrices', '--params', 'rate=much'], 'rate must be a number'],
    ['a parameter without a value', ['MakePrices', '--params', 'rate', '--params', 'code=x'], '--params "rate" gives no value'],
    ['a value without its option', ['MakePrices', '--params', 'rate=1', 'code=x'], "Left over: 'code=x'. An option is written before each"],
    ['the name of a parameter alone', ['MakePrices', '--params', 'rate'], '--params "rate" gives no value\n  → Write --params rate=VALUE;'],
    ['a value without its name', ['MakePrices', '--params', '=3'], '--params "=3" gives no name'],
    [
      'a parameter that is a value and an object',
      ['MakePrices', '--params', 'rate=1', '--params', 'rate.x=1'],
      'it is both a value and an object',
    ],
    ['parameters from two places', ['MakePrices', '--params', 'rate=1', '--bind', 'params=file:p.json'], 'Leave one of them out.'],
    ['parameters for a processor without', ['Both', '--params', 'rate=1'], "Processor 'Both' has no parameters"],
    ['a time that is none', ['Both', '--timeout', 'soon'], "'soon' is not a time"],
    ['a store of no known kind', ['Both', '--store', 'redis://x'], "error STORE_UNKNOWN: no store has URLs like 'redis:…'"],
    ['no name', [], "missing required argument 'name'. See 'millrace run --help'."],
    ['too many names', ['Both', 'Fails'], "too many arguments for 'run'. Left over: 'Fails'."],
    ['an unknown option', ['Both', '--parms', 'x'], "unknown option '--parms'. Did you mean '--params'?"],
  ])('refuses %s with 2, having run nothing', async (_, argv, message) => {
    const { code, stdout, stderr } = await run(...argv);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(folder.at('.millrace'))).toBe(false);
  });

  it('tells every fault of a command line at once', async () => {
    const { stderr } = await run('MakePrices', '--bind', 'a=x', '--bind', 'b=y', '--params', 'c');
    expect(stderr.match(/^error /gm)).toHaveLength(2);
  });

  it('gives up an attempt after --timeout', async () => {
    folder.write({
      'millrace.config.mjs': `import { defineProject, Processor } from 'millrace';
        export class Waits { async run({ signal }) { await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))); } }
        Processor()(Waits);
        export default defineProject({ name: 'slow', processors: [Waits] });`,
    });
    const { code, stderr } = await run('Waits', '--timeout', '20ms', '--config', 'millrace.config.mjs');
    expect(code).toBe(1);
    expect(stderr).toContain("error TASK_TIMEOUT: Processor 'Waits' took longer than 20 ms");
  });
});
