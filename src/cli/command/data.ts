import { suggestName } from '../../errors.js';
import type { AppStores } from '../../project/stores.js';
import { JsonEncoder } from '../../storage/files/encode.js';
import { toCellText } from '../../storage/files/plain-value.js';
import { loadBson } from '../../storage/ids.js';
import type { Store } from '../../storage/store.js';
import type { Query, Row } from '../../types.js';
import type { Cli } from '../command.js';
import { exportRows } from '../export.js';
import { exitCode, UsageError } from '../failure.js';
import type { Output } from '../output.js';
import { printTable } from '../table.js';
import { countOf, toJson } from '../text.js';
import { isAbsent, openStores } from '../workspace.js';

export interface DataOptions {
  readonly collection?: string;
  readonly filter?: string;
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly limit?: number;
  readonly to?: string;
  readonly store?: string;
}

const defaultLimit = 20;

/** `millrace data [COLLECTION]`. */
export async function data(options: DataOptions, cli: Cli): Promise<number> {
  const { collection, filter, sort, to } = options;
  if (collection === undefined && (filter ?? sort ?? to) !== undefined)
    throw new UsageError('--filter, --sort and --to are for the rows of a collection: name it.');
  const stores = await openStores(cli, options.store);
  try {
    return collection === undefined ? await listCollections(stores, cli) : await showRows(stores, collection, options, cli);
  } finally {
    await stores.close();
  }
}

async function listCollections(stores: AppStores, { out, err, json, quiet }: Cli): Promise<number> {
  const found: { readonly name: string; readonly store: string; readonly count: number }[] = [];
  for (const name of stores.names) {
    const store = stores.get(name);
    if (isAbsent(store)) continue;
    for (const collection of await store.collections()) found.push({ name: collection, store: name, count: await store.count(collection) });
  }
  if (json) out.line(toJson(found));
  else if (found.length === 0) {
    if (!quiet) err.line(`There are no collections in ${stores.names.map((name) => stores.get(name).url).join(', ')} yet.`);
  } else {
    const rows = found.map(({ name, store, count }) => [store === 'default' ? name : `${name}@${store}`, count.toLocaleString('en')]);
    await printTable(out, [{ title: 'COLLECTION' }, { title: 'ROWS', align: 'right' }], rows);
  }
  return exitCode.done;
}

async function showRows(stores: AppStores, text: string, { filter, sort, limit, to }: DataOptions, cli: Cli): Promise<number> {
  const { store, collection } = await getCollection(stores, text);
  const matching = filter === undefined ? {} : await parseFilter(filter);
  const most = limit ?? (to === undefined ? defaultLimit : 0);
  const query: Query<Row> = { filter: matching, limit: most, ...(sort === undefined ? {} : { sort }) };
  const batches = store.find<Row>(collection, query).batches();
  if (to !== undefined) {
    const count = await exportRows(batches, to, cli);
    if (cli.json) cli.out.line(toJson([{ file: to, count }]));
    else cli.out.line(`${countOf(count, 'row')} of ${text} written to ${to}`);
  } else if (cli.json) {
    await writeJson(batches, cli.out);
  } else {
    const shown = await writeTable(batches, cli.out);
    await tellRest({ shown, most, isFiltered: filter !== undefined, total: () => store.count(collection, matching) }, text, cli);
  }
  return exitCode.done;
}

/** A collection that there is, by `name` or `name@store`. */
async function getCollection(stores: AppStores, text: string): Promise<{ readonly store: Store; readonly collection: string }> {
  const at = text.lastIndexOf('@');
  const [collection, storeName] = at <= 0 ? [text, 'default'] : [text.slice(0, at), text.slice(at + 1)];
  const store = stores.get(storeName);
  const names = isAbsent(store) ? [] : await store.collections();
  if (names.includes(collection)) return { store, collection };
  throw new UsageError(`there is no collection '${collection}' in ${store.url}. ${suggestName(collection, names)}`);
}

/** JSON, with ids and dates as MongoDB's Extended JSON writes them. */
async function parseFilter(text: string): Promise<Record<string, unknown>> {
  const { EJSON } = await loadBson();
  let filter: unknown;
  try {
    filter = EJSON.parse(text, { relaxed: true });
  } catch (error) {
    throw new UsageError(
      `--filter is not JSON: ${(error as Error).message}. Write it in single quotes: --filter '{"year": {"$gte": 2000}}'.`,
      { cause: error },
    );
  }
  if (typeof filter === 'object' && filter !== null && !Array.isArray(filter)) return filter as Record<string, unknown>;
  throw new UsageError(`--filter is an object, like '{"year": {"$gte": 2000}}', not ${text}.`);
}

async function writeJson(batches: AsyncIterable<readonly Row[]>, out: Output): Promise<void> {
  const encoder = new JsonEncoder();
  for await (const batch of batches) {
    await out.write(encoder.encode(batch));
    if (out.isClosed) return;
  }
  await out.write(encoder.end());
}

/** Answers how many rows it has shown; it holds them all, since the widest decides. */
async function writeTable(batches: AsyncIterable<readonly Row[]>, out: Output): Promise<number> {
  const rows: Record<string, unknown>[] = [];
  for await (const batch of batches) for (const row of batch) rows.push(row as Record<string, unknown>);
  if (rows.length === 0) return 0;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((title) => ({
    title,
    align: rows.every((row) => isNumeric(row[title])) ? ('right' as const) : ('left' as const),
  }));
  await printTable(
    out,
    columns,
    rows.map((row) => names.map((name) => toCellText(row[name]))),
  );
  return rows.length;
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || value === undefined || value === null;
}

/** Says that there are more rows than are shown, or none. */
async function tellRest(
  {
    shown,
    most,
    isFiltered,
    total,
  }: { readonly shown: number; readonly most: number; readonly isFiltered: boolean; total(): Promise<number> },
  collection: string,
  { err, quiet }: Cli,
): Promise<void> {
  if (quiet) return;
  if (shown === 0) return err.line(isFiltered ? `No row of ${collection} matches.` : `${collection} has no rows.`);
  if (shown < most || most === 0) return;
  const all = await total();
  if (all > shown) err.line(err.colors.dim(`${countOf(shown, 'row')} of ${all.toLocaleString('en')}; --limit 0 shows all of them`));
}
