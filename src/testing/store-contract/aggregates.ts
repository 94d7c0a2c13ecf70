import assert from 'node:assert/strict';

import { loadBson } from '../../storage/ids.js';
import { assertRejects, assertRows, type Case } from './check.js';

export const aggregateCases: readonly Case[] = [
  {
    name: 'aggregates: matches, groups, sorts, projects',
    async run(store, named) {
      const { Decimal128, Long } = await loadBson();
      const name = named('sales');
      await store.insert(name, [
        { _id: 1, item: 'a', price: 2, tags: ['x', 'y'], at: { day: 1 } },
        { _id: 2, item: 'b', price: 3, tags: [], at: { day: 2 } },
        { _id: 3, item: 'a', price: 5, tags: ['x'], at: { day: 1 } },
        { _id: 4, item: 'c', price: Long.fromNumber(7) },
        { _id: 5, price: Decimal128.fromString('0.5'), tags: null },
      ]);
      const aggregations: readonly (readonly [readonly object[], readonly object[]])[] = [
        [
          [{ $match: { item: 'a' } }, { $project: { price: 1 } }],
          [
            { _id: 1, price: 2 },
            { _id: 3, price: 5 },
          ],
        ],
        [
          [{ $group: { _id: '$item', total: { $sum: '$price' }, n: { $sum: 1 }, most: { $max: '$price' } } }, { $sort: { _id: 1 } }],
          [
            { _id: null, total: Decimal128.fromString('0.5'), n: 1, most: Decimal128.fromString('0.5') },
            { _id: 'a', total: 7, n: 2, most: 5 },
            { _id: 'b', total: 3, n: 1, most: 3 },
            { _id: 'c', total: Long.fromNumber(7), n: 1, most: Long.fromNumber(7) },
          ],
        ],
        [
          [
            { $match: { _id: { $lte: 3 } } },
            {
              $group: {
                _id: { d: '$at.day' },
                mean: { $avg: '$price' },
                items: { $push: '$item' },
                set: { $addToSet: '$item' },
                first: { $first: '$_id' },
                last: { $last: '$_id' },
              },
            },
            { $sort: { '_id.d': 1 } },
          ],
          [
            { _id: { d: 1 }, mean: 3.5, items: ['a', 'a'], set: ['a'], first: 1, last: 3 },
            { _id: { d: 2 }, mean: 3, items: ['b'], set: ['b'], first: 2, last: 2 },
          ],
        ],
        [
          [{ $unwind: '$tags' }, { $project: { tags: 1 } }],
          [
            { _id: 1, tags: 'x' },
            { _id: 1, tags: 'y' },
            { _id: 3, tags: 'x' },
          ],
        ],
        [
          [
            { $unwind: { path: '$tags', preserveNullAndEmptyArrays: true } },
            { $match: { _id: { $in: [2, 4, 5] } } },
            { $project: { tags: 1 } },
          ],
          [{ _id: 2 }, { _id: 4 }, { _id: 5, tags: null }],
        ],
        [
          [{ $sort: { price: -1 } }, { $limit: 2 }, { $project: { _id: 1 } }],
          [{ _id: 4 }, { _id: 3 }],
        ],
        [[{ $sort: { _id: 1 } }, { $skip: 3 }, { $limit: 1 }, { $unset: ['price'] }], [{ _id: 4, item: 'c' }]],
        [[{ $match: { price: { $gt: 2 } } }, { $count: 'n' }], [{ n: 3 }]],
        [[{ $match: { price: 100 } }, { $count: 'n' }], []],
        [
          [
            { $match: { _id: 1 } },
            { $addFields: { twice: { $multiply: ['$price', 2] }, 'at.hour': 5 } },
            { $project: { twice: 1, at: 1 } },
          ],
          [{ _id: 1, at: { day: 1, hour: 5 }, twice: 4 }],
        ],
        [
          [{ $match: { _id: 1 } }, { $project: { _id: 0, big: { $gt: ['$price', 1] }, name: { $concat: ['<', '$item', '>'] } } }],
          [{ big: true, name: '<a>' }],
        ],
        [[{ $match: { _id: 2 } }, { $replaceRoot: { newRoot: '$at' } }], [{ day: 2 }]],
        [[{ $sortByCount: '$item' }, { $limit: 1 }], [{ _id: 'a', count: 2 }]],
        [[{ $match: { $expr: { $eq: ['$_id', '$price'] } } }], []],
        [
          [{ $facet: { dear: [{ $match: { price: { $gte: 5 } } }, { $count: 'n' }], all: [{ $group: { _id: null, n: { $sum: 1 } } }] } }],
          [{ dear: [{ n: 2 }], all: [{ _id: null, n: 5 }] }],
        ],
        [
          [{ $bucket: { groupBy: '$_id', boundaries: [1, 3, 10], output: { n: { $sum: 1 } } } }],
          [
            { _id: 1, n: 2 },
            { _id: 3, n: 3 },
          ],
        ],
      ];
      for (const [pipeline, expected] of aggregations)
        await assertRows(store.aggregate(name, pipeline), expected, JSON.stringify(pipeline));
      assert.equal(await store.count(name), 5);
      await assertRows(store.find(name, { filter: { _id: 1 } }), [{ _id: 1, item: 'a', price: 2, tags: ['x', 'y'], at: { day: 1 } }]);
    },
  },
  {
    name: 'joins collections',
    async run(store, named) {
      const [orders, skus] = [named('orders'), named('skus')];
      await store.insert(skus, [
        { _id: 'a', colour: 'red', next: 'b' },
        { _id: 'b', colour: 'blue', next: 'c' },
        { _id: 'c', colour: 'green' },
      ]);
      await store.insert(orders, [
        { _id: 1, sku: 'a', n: 2 },
        { _id: 2, sku: ['b', 'c'], n: 1 },
        { _id: 3, sku: 'none' },
      ]);
      await assertRows(
        store.aggregate(orders, [
          { $lookup: { from: skus, localField: 'sku', foreignField: '_id', as: 'found' } },
          { $project: { colours: '$found.colour' } },
          { $sort: { _id: 1 } },
        ]),
        [
          { _id: 1, colours: ['red'] },
          { _id: 2, colours: ['blue', 'green'] },
          { _id: 3, colours: [] },
        ],
      );
      const correlated = {
        $lookup: {
          from: skus,
          let: { wanted: '$sku' },
          pipeline: [{ $match: { $expr: { $eq: ['$_id', '$$wanted'] } } }, { $project: { _id: 0, colour: 1 } }],
          as: 'found',
        },
      };
      await assertRows(store.aggregate(orders, [{ $match: { _id: 1 } }, correlated]), [
        { _id: 1, sku: 'a', n: 2, found: [{ colour: 'red' }] },
      ]);
      await assertRows(
        store.aggregate(orders, [
          { $match: { _id: 3 } },
          { $unionWith: { coll: skus, pipeline: [{ $match: { _id: 'a' } }] } },
          { $project: { _id: 1 } },
        ]),
        [{ _id: 3 }, { _id: 'a' }],
      );
      const graph = { $graphLookup: { from: skus, startWith: '$sku', connectFromField: 'next', connectToField: '_id', as: 'chain' } };
      await assertRows(store.aggregate(orders, [{ $match: { _id: 1 } }, graph, { $project: { n: { $size: '$chain' } } }]), [
        { _id: 1, n: 3 },
      ]);
      await assertRows(
        store.aggregate(orders, [
          { $match: { _id: 3 } },
          { $lookup: { from: named('gone'), localField: 'a', foreignField: 'b', as: 'x' } },
        ]),
        [{ _id: 3, sku: 'none', x: [] }],
      );
    },
  },
  {
    name: 'refuses pipelines that write, and what it does not know, by place',
    async run(store, named) {
      const name = named('refused');
      await store.insert(name, [{ a: 1 }]);
      const wrong: readonly (readonly [readonly object[], RegExp])[] = [
        [[{ $out: 'x' }], /\$out/],
        [[{ $merge: { into: 'x' } }], /\$merge/],
        [[{ $match: {} }, { $mach: {} }], /\[1\].*\$mach/s],
        [[{ $match: { a: { $gtt: 1 } } }], /\$gtt/],
        [[{ $project: { b: { $ad: [1, 2] } } }], /\$ad/],
        [[{ $group: { n: { $sum: 1 } } }], /_id/],
        [[{ $group: { _id: null, n: { $summ: 1 } } }], /\$summ/],
        [[{ $match: {}, $limit: 1 }], /\[0\]/],
        [[{ $lookup: { from: name, as: 'x', pipeline: [{ $out: 'y' }] } }], /pipeline\[0\].*\$out/s],
        [[{ $facet: { one: [{ $merge: 'y' }] } }], /\$merge/],
        [[{ $limit: 0 }], /\$limit/],
      ];
      for (const [pipeline, message] of wrong) await assertRejects(store.aggregate(name, pipeline).toArray(), 'PIPELINE_INVALID', message);
      assert.ok(!(await store.collections()).includes('x'));
    },
  },
];
