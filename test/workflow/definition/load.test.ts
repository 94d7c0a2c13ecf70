import { collection, createApp, memoryStore, workflow, type App } from 'millrace';
import { turnedClock } from '../../../src/testing/turned-clock.js';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadWorkflow } from '../../../src/workflow/definition/load-workflow.js';
import type { Workflow } from '../../../src/workflow/workflow.js';
import { faultsOf, ImportPrices, NormalisePrices, processors, SumPrices, useFolder } from './support.js';

const folder = useFolder();
const load = (files: Readonly<Record<string, string>>, variables?: Readonly<Record<string, unknown>>): Promise<Workflow> =>
  loadWorkflow(folder.write(files), { processors, ...(variables === undefined ? {} : { variables }) });
const steps = (...lines: readonly string[]): Record<string, string> => ({
  'w.yaml': `name: w\nsteps:\n${lines.map((line) => `  ${line}\n`).join('')}`,
});
const afterOf = ({ steps: all }: Workflow): Record<string, readonly string[]> =>
  Object.fromEntries(all.map(({ name, after }) => [name, after]));
const bindingsOf = async (loaded: Workflow, options = {}): Promise<Record<string, Readonly<Record<string, string>>>> => {
  await using app = await createApp({
    workflows: [loaded],
    stores: { default: memoryStore() },
    log: 'silent',
    clock: turnedClock(new Date('2026-03-01T23:30:00Z')),
  });
  const plan = await app.workflow('w').plan(options);
  return Object.fromEntries(plan.map(({ name, bindings }) => [name, bindings]));
};
const run = async (loaded: Workflow, seed?: (app: App) => Promise<unknown>, options = {}) => {
  await using app = await createApp({ workflows: [loaded], stores: { default: memoryStore() }, log: 'silent' });
  await seed?.(app);
  const result = await app.workflow('w').run(options);
  const rows = async (name: string): Promise<object[]> =>
    app
      .store()
      .find<object>(name, { projection: { _id: 0 } })
      .toArray();
  return {
    result,
    prices: await rows('prices'),
    totals: await rows('totals'),
    statuses: Object.fromEntries(Object.entries(result.steps).map(([name, { status }]) => [name, status])),
  };
};
const raw = (app: App): Promise<number> =>
  app.store().insert('raw', [
    { sku: 'a', amount: 2 },
    { sku: 'b', amount: 3 },
  ]);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a definition', () => {
  const built = workflow('pricing', (w) => {
    const imported = w.step(ImportPrices, { bind: { source: collection('source', { sort: { sku: 1 }, limit: 5 }) } });
    const clean = w.step(NormalisePrices, {
      name: 'clean',
      bind: { raw: imported.output('rows'), params: { base: 'USD' } },
      tags: ['dear'],
      onError: 'skip',
      keep: true,
      timeout: 30_000,
    });
    w.step(SumPrices, { bind: { prices: clean.output('prices') }, after: [imported] });
  });
  const yaml = `
name: pricing
variables: { base: USD }
steps:
  - ImportPrices: { bind: { source: { collection: source, sort: { sku: 1 }, limit: 5 } } }
  - NormalisePrices:
      name: clean
      bind: { raw: { from: ImportPrices.rows } }
      params: { base: "{base}" }
      tags: dear
      onError: skip
      keep: true
      timeout: 30s
  - SumPrices: { bind: { prices: { from: clean.prices } }, depends: ImportPrices }
`;
  const json = JSON.stringify({
    name: 'pricing',
    variables: { base: 'USD' },
    steps: [
      { ImportPrices: { bind: { source: { collection: 'source', sort: { sku: 1 }, limit: 5 } } } },
      {
        NormalisePrices: {
          name: 'clean',
          bind: { raw: { from: 'ImportPrices.rows' } },
          params: { base: '{base}' },
          tags: ['dear'],
          onError: 'skip',
          keep: true,
          timeout: 30_000,
        },
      },
      { SumPrices: { bind: { prices: { from: 'clean.prices' } }, depends: ['ImportPrices'] } },
    ],
  });
  const toml = `
name = "pricing"
variables.base = "USD"

[[steps]]
ImportPrices.bind.source = { collection = "source", sort = { sku = 1 }, limit = 5 }

[[steps]]
[steps.NormalisePrices]
name = "clean"
tags = ["dear"]
onError = "skip"
keep = true
timeout = "30s"
[steps.NormalisePrices.bind]
raw.from = "ImportPrices.rows"
[steps.NormalisePrices.params]
base = "{base}"

[[steps]]
SumPrices = { depends = ["ImportPrices"], bind = { prices = { from = "clean.prices" } } }
`;

  it.each([
    ['YAML', 'pricing.yaml', yaml],
    ['YAML with CRLF and a byte order mark', 'pricing.yml', `\uFEFF${yaml.replaceAll('\n', '\r\n')}`],
    ['JSON', 'pricing.json', json],
    ['TOML', 'pricing.toml', toml],
  ])('in %s is the workflow that TypeScript builds', async (_, name, text) => {
    const loaded = await load({ [name]: text });
    expect(loaded.toJSON()).toEqual(built.toJSON());
    expect(loaded.toMermaid()).toBe(built.toMermaid());
    expect(Object.isFrozen(loaded)).toBe(true);
    await using app = await createApp({ workflows: [loaded], stores: { default: memoryStore() }, log: 'silent' });
    expect(await app.workflow(loaded).plan()).toEqual(await app.workflow(built).plan());
  });

  it('is YAML 1.2 whatever it says, with aliases and plain tags', async () => {
    const loaded = await load({
      'w.yaml':
        '%YAML 1.1\n---\nname: w\nvariables: { a: &a yes, b: 010, c: !!str 5, d: *a }\nsteps:\n  - NormalisePrices: { bind: { raw: raw }, params: { base: "{a}{b}{c}{d}", factor: "{b}" } }\n',
    });
    expect((await bindingsOf(loaded))['NormalisePrices']?.['params']).toBe('{"base":"yes0105yes","factor":10}');
  });

  it('is refused whole where the file is missing, a folder, or of another kind', async () => {
    const path = folder.write({ 'prices.yaml': 'name: x\n', 'prices.ini': 'x' });
    const [missing] = await faultsOf(loadWorkflow(join(dirname(path), 'price.yaml'), { processors }));
    expect(missing).toMatchObject({
      code: 'FILE_UNREADABLE',
      fix: "Did you mean 'prices.yaml'?",
      where: [join(dirname(path), 'price.yaml')],
    });
    const [kind] = await faultsOf(loadWorkflow(join(dirname(path), 'prices.ini'), { processors }));
    expect(kind).toMatchObject({ code: 'DEFINITION_INVALID', message: expect.stringContaining('.yaml, .yml, .json or .toml') });
  });

  it('takes no two processors of one name', async () => {
    const { Twin } = await import('./twin.js');
    await expect(loadWorkflow(folder.write(steps('- ImportPrices')), { processors: [...processors, Twin] })).rejects.toMatchObject({
      code: 'DUPLICATE_NAME',
    });
  });
});

