import { ObjectId } from 'bson';
import { IsInt, IsString } from 'class-validator';
import { expect, it } from 'vitest';

import { Input } from '../../../src/decorators/input.js';
import { Output } from '../../../src/decorators/output.js';
import { Processor } from '../../../src/decorators/processor.js';
import { TaskError } from '../../../src/errors.js';
import { createApp } from '../../../src/project/create-app.js';
import { embeddedStore, memoryStore } from '../../../src/storage/open.js';
import type { Store } from '../../../src/storage/store.js';
import type { Log, Reader, TaskContext, Writer } from '../../../src/types.js';
import { temporaryFolder } from '../temporary.js';
import { describeMongo } from './server.js';

interface Sale {
  readonly sku: string;
  readonly n: number;
}
class Total {
  @IsString() name!: string;
  @IsInt() n!: number;
}

@Processor()
class Sum {
  static pipeline: readonly object[] = [];
  @Input({ binding: 'sales' }) readonly sales!: Reader<Sale>;
  @Input({ binding: 'products' }) readonly products!: Reader<object>;
  @Output({ binding: 'totals' }) readonly totals!: Writer<object>;
  @Output({ binding: 'checked', schema: Total }) readonly checked!: Writer<Total>;

  async run({ aggregate, metric }: TaskContext): Promise<void> {
    const readers = { from: this.sales.find({ filter: { n: { $gt: 0 } } }), goods: this.products };
    await this.totals.write({ name: 'before', n: 0 });
    metric('totals', await aggregate(this.totals, Sum.pipeline, readers));
    metric('checked', await aggregate(this.checked, Sum.pipeline, readers));
  }
}

const pipeline = [
  { $match: { at: { $gt: new Date(0) }, _id: { $ne: new ObjectId('000000000000000000000001') } } },
  { $lookup: { from: 'goods', localField: 'sku', foreignField: 'sku', as: 'good', pipeline: [{ $project: { _id: 0, name: 1 } }] } },
  { $group: { _id: { $first: '$good.name' }, n: { $sum: '$n' } } },
  { $project: { _id: 0, name: '$_id', n: 1 } },
];

describeMongo('context.aggregate on MongoDB', ({ open, fresh }) => {
  async function sum(store: Store, lines: string[]): Promise<unknown> {
    const at = new Date(1);
    await store.insert('sales', [
      { sku: 'a', n: 1, at },
      { sku: 'a', n: 2, at },
      { sku: 'b', n: 3, at },
      { sku: 'b', n: -1, at },
      { sku: 'c', n: 9, at: new Date(0) },
    ]);
    await store.insert('products', [
      { sku: 'a', name: 'tea' },
      { sku: 'b', name: 'milk' },
    ]);
    const nothing = (): void => undefined;
    const log: Log = { debug: (line) => void lines.push(line), info: nothing, warn: nothing, error: nothing };
    await using app = await createApp({ processors: [Sum], stores: { default: store }, log });
    const { outputs, metrics } = await app.task(Sum).run();
    const rows = (name: string): Promise<object[]> => store.find<object>(name, { sort: { name: 1 }, projection: { _id: 0 } }).toArray();
    return { outputs, metrics, totals: await rows('totals'), checked: await rows('checked') };
  }

  it('gives the same as on memory, counts what it has written, and logs a line for the shell', async () => {
    Sum.pipeline = pipeline;
    const lines: string[] = [];
    const result = await sum(open(), lines);
    expect(result).toEqual({
      outputs: { totals: { rows: 3, rejected: 0 }, checked: { rows: 2, rejected: 0 } },
      metrics: { totals: 2, checked: 2 },
      totals: [
        { name: 'before', n: 0 },
        { name: 'milk', n: 3 },
        { name: 'tea', n: 3 },
      ],
      checked: [
        { name: 'milk', n: 3 },
        { name: 'tea', n: 3 },
      ],
    });
    expect(await sum(memoryStore(), [])).toEqual(result);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^db\.getCollection\("sales"\)\.aggregate\(.*ISODate\("1970-01-01T00:00:00\.000Z"\).*ObjectId\("000000000000000000000001"\).*"from":"products"/,
      ),
    );
  });

  const name = { $concat: ['$sku', '-', { $toString: '$n' }] };
  it.each([
    [
      'a graph of another port',
      [
        { $graphLookup: { from: 'goods', startWith: '$sku', connectFromField: 'sku', connectToField: 'sku', as: 'chain' } },
        { $project: { _id: 0, name, n: { $size: '$chain' } } },
      ],
    ],
    [
      'a union in a lookup in a facet',
      [
        {
          $facet: {
            all: [
              {
                $lookup: {
                  from: 'goods',
                  localField: 'sku',
                  foreignField: 'sku',
                  as: 'good',
                  pipeline: [{ $unionWith: { coll: 'goods', pipeline: [{ $match: { sku: 'a' } }] } }],
                },
              },
              { $project: { _id: 0, name, n: { $size: '$good' } } },
            ],
          },
        },
        { $unwind: '$all' },
        { $replaceRoot: { newRoot: '$all' } },
      ],
    ],
    ['what is false and what is not', [{ $project: { _id: 0, name, n: { $cond: [{ $subtract: ['$n', 1] }, 1, 0] } } }]],
  ])('gives the same on three stores: %s', async (_, stages) => {
    Sum.pipeline = [...stages, { $match: { name: { $ne: 'c-9' } } }];
    const results: unknown[] = [];
    for (const store of [fresh(), memoryStore(), embeddedStore({ path: temporaryFolder() })]) results.push(await sum(store, []));
    expect(results[0]).toMatchObject({ metrics: { totals: 3, checked: 3 } });
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it.each([
    [[{ $out: 'x' }], 'pipeline[0].$out'],
    [
      [{ $lookup: { from: 'goods', as: 'x', pipeline: [{ $lookup: { from: 'secrets', as: 'y' } }] } }],
      'pipeline[0].$lookup.pipeline[0].$lookup.from',
    ],
    [[{ $facet: { a: [{ $unionWith: 'secrets' }] } }], 'pipeline[0].$facet.a[0].$unionWith'],
    [
      [{ $match: {} }, { $graphLookup: { from: 'products', startWith: 1, connectFromField: 'a', connectToField: 'b', as: 'c' } }],
      'pipeline[1].$graphLookup.from',
    ],
    [[{ $lookup: { from: { db: 'other', coll: 'secrets' }, as: 'x', pipeline: [] } }], 'pipeline[0].$lookup.from'],
    [[{ $unionWith: { coll: 'goods', pipeline: [{ $merge: { into: 'x' } }] } }], 'pipeline[0].$unionWith.pipeline[0].$merge'],
  ])('refuses %j by its place', async (refused, place) => {
    Sum.pipeline = refused;
    await using app = await createApp({ processors: [Sum], stores: { default: open() }, log: 'silent' });
    const failure = (await app
      .task(Sum)
      .run()
      .catch((error: unknown) => error)) as TaskError;
    expect(failure).toBeInstanceOf(TaskError);
    expect(failure.cause).toMatchObject({ code: 'PIPELINE_INVALID', message: expect.stringContaining(place) as string });
  });
});
