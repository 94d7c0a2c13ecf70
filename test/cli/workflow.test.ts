import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { picocolorsOff } from './workflow-colors.js';
import { StepsState } from '../../src/cli/live-view.js';
import { Folder, millrace, type Ended } from './kit.js';

const mill: Readonly<Record<string, string>> = {
  'tsconfig.json': '{ "compilerOptions": { "target": "es2022", "experimentalDecorators": true, "emitDecoratorMetadata": true } }',
  'data/raw.csv': 'sku,amount\na,2\nb,3\n',
  'pricing.yaml': `name: pricing
title: All prices
variables: { rate: 3, fail: false }
steps:
  - ImportPrices: { bind: { source: file:data/raw.csv, rows: raw } }
  - MakePrices: { bind: { raw: { from: ImportPrices.rows } }, params: { rate: "{rate}", fail: "{fail}" } }
  - CountPrices: { name: count, tags: [late] }
`,
  'millrace.config.ts': `
import { IsBoolean, IsNumber, IsString } from 'class-validator';
import { defineProject, Input, Output, Params, Processor, workflow, type Reader, type Writer } from 'millrace';
class Raw { @IsString() sku!: string; @IsNumber() amount!: number }
class Price { @IsString() sku!: string; @IsNumber() euros!: number }
class MakeParams { @IsNumber() rate = 2; @IsBoolean() fail = false }
@Processor({ tags: ['daily'] }) export class ImportPrices {
  @Input({ schema: Raw }) readonly source!: Reader<Raw>;
  @Output({ schema: Raw }) readonly rows!: Writer<Raw>;
  async run(): Promise<void> { await this.rows.write(this.source); }
}
@Processor() export class MakePrices {
  @Params({ schema: MakeParams }) readonly params!: MakeParams;
  @Input({ name: 'raw', schema: Raw }) readonly from!: Reader<Raw>;
  @Output({ schema: Price, binding: 'prices' }) readonly prices!: Writer<Price>;
  async run(): Promise<void> {
    for await (const { sku, amount } of this.from) await this.prices.write({ sku, euros: amount * this.params.rate });
    if (this.params.fail) throw new Error('it was told to fail');
  }
}
@Processor() export class CountPrices {
  @Input({ schema: Price }) readonly prices!: Reader<Price>;
  @Output({ binding: 'counts' }) readonly counts!: Writer<any>;
  async run(): Promise<void> { await this.counts.write({ count: await this.prices.count() }); }
}
const inline = workflow('inline', (w) => void w.step(ImportPrices, { bind: { source: [{ sku: 'a', amount: 1 }], rows: 'inline_rows' } }));
export default defineProject({ name: 'mill', processors: [ImportPrices, MakePrices, CountPrices], workflows: [inline, 'pricing.yaml'] });
`,
};

const folders: Folder[] = [];
let folder: Folder;
beforeEach(() => {
  folder = new Folder().write(mill);
  folders.push(folder);
});
afterAll(() => {
  for (const one of folders) one.remove();
});
const cli = (...argv: readonly string[]): Promise<Ended> => millrace(folder.path, ...argv);
const rows = async (collection: string): Promise<object[]> =>
  (JSON.parse((await cli('data', collection, '--json')).stdout) as { _id?: unknown }[]).map(({ _id, ...row }) => row);
const stepsOf = ({ stdout }: Ended): Record<string, string> => {
  const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { readonly steps: Record<string, { readonly status: string }> };
  return Object.fromEntries(Object.entries(last.steps).map(([name, { status }]) => [name, status]));
};

