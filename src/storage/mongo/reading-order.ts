import type { FindOptions } from 'mongodb';

import { order, orderOf } from '../query/compare.js';
import type { Connection } from './connection.js';
import type { Doing } from './failure.js';

/** By the index of ids: without the hint a server may sort all rows before it gives the first. */
export const byId = { sort: { _id: 1 }, hint: { _id: 1 } } as const;

type Sort = Readonly<Record<string, 1 | -1>>;

/**
 * How rows are sorted that are to come as asked, and where nothing is asked in the order in which they went in. MongoDB itself keeps them
 * so. Other servers of its protocol put a row wherever there is room for it, and a row that is changed elsewhere: there the ids tell the
 * order where they are such as ascend, those that Millrace and drivers give rows, and numbers. Rows with ids of other kinds come as the
 * server has them.
 */
export async function readingOrder(
  connection: Connection,
  collection: string,
  { filter = {}, sort = {} }: { readonly filter?: object; readonly sort?: Sort },
  doing: Doing,
): Promise<Pick<FindOptions, 'sort' | 'hint'>> {
  if (Object.keys(sort).length > 0) return { sort: { ...sort } };
  if (connection.isExact || Object.keys(filter).length > 0) return {};
  const ends = await connection.read(doing, (db) =>
    Promise.all(
      ([1, -1] as const).map((direction) => db.collection(collection).findOne({}, { sort: { _id: direction }, projection: { _id: 1 } })),
    ),
  );
  const [first, last] = ends.map((row) => orderOf(row?._id));
  // ids of one kind stand together: between two there is no other
  return first === last && (first === order.objectId || first === order.number) ? byId : { sort: { $natural: 1 } };
}
