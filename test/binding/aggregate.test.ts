import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  embeddedStore,
  Input,
  memoryStore,
  Output,
  Processor,
  type App,
  type Log,
  type Reader,
  type TaskContext,
  type Writer,
} from 'millrace';
import { createTestApp } from 'millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Item } from './fixtures.js';

@Processor()
class Join {
  static act: (context: TaskContext, ports: Join) => Promise<unknown>;
  static wrote: unknown;
  @Input() readonly sales!: Reader<{ sku: string; count: number }>;
  @Input({ optional: true }) readonly items!: Reader<Item>;
  @Output() readonly totals!: Writer<{ sku: string; total: number }>;
  @Output({ optional: true, schema: Item }) readonly checked!: Writer<Item>;
  async run(context: TaskContext): Promise<void> {
    Join.wrote = await Join.act(context, this);
  }
}

const sales = [
  { sku: 'a', count: 2 },
  { sku: 'b', count: 1 },
  { sku: 'a', count: 3 },
];
const stock = [
  { sku: 'a', amount: 10 },
  { sku: 'b', amount: 5 },
];
const pipeline = [
  { $lookup: { from: 'stock', localField: 'sku', foreignField: 'sku', as: 'item' } },
  { $unwind: '$item' },
  { $group: { _id: '$sku', total: { $sum: { $multiply: ['$count', '$item.amount'] } } } },
  { $sort: { _id: 1 } },
  { $project: { _id: 0, sku: '$_id', total: 1 } },
];
const expected = [
  { sku: 'a', total: 50 },
  { sku: 'b', total: 5 },
];

let folder: string;
let app: App;
const debugged: string[] = [];
const log: Log = { debug: (message) => debugged.push(message), info: ignore, warn: ignore, error: ignore };
beforeEach(async () => {
  debugged.length = 0;
  folder = await mkdtemp(join(tmpdir(), 'millrace-aggregate-'));
});
afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

describe.each([
  ['memory', () => memoryStore()],
  ['embedded', () => embeddedStore({ path: join(folder, 'data') })],
])('context.aggregate on the %s store', (_name, open) => {
  beforeEach(async () => {
    app = await createTestApp({ processors: [Join], stores: { default: open(), other: memoryStore() }, log });
    await app.store().insert('sales', sales);
    await app.store().insert('items', stock);
    await app.store('other').insert('items', stock);
    Join.act = ({ aggregate }, { totals, sales: from, items }) => aggregate(totals, pipeline, { from, stock: items });
  });
  const totals = (): Promise<unknown[]> =>
    app
      .store()
      .find('totals', { projection: { _id: 0 } })
      .toArray();

  it('runs on the store where every port is one of its collections, and logs a line for its shell', async () => {
    const result = await app.task(Join).bind({ sales: 'sales', items: 'items', totals: 'totals' }).run();
    expect(await totals()).toEqual(expected);
    expect([Join.wrote, result.outputs['totals']?.rows]).toEqual([2, 2]);
    expect(debugged).toEqual([expect.stringMatching(/^db\.getCollection\("sales"\)\.aggregate\(\[.*"from":"items"/)]);
  });

  it.each([
    ['rows in memory', { sales, items: stock }],
    ['a collection and rows', { sales: 'sales', items: stock }],
    ['collections of two stores', { sales: 'sales', items: 'items@other' }],
  ])('gives the same over %s', async (_what, bindings) => {
    await app
      .task(Join)
      .bind({ ...bindings, totals: 'totals' })
      .run();
    expect(await totals()).toEqual(expected);
  });

  it('takes a narrowed reader', async () => {
    Join.act = ({ aggregate }, { totals: to, sales: from, items }) =>
      aggregate(to, pipeline, { from: from.find({ filter: { sku: 'a' } }), stock: items.find({ filter: { amount: { $gt: 5 } } }) });
    await app.task(Join).bind({ sales: 'sales', items: 'items', totals: 'totals' }).run();
    expect(await totals()).toEqual([{ sku: 'a', total: 50 }]);
  });

  it('names aliases in nested pipelines too', async () => {
    Join.act = ({ aggregate }, { totals: to, sales: from, items }) =>
      aggregate(
        to,
        [
          { $unionWith: { coll: 'stock', pipeline: [{ $lookup: { from: 'stock', pipeline: [], as: 'all' } }] } },
          { $group: { _id: null, total: { $sum: 1 } } },
          { $project: { _id: 0, sku: 'rows', total: 1 } },
        ],
        { from, stock: items },
      );
    await app.task(Join).bind({ sales: 'sales', items: 'items', totals: 'totals' }).run();
    expect(await totals()).toEqual([{ sku: 'rows', total: 5 }]);
  });

  it.each([
    [
      'another collection',
      [{ $lookup: { from: 'items', localField: 'sku', foreignField: 'sku', as: 'x' } }],
      'pipeline[0].$lookup.from names "items"',
    ],
    ['one in a facet', [{ $facet: { one: [{ $unionWith: 'secrets' }] } }], 'pipeline[0].$facet.one[0].$unionWith names "secrets"'],
    [
      'one in a lookup',
      [{ $lookup: { from: 'stock', pipeline: [{ $unionWith: { coll: 'secrets' } }], as: 'x' } }],
      'pipeline[0].$lookup.pipeline[0].$unionWith.coll names',
    ],
    ['$out', [{ $match: {} }, { $out: 'stolen' }], 'pipeline[1].$out is not allowed'],
    ['$merge in a facet', [{ $facet: { one: [{ $merge: 'stolen' }] } }], '$facet.one[0].$merge is not allowed'],
    ['no stage', [{}], 'pipeline[0] is {}'],
  ])('refuses %s, with its path in the pipeline', async (_what, stages, message) => {
    Join.act = ({ aggregate }, { totals: to, sales: from, items }) => aggregate(to, stages, { from, stock: items });
    const run = app.task(Join).bind({ sales: 'sales', items: 'items', totals: 'totals' }).run();
    await expect(run).rejects.toMatchObject({ cause: { code: 'PIPELINE_INVALID', message: expect.stringContaining(message) as string } });
    expect(await app.store().collections()).not.toContain('stolen');
  });

  it('refuses readers and writers of another task', async () => {
    let foreign: Join | undefined;
    Join.act = (_context, ports) => Promise.resolve((foreign = ports));
    await app.task(Join).bind({ sales, totals: [] }).run();
    Join.act = ({ aggregate }, { totals: to }) => aggregate(to, [], { from: (foreign as Join).sales });
    await expect(app.task(Join).bind({ sales, totals: [] }).run()).rejects.toMatchObject({ cause: { code: 'PIPELINE_INVALID' } });
    Join.act = ({ aggregate }, { sales: from }) => aggregate((foreign as Join).totals, [], { from });
    await expect(app.task(Join).bind({ sales, totals: [] }).run()).rejects.toMatchObject({ cause: { code: 'PIPELINE_INVALID' } });
  });

  it('checks the result where the output has a schema', async () => {
    Join.act = ({ aggregate }, { checked, sales: from }) => aggregate(checked, [{ $project: { sku: 1, amount: '$sku' } }], { from });
    await expect(app.task(Join).bind({ sales: 'sales', totals: [], checked: 'checked' }).run()).rejects.toMatchObject({
      cause: { code: 'ROW_INVALID', port: 'checked' },
    });
  });
});

function ignore(): void {
  // nothing to do
}
