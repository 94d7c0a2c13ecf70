import { randomBytes } from 'node:crypto';
import { createApp, mongoStore, rows as rowsFrom } from 'millrace';
import { MongoClient, type Collection, type Db } from 'mongodb';
import { compare, type ByHand } from './compare.js';
import { reprice, sales, UpsertBatches, type Sale } from './fixtures.js';
import { against, times, type Line } from './measure.js';

const count = 100_000;
const upserts = 10_000;
const batch = 1000;
const rounds = 5;

/**
 * Rows through a processor on a MongoDB server, in default mode, against a loop written by hand on the same driver: it empties its
 * target first, and stages nothing.
 */
export async function mongo(): Promise<Line[]> {
  const url = process.env['MONGODB_URI'];
  if (url === undefined || url === '') {
    process.stderr.write('mongo: SKIPPED, MONGODB_URI is not set (.ci/mongodb start brings a server up)\n');
    return [];
  }
  const database = `millrace-bench-${randomBytes(4).toString('hex')}`;
  const client = await new MongoClient(url).connect();
  try {
    await using app = await createApp({ stores: { default: mongoStore({ url, database }) }, log: 'silent' });
    const bare = new Bare(client.db(database));
    const { write, read, both, seen } = await compare(app, bare, { count, rounds });
    await bare.prepareUpserts();
    await app.store().createIndex('upserted', { id: 1 });
    const ours = (): unknown =>
      app
        .task(UpsertBatches)
        .bind({ from: rowsFrom(() => sales(upserts)), to: 'upserted' })
        .run();
    const theirs = (): unknown => bare.upsert(sales(upserts));
    await ours(); // what is measured replaces rows: of a first time there are none
    await theirs();
    const upsert = await against(rounds, ours, theirs);
    if (seen !== 2 * rounds * count) throw new Error(`${String(seen)} rows were read`);
    return [
      line('write', count, write),
      line('read', count, read),
      line('read, process, write', count, both),
      line('upsert', upserts, upsert),
    ];
  } finally {
    await client.db(database).dropDatabase();
    await client.close();
  }
}

function line(what: string, rows: number, { ours, theirs }: { readonly ours: number; readonly theirs: number }): Line {
  const ratio = theirs / ours;
  const rate = (rows / ours / 1000).toFixed(3);
  return {
    what: `MongoDB: ${what} (${rate} M rows/s), against its driver by hand`,
    measured: times(ratio),
    bar: '≥ 0.9 ×',
    holds: ratio >= 0.9,
  };
}

class Bare implements ByHand {
  readonly #source: Collection<Sale>;
  readonly #target: Collection<Sale>;
  readonly #upserted: Collection<Sale>;

  constructor(db: Db) {
    this.#source = db.collection('bare_sales');
    this.#target = db.collection('bare_repriced');
    this.#upserted = db.collection('bare_upserted');
  }

  async write(rows: Iterable<Sale>): Promise<void> {
    await this.#source.deleteMany({});
    let held: Sale[] = [];
    for (const row of rows) {
      if (held.push(row) < batch) continue;
      await this.#source.insertMany(held);
      held = [];
    }
    if (held.length > 0) await this.#source.insertMany(held);
  }

  async read(take: (rows: readonly Sale[]) => void): Promise<void> {
    for await (const rows of this.#batches()) take(rows);
  }

  async *#batches(): AsyncGenerator<Sale[]> {
    let held: Sale[] = [];
    for await (const row of this.#source.find({}, { batchSize: batch })) {
      if (held.push(row) < batch) continue;
      yield held;
      held = [];
    }
    if (held.length > 0) yield held;
  }

  async readWrite(): Promise<void> {
    await this.#target.deleteMany({});
    for await (const rows of this.#batches()) await this.#target.insertMany(rows.map(reprice));
  }

  /** Both targets have what upserts go by. */
  async prepareUpserts(): Promise<void> {
    await this.#upserted.createIndex({ id: 1 });
  }

  async upsert(rows: Iterable<Sale>): Promise<void> {
    let held: Sale[] = [];
    const send = async (): Promise<void> => {
      if (held.length === 0) return;
      await this.#upserted.bulkWrite(held.map((row) => ({ replaceOne: { filter: { id: row.id }, replacement: row, upsert: true } })));
      held = [];
    };
    for (const row of rows) if (held.push(row) >= batch) await send();
    await send();
  }
}