describe('the order of a definition', () => {
  it('is that of the file, but for depends and links', async () => {
    const idle = '{ bind: { incoming-rows: a, "out:data": OUT } }';
    const named = (name: string, more = ''): string =>
      `- Rename: { name: ${name}, ${more} bind: { incoming-rows: raw, "out:data": ${name} } }`;
    expect(idle).toContain('OUT');
    const loaded = await load(
      steps(
        named('a'),
        named('b'),
        named('c', 'depends: [],'),
        named('d', 'depends: a,'),
        named('e'),
        '- Rename: { name: f, bind: { incoming-rows: { from: a.data }, "out:data": f } }',
      ),
    );
    expect(afterOf(loaded)).toEqual({ a: [], b: ['a'], c: [], d: ['a'], e: ['d'], f: ['a'] });
  });

  it('links a plain list by itself', async () => {
    const loaded = await load(steps('- ImportPrices: { bind: { source: raw } }', '- NormalisePrices', '- SumPrices'));
    const { totals } = await run(loaded, raw);
    expect(totals).toEqual([{ name: 'all', euros: 10 }]);
    expect(afterOf(loaded)).toEqual({ ImportPrices: [], NormalisePrices: ['ImportPrices'], SumPrices: ['NormalisePrices'] });
  });

  it('takes the result of the step that it depends on, where that is one', async () => {
    const loaded = await load(
      steps(
        '- ImportPrices: { bind: { source: raw } }',
        '- command: { command: "true" }',
        '- NormalisePrices: { depends: [ImportPrices] }',
      ),
    );
    expect(afterOf(loaded)).toEqual({ ImportPrices: [], command: ['ImportPrices'], NormalisePrices: ['ImportPrices'] });
    const faults = await faultsOf(load(steps('- ImportPrices: { bind: { source: raw, rows: x } }', '- NormalisePrices: { depends: [] }')));
    expect(faults.map(({ code }) => code)).toEqual(['PORT_UNBOUND']);
  });

  it('keeps a group together, and lets its steps find each other', async () => {
    const rename = (name: string, more = ''): string =>
      `{ Rename: { name: ${name}, ${more} bind: { incoming-rows: raw, "out:data": ${name} } } }`;
    const loaded = await load(
      steps(
        `- ${rename('a')}`,
        `- group: { name: g, onError: skip, tags: [t], steps: [${rename('b')}, ${rename('c', 'depends: b,')}, ${rename('d', 'depends: b, onError: stop,')}] }`,
        `- ${rename('e')}`,
        `- ${rename('f', 'depends: [g],')}`,
        `- ${rename('h', 'depends: [g/b],')}`,
      ),
    );
    expect(afterOf(loaded)).toEqual({
      a: [],
      'g/b': ['a'],
      'g/c': ['g/b'],
      'g/d': ['g/b'],
      e: ['g/c', 'g/d'],
      f: ['g/c', 'g/d'],
      h: ['g/b'],
    });
    expect(loaded.toJSON()).toMatchObject({
      steps: [{}, { onError: 'skip', tags: ['t'] }, { onError: 'skip' }, { onError: 'stop' }, {}, {}, {}],
    });
  });

  it('puts a workflow within in its place, with its own folder, variables and time zone', async () => {
    const loaded = await load({
      'w.yaml':
        'name: w\nvariables: { base: EUR, name: mine }\nsteps:\n  - ImportPrices: { bind: { source: "file:{name}.csv", rows: raw } }\n  - workflow: { name: in, path: inner/inner.yaml, variables: { base: "{base}!" }, bind: { SumPrices: { totals: "{name}" } } }\n  - command: { command: "true" }\n',
      'inner/inner.yaml':
        'name: inner\ntimezone: Asia/Tokyo\nvariables: { base: X, day: "{today}" }\nsteps:\n  - NormalisePrices: { bind: { raw: "file:{day}.csv" }, params: { base: "{base}" } }\n  - SumPrices\n',
      'mine.csv': 'sku,amount\n',
      'inner/2026-03-02.csv': 'sku,amount\n',
    });
    expect(afterOf(loaded)).toEqual({
      ImportPrices: [],
      'in/NormalisePrices': ['ImportPrices'],
      'in/SumPrices': ['in/NormalisePrices'],
      command: ['in/SumPrices'],
    });
    expect(await bindingsOf(loaded)).toMatchObject({
      ImportPrices: { source: 'file:mine.csv' },
      'in/NormalisePrices': { raw: 'file:2026-03-02.csv', params: '{"base":"EUR!"}' },
      'in/SumPrices': { totals: 'mine' },
    });
  });
});

