import type { ClassRecord, Member } from './class-record.js';

/**
 * What the properties of a class are, from the records of its base classes and its own, base first. A property keeps the place where it was
 * first declared, and means what the nearest class says of it.
 */
export function mergeMembers(records: readonly ClassRecord[]): ReadonlyMap<string, Member> {
  return new Map(records.flatMap((record) => [...record.members]));
}
