import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { existsSync } from 'node:fs';
import { Folder, millrace, shop } from './kit.js';

let folder: Folder;
beforeAll(() => {
  folder = new Folder().write(shop);
});
afterAll(() => folder.remove());

const json = async (...argv: readonly string[]): Promise<unknown> => JSON.parse((await millrace(folder.path, ...argv, '--json')).stdout);

describe('millrace list', () => {
  it('names the processors, with their titles and ports', async () => {
    const { code, stdout, stderr } = await millrace(folder.path, 'list');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'shop  A shop\n' });
    expect(stdout).toBe(
      [
        'PROCESSOR   TITLE  INPUTS                                 OUTPUTS',
        'MakePrices  Price  raw-prices = file:data/raw.csv, extra  prices',
        'Fails                                                     out = failed',
        'Both               default                                default',
        '',
      ].join('\n'),
    );
  });

  it('is one value with --json', async () => {
    expect(await json('list')).toMatchObject({
      name: 'shop',
      title: 'A shop',
      config: folder.at('millrace.config.ts'),
      processors: [
        {
          name: 'MakePrices',
          tags: ['daily'],
          inputs: [
            { name: 'raw-prices', binding: 'file:data/raw.csv' },
            { name: 'extra', optional: true },
          ],
        },
        { name: 'Fails' },
        { name: 'Both' },
      ],
    });
  });

  it('says so where there are none', async () => {
    folder.write({
      'empty/millrace.config.mjs': `import { defineProject } from 'millrace'; export default defineProject({ name: 'empty' });`,
    });
    const { code, stdout, stderr } = await millrace(folder.at('empty'), 'list');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain("Project 'empty' has no processors yet");
  });
});

describe('millrace show', () => {
  it('tells ports, schemas with their rules, defaults without secrets, and dependencies', async () => {
    const { code, stdout } = await millrace(folder.path, 'show', 'MakePrices');
    expect(code).toBe(0);
    expect(stdout).toBe(`MakePrices  Price  Every price in euros.
millrace.config.ts:16  tags daily  time-out 1 m 0 s  1 attempt

Parameters
  params  PriceParams
    rate     number  = 2          isNumber
    code     string               isString, optional
    key      string  = "***"      isString, secret
    factors          = {"tax":1}  optional

Inputs
  raw-prices ← file:data/raw.csv  Raw  Raw  onInvalid reject  rejects refused
    sku     string  isString
    amount  number  isNumber, min 0
  extra ← nothing  optional  readOnly  rereads

Outputs
  prices → prices  Price  mode upsert  key sku
    sku    string  isString
    euros  number  isNumber

Dependencies
  rates  WORKER  rates
`);
  });

  it('is one value with --json', async () => {
    const facts = await json('show', 'MakePrices');
    expect(facts).toMatchObject({
      name: 'MakePrices',
      timeout: 60000,
      params: {
        schema: 'PriceParams',
        properties: [
          { name: 'rate', default: 2 },
          { name: 'code', optional: true },
          { name: 'key', secret: true, default: '***' },
          { name: 'factors' },
        ],
      },
      inputs: [
        { name: 'raw-prices', property: 'raw', binding: 'file:data/raw.csv', options: ['onInvalid reject', 'rejects refused'] },
        { name: 'extra' },
      ],
      outputs: [{ name: 'prices', properties: [{ name: 'sku', rules: ['isString'] }, { name: 'euros' }] }],
      dependencies: [{ place: 'rates', scope: 'WORKER', provider: 'rates' }],
    });
    expect(JSON.stringify(facts)).not.toContain('the-default-key');
  });

  it('says what has yet to be bound, and suggests the nearest name', async () => {
    expect((await millrace(folder.path, 'show', 'Both')).stdout).toContain('  default ← to be bound\n');
    expect(await millrace(folder.path, 'show', 'Booth')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining("Did you mean 'Both'?"),
    });
  });
});