describe('bindings of a definition', () => {
  it('go by the names of ports, and by side where there are two', async () => {
    const loaded = await load(steps('- Rename: { bind: { incoming-rows: raw, "in:data": more, "out:data": prices } }'));
    expect(await bindingsOf(loaded)).toEqual({ Rename: { from: 'raw', more: 'more', to: 'prices' } });
  });

  it('find files beside the definition', async () => {
    const loaded = await load({
      ...steps(
        '- ImportPrices: { bind: { source: "file:data/raw.csv", rows: { file: out/raw.json } } }',
        '- NormalisePrices: { bind: { raw: { file: data/raw.txt, format: csv } } }',
      ),
      'data/raw.csv': 'sku,amount\na,1\n',
      'data/raw.txt': 'sku,amount\nb,2\n',
    });
    const { prices } = await run(loaded);
    expect(prices).toEqual([{ sku: 'bEUR', euros: 4 }]);
  });

  it('may be rows, one row, or a narrowed collection', async () => {
    const loaded = await load(
      steps(
        '- NormalisePrices: { bind: { raw: [{ sku: 007, amount: 1 }, { sku: b, amount: "2" }] } }',
        '- NormalisePrices: { name: one, depends: [], bind: { raw: { sku: c, amount: 5 }, prices: one } }',
        '- NormalisePrices: { name: few, depends: [], bind: { raw: { collection: raw, filter: { amount: { $gt: 2 } } }, prices: { collection: few, mode: append } } }',
      ),
    );
    const { prices, result } = await run(loaded, raw);
    expect(prices).toEqual([
      { sku: '007EUR', euros: 2 },
      { sku: 'bEUR', euros: 4 },
    ]);
    expect([result.steps['one'], result.steps['few']].map((step) => step?.result?.outputs['prices']?.rows)).toEqual([1, 1]);
  });

  it('give parameters the types of their class', async () => {
    vi.stubEnv('FACTOR', '3');
    const loaded = await load(
      steps('- NormalisePrices: { bind: { raw: raw }, params: { base: 1.10, factor: "{env:FACTOR}", since: 2026-05-01, strict: "true" } }'),
    );
    const { prices } = await run(loaded, raw);
    expect(prices[0]).toEqual({ sku: 'a1.10', euros: 6 });
    const dated = await load({
      'w.toml':
        'name = "w"\n[[steps]]\n[steps.NormalisePrices]\nbind.raw = "raw"\nparams.since = 2026-05-01T00:00:00Z\nparams.base = "{{x}}"\n',
    });
    expect((await run(dated, raw)).prices[0]).toEqual({ sku: 'a{x}', euros: 4 });
  });

  it('read parameters from a file', async () => {
    const loaded = await load({
      ...steps('- NormalisePrices: { bind: { raw: raw }, params: "file:params.json" }'),
      'params.json': '{ "base": "CHF" }',
    });
    expect((await run(loaded, raw)).prices[0]).toEqual({ sku: 'aCHF', euros: 4 });
  });
});

