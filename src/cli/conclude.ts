import type { App } from '../project/app.js';
import { exitCode, exitCodeOf } from './failure.js';

/** What tells a user how a run went. */
interface Teller<E> {
  tell(ended: E): void;
  tellError(error: unknown): void;
}

/**
 * Closes the app, and then tells how its run ended: the result comes last, since closing has events of its own, and what fails to close
 * makes a run that went well one that did not.
 *
 * @returns the exit code.
 */
export async function conclude<E extends object>(app: App, teller: Teller<E>, ended: E): Promise<number> {
  const unclosed = await app.close().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  teller.tell(ended);
  if (unclosed !== undefined) teller.tellError(unclosed.error);
  if ('error' in ended) return exitCodeOf(ended.error);
  return unclosed === undefined ? exitCode.done : exitCode.failed;
}
