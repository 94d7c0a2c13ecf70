import type { App, AppOptions } from '../project/app.js';
import { composeApp } from '../project/compose-app.js';
import { findProjectOptions } from '../project/project.js';
import { memoryStore } from '../storage/open.js';
import type { Store } from '../storage/store.js';

/**
 * An app on memory stores: stores that are given as URLs, those of the project included, are memory stores of the same names. It logs
 * nothing unless it is given a log, and rows are frozen.
 *
 * Disposing it throws where a scope that was opened by hand is still open, or where any closer has failed.
 *
 * @throws {@link CompositionError} that holds every wiring mistake.
 * @example
 * ```ts
 * await using app = await createTestApp({ processors: [NormalisePrices], provide: [[settings, { url: 'test' }]] });
 * ```
 */
export async function createTestApp<const D extends readonly unknown[]>(options?: AppOptions<D>): Promise<App> {
  const given = { ...findProjectOptions(options?.project)?.stores, ...options?.stores };
  const stores: Record<string, Store> = { default: memoryStore() };
  for (const [name, store] of Object.entries(given)) stores[name] = typeof store === 'string' ? memoryStore() : store;
  return composeApp({ log: 'silent', ...options, stores }, { freeze: true, strict: true });
}
