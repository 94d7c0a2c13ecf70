import type { App, AppOptions } from './app.js';

/**
 * Composes an app; no factory is run before its value is asked for.
 *
 * @throws {@link CompositionError} that holds every wiring mistake.
 */
export async function createApp<const D extends readonly unknown[]>(options?: AppOptions<D>): Promise<App> {
  const { composeApp } = await import('./compose-app.js'); // whoever only declares processors does not wait for what runs them
  return composeApp(options ?? {});
}