describe('millrace check', () => {
  it('finds nothing in a project that is well: open ports and files that are yet to come are no faults', async () => {
    expect(await millrace(folder.path, 'check')).toEqual({
      code: 0,
      stderr: '',
      stdout: "Project 'shop' has no faults: 3 processors checked.\n",
    });
    expect(await json('check')).toEqual({ project: 'shop', workflows: 0, processors: 3, faults: [] });
    expect(existsSync(folder.at('.millrace'))).toBe(false);
  });

  it('tells every fault of wiring, stores, bindings and schemas at once, with 2', async () => {
    folder.write({
      'faulty/millrace.config.mjs': `
        import { defineProject, Depends, Input, Output, Processor, Scope, token, workflow } from 'millrace';
        export class Faulty { async run() {} }
        class Ruleless {}
        Input({ binding: 'a@depott' })(Faulty.prototype, 'a');
        Input({ binding: 'file:a.xyz' })(Faulty.prototype, 'b');
        Input({ schema: Ruleless, binding: 'c' })(Faulty.prototype, 'c');
        Input()(Faulty.prototype, 'open');
        Output({ binding: 'same' })(Faulty.prototype, 'd');
        Output({ binding: 'same@default' })(Faulty.prototype, 'e');
        Depends(Scope.Task, token('clock'))(Faulty.prototype, 'clock');
        Processor()(Faulty);
        class Again { async run() {} }
        Processor({ name: 'Faulty' })(Again);
        class Plain {}
        export default defineProject({ name: 'faulty', processors: [Faulty, Again, Plain, undefined], stores: { depot: 'memory:', lost: 'redis://user:secret@host', odd: { url: 'mongodb://user:secret@host' } }, workflows: [1, 2].map(() => workflow('twin', (w) => void w.step(Again))) });`,
    });
    const { code, stdout, stderr } = await millrace(folder.at('faulty'), 'check');
    expect(code).toBe(2);
    expect(stderr).toBe("11 faults in project 'faulty'.\n");
    expect([...stdout.matchAll(/^error (\w+):/gm)].map(([, one]) => one).sort()).toEqual([
      ...[
        'BINDING_CONFLICT',
        'BINDING_INVALID',
        'BINDING_INVALID',
        'CONFIG_INVALID',
        'DECORATOR_MISUSED',
        'DECORATOR_MISUSED',
        'DEPENDENCY_MISSING',
        'DUPLICATE_NAME',
      ],
      ...['DUPLICATE_NAME', 'STORE_UNKNOWN', 'STORE_UNKNOWN'],
    ]);
    expect(stdout).toContain("  → Did you mean 'depot'?");
    expect(stdout).not.toContain('secret');
    const inJson = await millrace(folder.at('faulty'), 'check', '--json');
    expect(inJson).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(inJson.stdout)).toMatchObject({
      faults: expect.arrayContaining([
        {
          code: 'DEPENDENCY_MISSING',
          message: expect.any(String),
          where: expect.any(Array),
          path: ['Faulty', 'clock'],
          fix: expect.any(String),
        },
      ]),
    });
    const refused = await millrace(folder.at('faulty'), 'run', 'Faulty');
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('processors[3] is undefined, not a class') });
  });
});

describe('millrace graph', () => {
  it('draws data and needs as Mermaid', async () => {
    const { code, stdout, stderr } = await millrace(folder.path, 'graph', 'MakePrices');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`flowchart LR
  n0[["MakePrices"]]
  n1("rates")
  n2[/"file:data/raw.csv"/]
  n3>"MakePrices.extra"]
  n4[("prices")]
  n2 -->|"raw-prices"| n0
  n3 -->|"extra"| n0
  n0 -->|"prices"| n4
  n0 -.->|"WORKER"| n1
`);
  });

  it('is one value with --json, of all processors', async () => {
    const graph = (await json('graph')) as {
      nodes: { id: string; kind: string }[];
      edges: { from: string; to: string; kind: string; label: string }[];
    };
    expect(graph.nodes).toContainEqual({ id: 'failed', kind: 'collection' });
    expect(graph.nodes.filter(({ kind }) => kind === 'processor').map(({ id }) => id)).toEqual(['MakePrices', 'Fails', 'Both']);
    expect(graph.edges).toContainEqual({ from: 'Fails', to: 'failed', kind: 'writes', label: 'out' });
    const ids = new Set(graph.nodes.map(({ id }) => id));
    for (const { from, to } of graph.edges) expect([ids.has(from), ids.has(to)]).toEqual([true, true]);
  });

  it('tells a collection from a processor of its name', async () => {
    folder.write({
      'named/millrace.config.mjs': `
        import { defineProject, Output, Processor } from 'millrace';
        class Prices { async run() {} }
        Output({ binding: 'Prices' })(Prices.prototype, 'out');
        Processor()(Prices);
        export default defineProject({ name: 'named', processors: [Prices] });`,
    });
    const { nodes, edges } = JSON.parse((await millrace(folder.at('named'), 'graph', '--json')).stdout) as {
      nodes: unknown;
      edges: unknown;
    };
    expect(nodes).toEqual([
      { id: 'Prices', kind: 'processor' },
      { id: 'Prices (collection)', kind: 'collection' },
    ]);
    expect(edges).toEqual([{ from: 'Prices', to: 'Prices (collection)', kind: 'writes', label: 'out' }]);
  });
});
