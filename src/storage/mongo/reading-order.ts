import type { FindOptions } from 'mongodb';

import type { Connection } from './connection.js';
import type { Doing } from './failure.js';

/** By the index of ids: without the hint a server may sort all rows before it gives the first. */
export const byId = { sort: { _id: 1 }, hint: { _id: 1 } } as const;

type Sort = Readonly<Record<string, 1 | -1>>;

/**
 * How rows are sorted that are to come as asked, and where nothing is asked in the order in which they went in. MongoDB itself keeps them
 * so. Other servers of its protocol put a row wherever there is room for it: there the ids tell the order that Millrace and drivers give
 * rows, which ascend, and rows with ids of other kinds come as the server has them.
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
  // ids of one type stand together: between two ObjectIds there is nothing else
  const isObjectId = (id: unknown): boolean => (id as { readonly _bsontype?: string } | null | undefined)?._bsontype === 'ObjectId';
  return ends.every((row) => isObjectId(row?._id)) ? byId : { sort: { $natural: 1 } };
}
