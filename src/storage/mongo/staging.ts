import { createHash } from 'node:crypto';

import type { Connection } from './connection.js';

/** Everything whose name begins so is staged, and nobody's once its stage has no record. */
export const stagingPrefix = '_millrace_stage_';

/** What the names of a stage's collections begin with; no stage's is the beginning of another's. */
export function prefixOf(stage: string): string {
  const name = /^[\w-]{1,64}$/.test(stage) ? stage : createHash('sha256').update(stage).digest('hex').slice(0, 40);
  return `${stagingPrefix}${name}~`;
}

/** Drops what a stage has staged; what is gone already is no fault. */
export async function dropStaged(connection: Connection, stage: string): Promise<void> {
  await dropAll(connection, await listStaged(connection, prefixOf(stage)));
}

/** Drops what was staged by stages that have no record: it came in after they were dropped, from processes that did not know. */
export async function sweepStaged(connection: Connection, stages: () => Promise<readonly string[]>): Promise<void> {
  const staged = await listStaged(connection, stagingPrefix);
  if (staged.length === 0) return;
  const known = (await stages()).map(prefixOf); // read after the collections: a stage is recorded before it has any
  await dropAll(
    connection,
    staged.filter((name) => !known.some((prefix) => name.startsWith(prefix))),
  );
}

async function dropAll(connection: Connection, names: readonly string[]): Promise<void> {
  for (const name of names) await connection.run({ what: `dropping '${name}'` }, (db) => db.dropCollection(name), 'long');
}

async function listStaged(connection: Connection, prefix: string): Promise<readonly string[]> {
  const pattern = new RegExp(`^${prefix.replace(/[.\\-]/g, '\\$&')}`);
  const found = await connection.run({ what: 'listing what is staged' }, (db) =>
    db.listCollections({ name: pattern }, { nameOnly: true }).toArray(),
  );
  return found.map(({ name }) => name).filter((name) => name.startsWith(prefix));
}
