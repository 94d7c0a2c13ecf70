import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'bson';
import { open, type Database, type RootDatabase } from 'lmdb';
import { createApp, embeddedStore } from 'millrace';
import { compare, type ByHand } from './compare.js';
import { reprice, type Sale } from './fixtures.js';
import { times, type Line } from './measure.js';

const count = 200_000;
const batch = 1000;

/**
 * Rows through a processor on the embedded store, in default mode, against a loop written by hand on lmdb and bson: it empties its
 * target first and flushes last, but stages nothing, gives no ids and keeps no index.
 */
export async function store(): Promise<Line[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const root = open({ path: join(folder, 'bare'), encoding: 'binary', maxDbs: 4 });
  try {
    await using app = await createApp({ stores: { default: embeddedStore({ path: join(folder, 'ours') }) }, log: 'silent' });
    const bare = new Bare(root);
    const { write, read, both, seen } = await compare(app, bare, { count, rounds: 5 });
    if (seen === 0) throw new Error('nothing was read');
    return [line('write', write), line('read', read), line('read, process, write', both)];
  } finally {
    await root.close();
    await rm(folder, { recursive: true });
  }
}

function line(what: string, { ours, theirs }: { readonly ours: number; readonly theirs: number }): Line {
  const ratio = theirs / ours;
  const rate = (count / ours / 1000).toFixed(2);
  return {
    what: `embedded store: ${what} (${rate} M rows/s), against lmdb and bson by hand`,
    measured: times(ratio),
    bar: '≥ 0.9 ×',
    holds: ratio >= 0.9,
  };
}

class Bare implements ByHand {
  readonly #source: Database<Buffer, number>;
  readonly #target: Database<Buffer, number>;

  constructor(root: RootDatabase) {
    this.#source = root.openDB<Buffer, number>('source', { encoding: 'binary' });
    this.#target = root.openDB<Buffer, number>('target', { encoding: 'binary' });
  }

  async write(rows: Iterable<Sale>): Promise<void> {
    await this.#source.clearAsync();
    let key = 0;
    let held: Sale[] = [];
    for (const row of rows) {
      if (held.push(row) < batch) continue;
      key = await put(this.#source, key, held);
      held = [];
    }
    await put(this.#source, key, held);
    await this.#source.flushed;
  }

  read(take: (rows: readonly Sale[]) => void): void {
    for (const rows of this.#batches()) take(rows);
  }

  async readWrite(): Promise<void> {
    await this.#target.clearAsync();
    let key = 0;
    for (const rows of this.#batches()) key = await put(this.#target, key, rows.map(reprice));
    await this.#target.flushed;
  }

  *#batches(): Generator<Sale[]> {
    let rows: Sale[] = [];
    for (const { value } of this.#source.getRange({})) {
      if (rows.push(deserialize(value) as Sale) < batch) continue;
      yield rows;
      rows = [];
    }
    yield rows;
  }
}

async function put(target: Database<Buffer, number>, from: number, rows: readonly Sale[]): Promise<number> {
  await target.batch(() => {
    for (const [index, row] of rows.entries()) void target.put(from + index, serialize(row) as Buffer);
  });
  return from + rows.length;
}
