import type { AnyBulkWriteOperation, Document } from 'mongodb';

import { idIndexName, indexKeys, keyDuplicate, toSpec, type IndexSpec } from '../index-spec.js';
import { loadBson } from '../ids.js';
import { valueAt } from '../query/path.js';
import { keyText } from '../query/key-text.js';
import type { Row } from '../../types.js';
import type { Connection } from './connection.js';
import type { Doing } from './failure.js';
import { SeenKeys } from './seen-keys.js';
import { isPlain } from './unique.js';
import { insertBatch } from './write.js';

/** `_id`s by the texts of keys. */
type Ids = ReadonlyMap<string, unknown>;

const none: Ids = new Map();

/** Rows by the key that an upsert goes by, and where such rows may be found already. */
export class KeyMatch {
  readonly #connection: Connection;
  readonly #spec: IndexSpec;
  readonly #doing: Doing;

  constructor(connection: Connection, key: readonly string[], doing: Doing) {
    this.#connection = connection;
    this.#spec = toSpec({ name: '', keys: Object.fromEntries(key.map((path) => [path, 1 as const])), unique: false });
    this.#doing = doing;
  }

  /** By the texts of their keys, each with the last of its rows. */
  group(rows: readonly Row[]): Map<string, Row> {
    return new Map(rows.map((row) => [textOf(this.#values(row)), row]));
  }

  /** The `_id`s of rows of a collection that have one of these keys, by the texts of the keys. */
  async find(collection: string, rows: readonly Row[]): Promise<Ids> {
    const paths = Object.keys(this.#spec.keys);
    const projection = { _id: 1, ...Object.fromEntries(paths.map((path) => [path, 1])) };
    const found = await this.#connection.run(this.#doing, (db) =>
      db
        .collection(collection)
        .find<Row>(this.#filter(rows), { projection, promoteLongs: false, batchSize: rows.length + 1 })
        .toArray(),
    );
    const ids = new Map<string, unknown>();
    for (const row of found) for (const text of this.texts(row)) if (!ids.has(text)) ids.set(text, (row as { readonly _id?: unknown })._id);
    return ids;
  }

  #filter(rows: readonly Row[]): Document {
    const keys = rows.map((row) => this.#values(row));
    const [path] = Object.keys(this.#spec.keys);
    if (keys.every((values) => values.length === 1 && isPlain(values[0])) && path !== undefined)
      return { [path]: { $in: keys.map(([value]) => value ?? null) } };
    return {
      $or: keys.map((values) => Object.fromEntries(Object.keys(this.#spec.keys).map((one, at) => [one, { $eq: values[at] ?? null }]))),
    };
  }

  #values(row: Row): readonly unknown[] {
    return this.#spec.paths.map((path) => valueAt(row, path));
  }

  /** A row that has an array at its key is found by the array and by each of its elements. */
  texts(row: Row): ReadonlySet<string> {
    return new Set([textOf(this.#values(row)), ...indexKeys(row, this.#spec).map(textOf)]);
  }
}

function textOf(values: readonly unknown[]): string {
  if (values.length === 1) return keyText(values[0]);
  return values
    .map(keyText)
    .map((text) => `${String(text.length)}:${text}`)
    .join('');
}

interface Resolving {
  readonly connection: Connection;
  readonly key: readonly string[];
  /** Rows in the order in which they were written. */
  readonly rows: AsyncIterable<readonly Row[]>;
  /** An empty collection, which gets each row once, with the `_id` that it will have in the target. */
  readonly into: string;
  readonly target: string;
  readonly targetExists: boolean;
}

/**
 * Settles before the commit which row an upsert replaces: what is left for the publish is to put each staged row where its `_id`
 * says, which may be repeated.
 *
 * @throws MillraceError `KEY_DUPLICATE` for an `_id` that a row of another key has.
 */
export async function resolveUpsert(resolving: Resolving): Promise<void> {
  const { connection, key, rows, into, target, targetExists } = resolving;
  const doing: Doing = { what: `looking up keys in '${target}'` };
  const match = new KeyMatch(connection, key, doing);
  const { ObjectId } = await loadBson();
  const seen = new SeenKeys();
  let indexed = false;
  const find = async (keys: readonly Row[]): Promise<Ids> => (targetExists ? match.find(target, keys) : none);
  for await (const { group, there } of lookedUp(rows, match, find)) {
    const again = [...group].flatMap(([text, row]) => (seen.mayHave(text) ? [row] : []));
    if (again.length > 0 && !indexed) await indexKey(connection, into, key);
    indexed ||= again.length > 0;
    const before = again.length > 0 ? await match.find(into, again) : none;
    const fresh: Row[] = [];
    const replacing: AnyBulkWriteOperation[] = [];
    const brought: unknown[] = [];
    for (const [text, row] of group) {
      const own = (row as { readonly _id?: unknown })._id;
      const id = before.get(text) ?? there.get(text) ?? own ?? new ObjectId();
      if (before.has(text)) replacing.push({ replaceOne: { filter: { _id: id }, replacement: withId(row, id) } });
      else fresh.push(withId(row, id));
      if (own !== undefined && id === own) brought.push(own);
      for (const known of match.texts(row)) seen.add(known);
    }
    if (targetExists && brought.length > 0) await checkIds(connection, target, brought, doing);
    if (fresh.length > 0) await insertBatch(connection, { into, named: target }, fresh, undefined);
    if (replacing.length > 0) await connection.run(doing, (db) => db.collection(into).bulkWrite(replacing, { ordered: false }));
  }
}

interface LookedUp {
  /** By the texts of their keys, each with the last of its rows. */
  readonly group: ReadonlyMap<string, Row>;
  readonly there: Ids;
}

/** Batches with what was found of their keys; those of the next batch are looked up while one is worked on. */
async function* lookedUp(
  rows: AsyncIterable<readonly Row[]>,
  match: KeyMatch,
  find: (keys: readonly Row[]) => Promise<Ids>,
): AsyncGenerator<LookedUp, void> {
  let before: Promise<LookedUp> | undefined;
  for await (const batch of rows) {
    const group = match.group(batch);
    const found = find([...group.values()]).then((there) => ({ group, there }));
    found.catch(() => undefined); // met when it is its turn
    if (before !== undefined) yield await before;
    before = found;
  }
  if (before !== undefined) yield await before;
}

/** What a staging collection finds the rows of earlier batches by. */
const keyIndex = 'millrace_key';

async function indexKey(connection: Connection, into: string, key: readonly string[]): Promise<void> {
  if (key.length === 1 && key[0] === '_id') return;
  const keys = Object.fromEntries(key.map((path) => [path, 1]));
  await connection.run(
    { what: 'building the index of the keys of an upsert' },
    (db) => db.collection(into).createIndexes([{ key: keys, name: keyIndex }]),
    'long',
  );
}

/** Takes off what `resolveUpsert` has put on. */
export async function dropKeyIndex(connection: Connection, from: string): Promise<void> {
  await connection.run({ what: 'dropping the index of the keys of an upsert' }, async (db) => {
    const indexes = await db.collection(from).listIndexes().toArray();
    if (indexes.some(({ name }) => name === keyIndex)) await db.collection(from).dropIndex(keyIndex);
  });
}

/** A row that replaces none may not have the `_id` of another. */
async function checkIds(connection: Connection, target: string, ids: readonly unknown[], doing: Doing): Promise<void> {
  const taken = await connection.run(doing, (db) =>
    db.collection(target).findOne({ _id: { $in: ids as never[] } }, { projection: { _id: 1 } }),
  );
  if (taken !== null) throw keyDuplicate(target, idIndexName, { _id: taken._id });
}

function withId(row: Row, id: unknown): Row {
  return { _id: id, ...row, ...('_id' in row ? { _id: id } : {}) };
}
