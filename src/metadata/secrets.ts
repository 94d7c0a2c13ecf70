import type { Class } from '../types.js';
import { readRecords } from './class-record.js';

const known = new WeakMap<Class, ReadonlySet<string>>();

/** The properties of a schema class that `@Secret()` marks, its base classes' included. */
export function secretsOf(schema: Class): ReadonlySet<string> {
  let secrets = known.get(schema);
  if (secrets === undefined) {
    secrets = new Set(readRecords(schema).flatMap((record) => [...record.secrets.keys()]));
    known.set(schema, secrets);
  }
  return secrets;
}