describe('variables of a definition', () => {
  const text = {
    'w.yaml':
      'name: w\nvariables: { base: FILE, factor: 2, list: [1], text: "{base}-{factor}" }\nsteps:\n  - NormalisePrices: { bind: { raw: raw }, params: { base: "{text}", factor: "{factor}" } }\n',
  };

  it('are those of the run, then of the loader, then of the file', async () => {
    const base = async (loaded: Workflow, options = {}): Promise<unknown> => (await run(loaded, raw, options)).prices[0];
    expect(await base(await load(text))).toEqual({ sku: 'aFILE-2', euros: 4 });
    expect(await base(await load(text, { base: 'LOADER' }))).toEqual({ sku: 'aLOADER-2', euros: 4 });
    const loaded = await load(text, { base: 'LOADER', factor: 5 });
    expect(await base(loaded, { variables: { base: 'RUN' } })).toEqual({ sku: 'aRUN-5', euros: 10 });
    expect(await base(loaded)).toEqual({ sku: 'aLOADER-5', euros: 10 });
  });

  it('are checked again for each run', async () => {
    await expect(run(await load(text), raw, { variables: { factor: 'many' } })).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });

  it('stand for what they are: braces in a value mean nothing', async () => {
    expect((await run(await load(text, { base: '{factor}' }), raw)).prices[0]).toEqual({ sku: 'a{factor}-2', euros: 4 });
  });

  it('know days in the time zone of the file', async () => {
    const binding = (zone: string): Record<string, string> => ({
      'w.yaml': `name: w\ntimezone: ${zone}\nsteps:\n  - ImportPrices: { bind: { source: "a-{today}-{yesterday:EEE d.M.yy}-{today:HH:mm}", rows: "b-{now}" } }\n`,
    });
    expect(await bindingsOf(await load(binding('UTC')))).toEqual({
      ImportPrices: { source: 'a-2026-03-01-Sat 28.2.26-00:00', rows: 'b-2026-03-01T23:30:00.000Z' },
    });
    expect(await bindingsOf(await load(binding('Asia/Tokyo')))).toEqual({
      ImportPrices: { source: 'a-2026-03-02-Sun 1.3.26-00:00', rows: 'b-2026-03-02T08:30:00.000+09:00' },
    });
    expect(await bindingsOf(await load(binding('America/New_York')))).toEqual({
      ImportPrices: { source: 'a-2026-03-01-Sat 28.2.26-00:00', rows: 'b-2026-03-01T18:30:00.000-05:00' },
    });
  });

  it.each([
    ["{now:yyyy-MM-dd'T'HH:mm:ssZ}", '2026-03-02T08:30:00+0900'],
    ["{now:HH:mm ZZZZ ZZZZZ VV 'Z'}", '08:30 GMT+09:00 +09:00 Asia/Tokyo Z'],
    ["{today:YYYY-'W'ww}", '2026-W10'],
  ])('writes %s', async (text, expected) => {
    const loaded = await load({
      'w.yaml': `name: w\ntimezone: Asia/Tokyo\nsteps:\n  - ImportPrices: { bind: { source: "${text}", rows: b } }\n`,
    });
    expect(await bindingsOf(loaded)).toEqual({ ImportPrices: { source: expected, rows: 'b' } });
  });

  it('keep their types alone, and are written out within a text', async () => {
    const typed = {
      'w.yaml':
        'name: w\nvariables: { factor: 3, base: "007", since: 2026-05-01, strict: true, amount: 1.50 }\nsteps:\n  - NormalisePrices: { bind: { raw: raw }, params: { factor: "{factor}", base: "{base}/{amount}", since: "{since}", strict: "{strict}" } }\n',
    };
    expect((await bindingsOf(await load(typed)))['NormalisePrices']?.['params']).toBe(
      '{"factor":3,"base":"007/1.50","since":"2026-05-01T00:00:00.000Z","strict":true}',
    );
    const given = { since: new Date('2026-06-01T00:00:00Z'), base: undefined, amount: 2n };
    expect((await bindingsOf(await load(typed, given)))['NormalisePrices']?.['params']).toBe(
      '{"factor":3,"base":"007/2","since":"2026-06-01T00:00:00.000Z","strict":true}',
    );
  });

  it.each([
    ['the night when clocks go forward', '2026-03-29T01:00:00Z', '2026-03-29T03:00:00.000+02:00|2026-03-29|2026-03-28'],
    ['a day of 23 hours', '2026-03-29T22:10:00Z', '2026-03-30T00:10:00.000+02:00|2026-03-30|2026-03-29'],
    ['the hour that is there twice', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00.000+01:00|2026-10-25|2026-10-24'],
  ])('know %s', async (_, now, expected) => {
    const loaded = await load({
      'w.yaml':
        'name: w\ntimezone: Europe/Berlin\nsteps:\n  - Rename: { bind: { incoming-rows: "{now}|{today}|{yesterday}", "out:data": x } }\n',
    });
    await using app = await createApp({
      workflows: [loaded],
      stores: { default: memoryStore() },
      log: 'silent',
      clock: turnedClock(new Date(now)),
    });
    expect((await app.workflow('w').plan())[0]?.bindings['from']).toBe(expected);
  });

  it('decide whether a step runs', async () => {
    const conditional = await load({
      'w.yaml':
        'name: w\nvariables: { mode: full, limit: 3 }\nsteps:\n  - ImportPrices: { bind: { source: raw, rows: copied }, when: { variable: mode, in: [full, part] } }\n  - NormalisePrices: { bind: { raw: raw }, when: [{ variable: mode, is: full }, { variable: limit, above: 2, below: 4 }] }\n  - SumPrices: { bind: { prices: prices }, conditions: { mode: full } }\n',
    });
    expect((await run(conditional, raw)).statuses).toEqual({
      ImportPrices: 'succeeded',
      NormalisePrices: 'succeeded',
      SumPrices: 'succeeded',
    });
    expect((await run(conditional, raw, { variables: { mode: 'part' } })).statuses).toEqual({
      ImportPrices: 'succeeded',
      NormalisePrices: 'skipped',
      SumPrices: 'skipped',
    });
  });

  it('leave rows to decide, too', async () => {
    const counted = await load(
      steps(
        '- ImportPrices: { bind: { source: raw } }',
        '- NormalisePrices: { bind: { raw: { from: ImportPrices.rows } }, when: { rows: ImportPrices.rows } }',
        '- SumPrices: { bind: { prices: { from: NormalisePrices.prices } }, when: { rows: ImportPrices.rows, above: 2 } }',
      ),
    );
    expect((await run(counted, raw)).statuses).toEqual({ ImportPrices: 'succeeded', NormalisePrices: 'succeeded', SumPrices: 'skipped' });
    expect((await run(counted, (app) => app.store().insert('raw', []))).statuses).toEqual({
      ImportPrices: 'succeeded',
      NormalisePrices: 'skipped',
      SumPrices: 'skipped',
    });
  });
});

describe('a run that goes on with another', () => {
  it('has the dates of the first, also on the next day', async () => {
    const clock = turnedClock(new Date('2026-03-01T23:30:00Z'));
    const loaded = await load({
      'w.yaml':
        'name: w\nvariables: { fail: true }\nsteps:\n  - ImportPrices: { bind: { source: raw, rows: "rows-{today}" } }\n  - command: { command: "{fail}", bind: { lines: "lines-{today}" } }\n',
    });
    await using app = await createApp({ workflows: [loaded], stores: { default: memoryStore() }, log: 'silent', clock });
    await raw(app);
    await expect(app.workflow('w').run({ variables: { fail: 'false' } })).rejects.toMatchObject({ code: 'WORKFLOW_FAILED' });
    await clock.turn(86_400_000);
    const { steps: ended } = await app.workflow('w').resume(undefined, { variables: { fail: 'true' } });
    expect([ended['ImportPrices']?.status, ended['command']?.status]).toEqual(['reused', 'succeeded']);
    expect((await app.store().collections()).filter((name) => name !== 'raw')).toEqual(['lines-2026-03-01', 'rows-2026-03-01']);
  });

  it('has the variables of the first, but for secrets, which are given again', async () => {
    const loaded = await load({
      'w.yaml':
        'name: w\nvariables: { base: FILE, token: none, inner: none, command: "true" }\nsteps:\n  - NormalisePrices: { bind: { raw: raw }, params: { base: "{base}", token: "{token}" } }\n  - workflow: { path: inner.yaml, variables: { key: "x{inner}" } }\n  - command: { command: "{command}" }\n',
      'inner.yaml': 'name: in\nvariables: { key: none }\nsteps:\n  - command: { command: "true", env: { KEY: "{key}" } }\n',
    });
    await using app = await createApp({ workflows: [loaded], stores: { default: memoryStore() }, log: 'silent' });
    await raw(app);
    const workflow = app.workflow('w');
    const given = { base: 'RUN', token: 's3cret', inner: 'hush' };
    await expect(workflow.run({ variables: { ...given, command: 'false' } })).rejects.toMatchObject({ code: 'WORKFLOW_FAILED' });
    const kept = await app.store().find('_millrace_unfinished').toArray();
    expect(JSON.stringify(kept)).toContain('RUN');
    expect(JSON.stringify(kept)).not.toMatch(/s3cret|hush/);
    await expect(workflow.resume()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/had the variables 'token', 'inner', which no record keeps .*: give them again/) as string,
    });
    const again = { token: 's3cret', inner: 'hush' };
    expect((await workflow.planResume(undefined, { variables: again })).map(({ name, runs }) => [name, runs])).toEqual([
      ['NormalisePrices', false],
      ['in/command', false],
      ['command', true],
    ]);
    await expect(workflow.resume(undefined, { variables: again })).rejects.toMatchObject({ code: 'WORKFLOW_FAILED' });
    const { steps: ended } = await workflow.resume(undefined, { variables: { ...again, command: 'true' } });
    expect(Object.values(ended).map(({ status }) => status)).toEqual(['reused', 'reused', 'succeeded']);
    expect(
      await app
        .store()
        .find('prices', { filter: { sku: 'aRUN' } })
        .toArray(),
    ).toHaveLength(1);
  });
});

