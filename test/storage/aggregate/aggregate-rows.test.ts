import { Decimal128, Long } from 'bson';
import { describe, expect, it } from 'vitest';

import { aggregateRows } from '../../../src/storage/aggregate.js';
import type { Row } from '../../../src/types.js';

async function* batches(rows: readonly Row[], size = 3): AsyncGenerator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

async function run(
  rows: readonly Row[],
  pipeline: readonly object[],
  lookups: Readonly<Record<string, () => Promise<readonly Row[]>>> = {},
): Promise<Row[]> {
  const all: Row[] = [];
  for await (const batch of aggregateRows(batches(rows), pipeline, lookups)) all.push(...batch);
  return all;
}

const frozen = Object.freeze([
  Object.freeze({
    _id: 1,
    n: 4,
    in: Object.freeze({ a: 1, b: 2 }),
    list: Object.freeze([Object.freeze({ x: 1 }), Object.freeze({ x: 2 })]),
  }),
  Object.freeze({ _id: 2, n: 1, in: Object.freeze({ a: 3 }) }),
  Object.freeze({ _id: 3, n: 3 }),
]);

describe('aggregateRows', () => {
  it('passes rows through where there is no stage', async () => {
    expect(await run(frozen, [])).toEqual(frozen);
  });

  it('changes none of the rows', async () => {
    const before = structuredClone(frozen);
    await run(frozen, [{ $addFields: { 'in.c': 5, 'list.y': 1 } }, { $unset: 'in.a' }]);
    await run(frozen, [{ $project: { 'in.a': 0, list: 0 } }]);
    await run(frozen, [{ $unwind: { path: '$list', includeArrayIndex: 'at' } }]);
    await run(frozen, [{ $lookup: { from: 'more', localField: 'n', foreignField: 'n', as: 'in.found' } }], { more: async () => frozen });
    await run(frozen, [
      { $setWindowFields: { sortBy: { n: 1 }, output: { total: { $sum: '$n', window: { documents: ['unbounded', 'current'] } } } } },
    ]);
    expect(frozen).toEqual(before);
  });

  it('computes paths through arrays and documents', async () => {
    expect(await run(frozen.slice(0, 2), [{ $addFields: { 'in.c': '$n', 'list.y': '$_id' } }])).toEqual([
      {
        _id: 1,
        n: 4,
        in: { a: 1, b: 2, c: 4 },
        list: [
          { x: 1, y: 1 },
          { x: 2, y: 1 },
        ],
      },
      { _id: 2, n: 1, in: { a: 3, c: 1 }, list: { y: 2 } },
    ]);
    expect(await run(frozen, [{ $project: { _id: 0, in: { a: 1 }, twice: { $add: ['$n', '$n'] } } }])).toEqual([
      { in: { a: 1 }, twice: 8 },
      { in: { a: 3 }, twice: 2 },
      { twice: 6 },
    ]);
  });

  it('lets a later stage stop an earlier one', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<readonly Row[]> {
      for (;;) yield [{ n: read++ }];
    }
    const rows: Row[] = [];
    for await (const batch of aggregateRows(endless(), [{ $match: { n: { $gt: 2 } } }, { $limit: 2 }], {})) rows.push(...batch);
    expect(rows).toEqual([{ n: 3 }, { n: 4 }]);
    expect(read).toBeLessThan(8);
  });

  it('adds, multiplies and averages numbers of every type', async () => {
    const rows = [
      { a: 1, b: Long.fromNumber(2), c: Decimal128.fromString('0.1') },
      { a: 2, b: Long.fromString('9007199254740993'), c: Decimal128.fromString('0.2') },
    ];
    const [sums] = await run(rows, [
      { $group: { _id: null, a: { $sum: '$a' }, b: { $sum: '$b' }, c: { $sum: '$c' }, mean: { $avg: '$c' } } },
    ]);
    expect(sums).toEqual({
      _id: null,
      a: 3,
      b: Long.fromString('9007199254740995'),
      c: Decimal128.fromString('0.3'),
      mean: Decimal128.fromString('0.15'),
    });
    const [products] = await run(rows.slice(0, 1), [
      {
        $project: {
          p: { $multiply: ['$a', '$b'] },
          d: { $subtract: ['$c', 1] },
          n: { $add: ['$a', null] },
          s: { $sum: ['$a', 'no number', 2] },
        },
      },
    ]);
    expect(products).toEqual({ p: Long.fromNumber(2), d: Decimal128.fromString('-0.9'), n: null, s: 3 });
  });

  it('compares in expressions as the server does', async () => {
    const rows = [{ _id: 1, v: Long.fromNumber(5) }, { _id: 2, v: 'x' }, { _id: 3 }, { _id: 4, v: null }];
    const ids = async (expression: object): Promise<unknown[]> =>
      (await run(rows, [{ $match: { $expr: expression } }])).map((row) => (row as { _id: number })._id);
    expect(await ids({ $eq: ['$v', 5] })).toEqual([1]);
    expect(await ids({ $gt: ['$v', 4] })).toEqual([1, 2]);
    expect(await ids({ $eq: ['$v', null] })).toEqual([4]);
    expect(await ids({ $in: ['$v', [5, 'x']] })).toEqual([1, 2]);
  });

  it('groups missing with null, and by documents', async () => {
    const rows = [{ k: null }, {}, { k: 1 }, { k: Long.fromNumber(1) }];
    expect(await run(rows, [{ $group: { _id: '$k', n: { $count: {} } } }])).toEqual([
      { _id: null, n: 2 },
      { _id: 1, n: 2 },
    ]);
  });

  it('runs stages that need all rows at once', async () => {
    expect(await run(frozen, [{ $bucketAuto: { groupBy: '$n', buckets: 2 } }])).toHaveLength(2);
    const windowed = await run(frozen, [
      { $setWindowFields: { sortBy: { n: 1 }, output: { total: { $sum: '$n', window: { documents: ['unbounded', 'current'] } } } } },
      { $project: { total: 1, _id: 0 } },
    ]);
    expect(windowed).toEqual([{ total: 1 }, { total: 4 }, { total: 8 }]);
    expect((await run(frozen, [{ $sample: { size: 2 } }])).length).toBe(2);
  });

  it('runs no scripts', async () => {
    const script = { $function: { body: 'function () { return 1; }', args: [], lang: 'js' } };
    for (const stage of [{ $addFields: { x: script } }, { $fill: { output: { x: { value: script } } } }, { $match: { $expr: script } }]) {
      await expect(run(frozen, [stage])).rejects.toMatchObject({
        code: 'PIPELINE_INVALID',
        message: expect.stringContaining('$function') as string,
      });
    }
  });

  it('reads what a stage names, and only then', async () => {
    let loads = 0;
    const more = async (): Promise<readonly Row[]> => {
      loads++;
      return [{ n: 3, colour: 'red' }];
    };
    const join = {
      $lookup: { from: 'more', localField: 'n', foreignField: 'n', as: 'more', pipeline: [{ $project: { colour: 1, _id: 0 } }] },
    };
    expect(await run(frozen, [{ $match: { _id: 3 } }, join], { more })).toEqual([{ _id: 3, n: 3, more: [{ colour: 'red' }] }]);
    expect(loads).toBe(1);
    await expect(run(frozen, [{ $unionWith: 'mor' }], { more })).rejects.toMatchObject({
      code: 'PIPELINE_INVALID',
      message: expect.stringContaining("'more'") as string,
    });
  });
});
