import type { Document } from 'mongodb';
import type { Connection } from './connection.js';
import { codeOf, type Doing } from './failure.js';
import { aggregateOptions } from './read.js';

/** Fewer rows than these are compared by themselves as fast, and to the last digit. */
const few = 20_000;

/** The sum of the hashes of all rows, which the server makes: no row leaves it. Undefined for few rows, and where it cannot make it. */
export async function versionOf(connection: Connection, collection: string): Promise<string | undefined> {
  const doing: Doing = { what: `comparing '${collection}'`, reads: collection };
  const rows = await connection.read(doing, (db) => db.collection(collection).countDocuments({}, { limit: few }));
  if (rows < few) return undefined;
  const summed = await connection.read(doing, async (db) => {
    const pipeline = sumOfHashes(connection.isExact ? 'whole' : 'exact');
    try {
      return await db.collection(collection).aggregate(pipeline, aggregateOptions).next();
    } catch (error) {
      if (codeOf(error) === undefined || connection.isClosed) throw error;
      return null; // a server that lacks one of the operators
    }
  });
  return summed === null ? undefined : Object.values(summed).map(String).join(' ');
}

/** Remainders are summed, not the hashes themselves: the sums of these stay whole numbers for some thousand million rows. */
const primes = [2_147_483_647, 2_147_483_629] as const;

/** @param numbers - whether the server hashes numbers as they are, or as MongoDB itself only their whole part. */
export function sumOfHashes(numbers: 'exact' | 'whole'): Document[] {
  const hash = { $toHashedIndexKey: numbers === 'exact' ? '$$ROOT' : numbersAsText };
  const sums = primes.map((prime, at) => [`sum${String(at)}`, { $sum: { $mod: ['$hash', prime] } }] as const);
  return [
    { $project: { hash, size: { $bsonSize: '$$ROOT' } } },
    { $group: { _id: null, rows: { $sum: 1 }, size: { $sum: '$size' }, ...Object.fromEntries(sums) } },
    { $project: { _id: 0 } },
  ];
}

/** Of the numbers at the top of a row no digit is lost so; deeper down a change of a fraction alone is not seen. */
const numbersAsText = {
  $map: {
    input: { $objectToArray: '$$ROOT' },
    as: 'field',
    in: { name: '$$field.k', value: { $cond: [{ $isNumber: '$$field.v' }, { $toString: '$$field.v' }, '$$field.v'] } },
  },
};
