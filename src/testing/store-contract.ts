import type { Store } from '../storage/store.js';
import { aggregateCases } from './store-contract/aggregates.js';
import { changeCases } from './store-contract/changes.js';
import type { Case } from './store-contract/check.js';
import { indexCases } from './store-contract/indexes.js';
import { publishingCases } from './store-contract/publishing.js';
import { queryCases } from './store-contract/queries.js';
import { rowCases } from './store-contract/rows.js';
import { stagingCases } from './store-contract/staging.js';

type It = (name: string, body: () => Promise<void>) => unknown;

/** Vitest hides its functions unless told otherwise; where it runs it is loaded already. Anywhere else nothing is loaded for it. */
const vitest = process.env['VITEST'] === undefined ? undefined : ((await import('vitest')) as { readonly it: It });

/**
 * The contract that every store passes, as tests: call it inside `describe`, in vitest, jest, mocha or node's own runner.
 *
 * @param open - Opens a store; called for each test, and closed after it. The stores may share their data: each test uses collections of
 * its own and drops them.
 * @example
 * ```ts
 * describe('myStore', () => {
 *   storeContract(() => myStore());
 * });
 * ```
 */
export function storeContract(open: () => Promise<Store> | Store): void {
  const it = findIt();
  const all = [rowCases, changeCases, queryCases, indexCases, aggregateCases, stagingCases, publishingCases].flat();
  for (const one of all) it(one.name, () => runCase(one, open));
}

function findIt(): It {
  const given = (globalThis as { readonly it?: It }).it;
  return given ?? vitest?.it ?? (process.getBuiltinModule('node:test').it as It);
}

let cases = 0;

async function runCase(one: Case, open: () => Promise<Store> | Store): Promise<void> {
  const names = new Set<string>();
  const mark = `${process.pid}-${Date.now().toString(36)}-${cases++}`;
  const store = await open();
  try {
    await one.run(store, (name) => note(names, `contract-${mark}-${name}`), open);
    for (const name of names) await store.drop(name);
  } finally {
    await store.close();
  }
}

function note(names: Set<string>, name: string): string {
  names.add(name);
  return name;
}