describe('shapes of flowtask', () => {
  it('are understood where they mean the same', async () => {
    const loaded = await load(
      steps(
        '- ImportPrices: { bind: { source: raw }, skipError: skip, to_group: G }',
        '- command: { name: tell, command: "true", depends: [ImportPrices_1] }',
        '- NormalisePrices: { Group: G, skipError: enforce, depends: ImportPrices_1 }',
        '- SumPrices: { Group: G, skipError: log }',
        '- command: { name: last, command: "true", depends: [2] }',
      ),
    );
    expect(afterOf(loaded)).toEqual({
      ImportPrices: [],
      'G/NormalisePrices': ['ImportPrices'],
      'G/SumPrices': ['G/NormalisePrices'],
      tell: ['ImportPrices'],
      last: ['tell'],
    });
    expect(loaded.toJSON()).toMatchObject({ steps: [{ onError: 'skip' }, { onError: 'stop' }, { onError: 'skip' }, {}, {}] });
  });
});

describe('groups of flowtask', () => {
  it('may begin groups within them', async () => {
    const loaded = await load(
      steps(
        '- command: { name: a, command: ls, to_group: G }',
        '- command: { name: b, command: ls, Group: G, to_group: H }',
        '- command: { name: c, command: ls, Group: H }',
        '- command: { name: d, command: ls, Group: G }',
        '- command: { name: e, command: ls }',
      ),
    );
    expect(afterOf(loaded)).toEqual({ a: [], 'G/b': ['a'], 'G/H/c': ['G/b'], 'G/d': ['G/H/c'], e: ['G/H/c', 'G/d'] });
  });
});

describe('a command of a definition', () => {
  it('runs beside the file, and gives its lines', async () => {
    const path = folder.write({
      'w.yaml':
        'name: w\nvariables: { who: me }\nsteps:\n  - command: { command: sh, args: [-c, "cat data.txt; echo $NAME {who}", 5], env: { NAME: 1 }, bind: { lines: prices } }\n',
    });
    writeFileSync(join(dirname(path), 'data.txt'), 'hello\n');
    const { prices } = await run(await loadWorkflow(path, { processors }));
    expect(prices).toEqual([{ line: 'hello' }, { line: '1 me' }]);
  });
});
