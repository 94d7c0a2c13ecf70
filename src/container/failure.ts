import { MillraceError, ScopeCloseError, toError } from '../errors.js';
import { scopeAt, whereOf } from './dependency.js';
import type { Part } from './wiring.js';

/** The set-up of `part` failed by itself. */
export function setUpFailed(part: Part, cause: unknown): MillraceError {
  return failed([part.name], placesOf(part), cause);
}

/** The set-up of `part` failed since that of a need did; the first cause is kept, the path grows. */
export function needFailed(part: Part, error: MillraceError): MillraceError {
  if (error.code !== 'DEPENDENCY_FAILED') return error; // the scope was closed
  return failed([part.name, ...error.path], error.where, error.cause);
}

function failed(path: readonly string[], where: readonly string[], cause: unknown): MillraceError {
  const chain = path.length > 1 ? ` (${path.join(' -> ')})` : '';
  return new MillraceError('DEPENDENCY_FAILED', `Dependency '${path.at(-1)}' could not be set up: ${toError(cause).message}${chain}`, {
    cause,
    path,
    where,
  });
}

/** The tear-down of the last of `path` failed. */
export function closeFailed(part: Part, path: readonly string[], cause: unknown): MillraceError {
  const message = `Dependency '${part.name}' could not be closed: ${toError(cause).message}`;
  return new MillraceError('DEPENDENCY_FAILED', message, { cause, path, where: placesOf(part) });
}

export function scopeCloseFailed(level: number, errors: readonly MillraceError[], cause: { readonly cause?: unknown }): ScopeCloseError {
  const what = `${lifeOf(level)} closed with ${errors.length === 1 ? 'a failure' : `${errors.length} failures`}`;
  return new ScopeCloseError(`${what}: ${errors.map(({ message }) => message).join('; ')}`, errors, cause);
}

/** For who uses a scope that is closed, or waits for something of a scope that closes. */
export function scopeClosed(level: number, doing: string): MillraceError {
  return new MillraceError('SCOPE_CLOSED', `${lifeOf(level)} is closed: ${doing}.`);
}

/** What a generator is given where its scope ends before the work in it had its outcome. An AbortError by name. */
export function abortCause(reason: string, cause?: unknown): MillraceError {
  const error = new MillraceError('SCOPE_CLOSED', reason, cause === undefined ? {} : { cause });
  return Object.defineProperty(error, 'name', { value: 'AbortError', configurable: true, writable: true });
}

export function lifeOf(level: number): string {
  return level < 0 ? 'The container' : `Scope ${scopeAt(level)}`;
}

function placesOf(part: Part): string[] {
  const where = part.plan === undefined ? undefined : whereOf(part.plan.key);
  return where === undefined ? [] : [where];
}