describe('millrace with workflows', () => {
  it('runs one from a file or from TypeScript, and tells how each step went', async () => {
    const { code, stdout, stderr } = await cli('run', 'pricing');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('MakePrices  raw ← ImportPrices.rows') });
    expect(stdout).toMatch(
      /^pricing succeeded in .* {2}run [0-9a-f]{24}\n {2}ImportPrices {2}succeeded {2}2 → 2 rows {2}.*\n {2}MakePrices {4}succeeded .*\n {2}count {9}succeeded {2}0 → 1 rows .*\n$/,
    );
    expect(await rows('prices')).toEqual([
      { sku: 'a', euros: 6 },
      { sku: 'b', euros: 9 },
    ]);
    expect(await cli('run', 'inline')).toMatchObject({ code: 0 });
    expect((await cli('runs')).stdout).toMatch(/inline +succeeded[^]*pricing +succeeded/);
    const [run] = JSON.parse((await cli('runs', '--json')).stdout) as { readonly _id: string }[];
    expect((await cli('runs', run?._id ?? '')).stdout).toContain('inline succeeded');
  });

  it('takes variables, bindings of steps, and slices', async () => {
    folder.write({ 'may.csv': 'sku,amount\nm,1\n' });
    expect(
      await cli(
        'run',
        'pricing',
        '--variables',
        'rate=10',
        '--bind',
        'ImportPrices.source=file:may.csv',
        '-b',
        'MakePrices.prices=may',
        '--ignore',
        'count',
        '--concurrency',
        '1',
        '--json',
      ),
    ).toMatchObject({ code: 0 });
    expect(await rows('may')).toEqual([{ sku: 'm', euros: 10 }]);
    expect(stepsOf(await cli('run', 'pricing', '--tags', 'daily,late', '--only', 'ImportPrices', '--json'))).toEqual({
      ImportPrices: 'succeeded',
      MakePrices: 'skipped',
      count: 'skipped',
    });
  });

  it('plans, fails, and goes on where it stopped', async () => {
    expect(await cli('run', 'pricing', '--plan', '--to', 'MakePrices')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/▶ ImportPrices {2}runs: selected[^]*· count +does not run: not selected/),
    });
    const failed = await cli('run', 'pricing', '--variables', 'fail=true');
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /error WORKFLOW_FAILED: Workflow 'pricing' failed in step 'MakePrices': .*\n {2}at millrace\.config\.ts:18\n$/,
      ),
    });
    expect(failed.stdout).toMatch(/pricing failed in[^]*MakePrices +failed/);
    const plan = JSON.parse((await cli('run', 'pricing', '--resume', '--plan', '--json')).stdout) as {
      readonly name: string;
      readonly runs: boolean;
    }[];
    expect(plan.map(({ name, runs }) => [name, runs])).toEqual([
      ['ImportPrices', false],
      ['MakePrices', true],
      ['count', true],
    ]);
    expect((await cli('run', 'pricing', '--resume')).stderr).toContain('it was told to fail'); // as the run that it goes on with was
    expect(stepsOf(await cli('run', 'pricing', '--resume', '--variables', 'fail=false', '--json'))).toEqual({
      ImportPrices: 'reused',
      MakePrices: 'succeeded',
      count: 'succeeded',
    });
    expect(await cli('run', 'pricing', '--resume')).toMatchObject({ code: 2, stderr: expect.stringContaining('RUN_UNKNOWN') });
  });

  it('lists, shows and draws them', async () => {
    expect((await cli('list')).stdout).toMatch(
      /WORKFLOW +TITLE +STEPS\ninline +ImportPrices\npricing +All prices +ImportPrices, MakePrices, count\n$/,
    );
    expect((await cli('show', 'pricing')).stdout).toMatch(
      /^pricing {2}All prices\nvariables rate, fail\n\nSteps\n[^]*MakePrices {2}after ImportPrices {2}pricing.yaml:6:5\n {4}raw ← ImportPrices.rows\n/,
    );
    expect((await cli('graph', 'pricing')).stdout).toMatch(/^flowchart LR\n[^]*-->\|"rows"\| s1/);
    expect(JSON.parse((await cli('graph', 'pricing', '--json')).stdout)).toMatchObject({
      name: 'pricing',
      edges: [{ from: 'ImportPrices', to: 'MakePrices' }, {}],
    });
    expect(JSON.parse((await cli('list', '--json')).stdout)).toMatchObject({
      workflows: [{ name: 'inline' }, { name: 'pricing', steps: [{}, {}, { name: 'count', tags: ['late'] }] }],
    });
  });

  it('checks definition files, those of the project and any other', async () => {
    expect(await cli('check')).toEqual({
      code: 0,
      stderr: '',
      stdout: "Project 'mill' has no faults: 3 processors and 2 workflows checked.\n",
    });
    expect(await cli('check', 'pricing.yaml')).toMatchObject({
      code: 0,
      stdout: "pricing.yaml has no faults: workflow 'pricing' of 3 steps.\n",
    });
    folder.write({ 'other.yaml': 'name: other\nsteps:\n  - ImportPrice: { bind: { source: "{nothing}" } }\n' });
    const checked = await cli('check', 'other.yaml');
    expect(checked).toMatchObject({ code: 2, stderr: '2 faults in other.yaml.\n' });
    expect(checked.stdout).toContain(
      "error PROCESSOR_UNKNOWN: no processor is named 'ImportPrice'\n  at other.yaml:3:5\n  → Did you mean 'ImportPrices'?\n",
    );
    expect(JSON.parse((await cli('check', 'other.yaml', '--json')).stdout)).toMatchObject({
      file: 'other.yaml',
      faults: [{ code: 'PROCESSOR_UNKNOWN', where: ['other.yaml:3:5'] }, { code: 'DEFINITION_INVALID' }],
    });
    folder.write({ 'pricing.yaml': 'name: pricing\nsteps:\n  - ImportPrices: { bind: { source: a@depot, rows: b } }\n' });
    expect(await cli('check', 'pricing.yaml')).toMatchObject({ code: 2, stdout: expect.stringContaining('STORE_UNKNOWN') });
    expect(await cli('check')).toMatchObject({ code: 2, stdout: expect.stringContaining('STORE_UNKNOWN') });
    folder.write({ 'pricing.yaml': 'name: pricing\n' });
    expect(await cli('check')).toMatchObject({ code: 2, stdout: expect.stringContaining('pricing.yaml:1:1') });
    expect(await cli('run', 'inline')).toMatchObject({ code: 2, stderr: expect.stringContaining('pricing.yaml:1:1') });
  });

  it('checks that the workflows are there which actions run', async () => {
    const steps = 'steps:\n  - ImportPrices: { bind: { source: file:data/raw.csv, rows: raw } }\n';
    folder.write({
      'pricing.yaml': `name: pricing\n${steps}events:\n  succeeded: [ { run: pricing }, { run: inlin } ]\n  failed:\n    - run: { workflow: inline }\n    - run:\n        workflow: missing\n`,
    });
    const checked = await cli('check');
    expect(checked).toMatchObject({ code: 2, stderr: "2 faults in project 'mill'.\n" });
    expect(checked.stdout).toBe(
      "error WORKFLOW_UNKNOWN: an action of workflow 'pricing' runs workflow 'inlin', which the project does not have\n  at pricing.yaml:5:41\n  → Did you mean 'inline'? Or list it under `workflows` of defineProject.\n" +
        "error WORKFLOW_UNKNOWN: an action of workflow 'pricing' runs workflow 'missing', which the project does not have\n  at pricing.yaml:9:19\n  → Known: 'inline', 'pricing'. Or list it under `workflows` of defineProject.\n",
    );
    expect(await cli('check', 'pricing.yaml')).toMatchObject({ code: 2, stderr: '2 faults in pricing.yaml.\n' });
    folder.write({ 'own.yaml': `name: own\n${steps}events: { failed: [ { run: own }, { run: inline } ] }\n` });
    expect(await cli('check', 'own.yaml')).toMatchObject({ code: 0 });
  });

  it('prints the schema of definition files, with what the project has', async () => {
    const own = JSON.parse((await cli('schema')).stdout) as {
      readonly definitions: { readonly step: { readonly anyOf: readonly object[] } };
    };
    expect(own.definitions.step.anyOf[0]).toEqual({ enum: ['ImportPrices', 'MakePrices', 'CountPrices'] });
    expect(JSON.parse((await cli('schema', '--general')).stdout)).toMatchObject({ $id: 'urn:millrace:workflow' });
  });

  it.each([
    [['run', 'princing'], "Did you mean 'pricing'?"],
    [['run', 'pricing', '--from', 'cont'], "Did you mean 'count'?"],
    [['run', 'pricing', '--bind', 'cont.prices=x'], "Did you mean 'count'?"],
    [['run', 'pricing', '--bind', 'prices=x'], 'STEP.PORT'],
    [['run', 'pricing', '--bind', 'count.price=x'], "Did you mean 'prices'?"],
    [['run', 'pricing', '--bind', 'cont.prices=x', '--bind', 'count.price=x'], "Did you mean 'prices'?"],
    [['run', 'pricing', '--variables', 'rate'], 'name=value'],
    [['run', 'pricing', '--variables', 'rate=many'], 'PARAMS_INVALID'],
    [['run', 'pricing', '--variables', 'rat=3'], "has no variable 'rat'. Did you mean 'rate'?"],
    [['run', 'pricing', '--params', 'a=1'], '--variables'],
    [['run', 'pricing', '--concurrency', '0'], 'from 1'],
    [['run', 'pricing', '--on-failure', 'go'], 'finish-branches'],
    [['run', 'MakePrices', '--plan'], 'is for workflows'],
    [['show', 'princing'], "Did you mean 'pricing'?"],
  ])('refuses %j', async (argv, says) => {
    const { code, stderr } = await cli(...argv);
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
    expect(stderr).not.toMatch(/\n +at .*\(/);
  });
});

