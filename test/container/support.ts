import { expect } from 'vitest';
import { MillraceError, ScopeCloseError, type ErrorCode } from '../../src/errors.js';
import { resource } from '../../src/container/resource.js';
import type { Resource } from '../../src/types.js';

export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}
export function deferred(): Deferred {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return {
    promise,
    resolve: () => {
      resolve();
    },
  };
}

/** Lets everything that is ready go on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}

export async function failure(promise: Promise<unknown>, code: ErrorCode): Promise<MillraceError> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(MillraceError);
  expect((error as MillraceError).code).toBe(code);
  return error as MillraceError;
}

export async function closeFailure(promise: Promise<unknown>): Promise<ScopeCloseError> {
  const error = await failure(promise, 'SCOPE_CLOSE_FAILED');
  expect(error).toBeInstanceOf(ScopeCloseError);
  return error as ScopeCloseError;
}

/** A resource that logs its set-up, and how it was closed. */
export function logged(name: string, log: string[], needs: readonly Resource<unknown>[] = []): Resource<string> {
  const make = {
    *[name](): Generator<string> {
      log.push(`open ${name}`);
      try {
        yield name;
      } catch (cause) {
        log.push(`fail ${name}: ${cause instanceof Error ? cause.name : String(cause)}`);
        throw cause;
      }
      log.push(`close ${name}`);
    },
  }[name] as () => Generator<string>;
  return resource(needs, make);
}