describe('the live view of steps', () => {
  it('tells state, rows, rate, share and time of each step, within the terminal', () => {
    let now = 0;
    const state = new StepsState(['one', 'two', 'three', 'four', 'five'], () => now);
    state.start('one');
    state.setRows('one', 'rows', 2000);
    state.setProgress('one', 1, 4);
    now = 2000;
    state.end('two', 'skipped');
    state.start('three');
    state.setRows('three', 'a', 5);
    now = 3000;
    state.end('three', 'succeeded');
    expect(state.lines(80, 24, picocolorsOff)).toEqual([
      '▶ one    running    2,000 rows  667/s  25 %  3.0 s',
      '– two    skipped',
      '✔ three  succeeded  5 rows  1.0 s',
      '· four   waiting',
      '· five   waiting',
      '2 of 5 steps',
    ]);
    state.start('four');
    state.setTotal('four', 'a', 200);
    state.setTotal('four', 'b', 1000);
    state.setRows('four', 'b', 250);
    expect(state.lines(80, 24, picocolorsOff)[3]).toBe('▶ four   running    250 rows  25 %');
    now = 4000;
    state.end('four', 'reused');
    expect(state.lines(20, 4, picocolorsOff)).toEqual(['▶ one   running    …', '↻ four  reused     …', '3 of 5 steps, 3 not…']);
    const long = new StepsState(['a-rather-long-name-1', 'a-rather-long-name-2'], () => now);
    expect(long.lines(24, 24, picocolorsOff)).toEqual(['· a-rat…name-1  waiting', '· a-rat…name-2  waiting', '0 of 2 steps']);
    for (const width of [1, 5, 10, 30])
      for (const line of state.lines(width, 10, picocolorsOff)) expect(line.length).toBeLessThanOrEqual(Math.max(width, 2));
  });
});
