import { MillraceError } from '../../errors.js';
import { maskUrl } from '../../mask.js';
import type { Address } from './address.js';

/** What was being done when an operation failed: completes "… while" in a message. */
export interface Doing {
  /** `inserting into 'prices'`. */
  readonly what: string;
  /** The collection whose rows it is about, where it only reads. */
  readonly reads?: string;
  /** What a server's refusal of what it was sent is called. Default `STORE_UNAVAILABLE`. */
  readonly refused?: 'QUERY_INVALID' | 'PIPELINE_INVALID' | 'ROW_INVALID';
}

/** Errors of the driver that mean: the server could not be asked, or did not answer. */
const unreachable = new Set([
  'MongoNetworkError', // also a pool that was closed, or cleared when a connection broke
  'MongoServerSelectionError',
  'MongoTopologyClosedError',
  'MongoServerClosedError',
  'MongoNotConnectedError',
  'MongoClientClosedError',
  'MongoExpiredSessionError',
  'MongoUnexpectedServerResponseError',
  'MongoOperationTimeoutError', // the URL's timeoutMS
  'PoolClosedError',
  'WaitQueueTimeoutError',
]);
/** Codes of a server that shuts down, steps down, waits for others or ran out of the time that the URL allows. */
const transient = new Set([6, 7, 24, 50, 64, 89, 91, 112, 134, 189, 262, 317, 358, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436]);
const unauthorized = new Set([8000, 13, 18]);
const full = new Set([14031, 12500]);
const tooLarge = new Set([10334, 17419, 17420, 2]);
/** Codes that say nothing of what was sent. */
const internal = new Set([1, 8, 96]);

export const server = Object.freeze({
  namespaceNotFound: 26,
  cursorNotFound: 43,
  namespaceExists: 48,
  invalidNamespace: 73,
  indexOptionsConflict: 85,
  indexKeySpecsConflict: 86,
  notImplemented: 115,
  documentValidation: 121,
  queryPlanKilled: 175,
  duplicateKey: 11000,
});

/** The server's code of an error, where it has one. */
export function codeOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/** Whether a client found no server at all. */
export function isLost(error: unknown): boolean {
  return error instanceof Error && error.name === 'MongoServerSelectionError';
}

/** Whether the server was out of reach, so that what was asked may have happened or not, and may be asked again. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof MillraceError) return error.code === 'STORE_UNAVAILABLE' && isUnreachable(error.cause);
  if (!(error instanceof Error)) return false;
  return isKind(error, unreachable) || isBroken(error) || transient.has(codeOf(error) ?? 0) || isSystemError(error);
}

/** The driver is not loaded here, so its classes are known by name; some errors have classes of their own below these. */
function isKind(error: Error, kinds: ReadonlySet<string>): boolean {
  for (let kind: unknown = error.constructor; typeof kind === 'function'; kind = Object.getPrototypeOf(kind))
    if (kinds.has(kind.name)) return true;
  return kinds.has(error.name);
}

/** A batch of writes that ended without an answer: what ended it is not told but in words. */
function isBroken(error: Error): boolean {
  return error.name === 'MongoBulkWriteError' && codeOf(error) === undefined;
}

function isSystemError(error: Error): boolean {
  return 'syscall' in error && 'errno' in error;
}

/** What the driver threw, as an error of ours that names the host and what was done. */
export function toFailure(error: unknown, doing: Doing, address: Address): unknown {
  if (error instanceof MillraceError || !(error instanceof Error)) return error;
  const code = codeOf(error) ?? 0;
  if (code === server.queryPlanKilled && doing.reads !== undefined) return replaced(doing.reads, undefined, error);
  const said = maskUrl(error.message);
  const fail = (as: MillraceError['code'], what: string): MillraceError =>
    new MillraceError(as, `${address.url}: ${what} while ${doing.what}`, { cause: error });
  if (isUnreachable(error)) {
    const failure = `MongoDB at ${address.hosts} is out of reach (${said}) while ${doing.what}`;
    const fix = isLost(error) ? '. Start the server, or check host and port' : '';
    return new MillraceError('STORE_UNAVAILABLE', `${address.url}: ${failure}${fix}`, { cause: error });
  }
  if (unauthorized.has(code))
    return fail('STORE_UNAVAILABLE', `MongoDB at ${address.hosts} refused access (${said}; check user, password and roles)`);
  if (full.has(code)) return fail('STORE_FULL', `MongoDB at ${address.hosts} has no space left (${said})`);
  if (code === server.duplicateKey) return fail('KEY_DUPLICATE', `a row has a key that another one has (${said})`);
  if (code === server.invalidNamespace) return fail('QUERY_INVALID', `MongoDB keeps no collection of that name (${said})`);
  if (code === server.documentValidation) return fail('ROW_INVALID', `a row breaks the validator of its collection (${said})`);
  const unkept = !error.name.startsWith('Mongo') || error.name === 'MongoInvalidArgumentError' || tooLarge.has(code);
  if (doing.refused === 'ROW_INVALID' && unkept) return fail('ROW_INVALID', `a row cannot be kept (${said})`);
  if (doing.refused !== undefined && doing.refused !== 'ROW_INVALID' && !internal.has(code))
    return fail(doing.refused, `MongoDB refused it (${said})`);
  return fail('STORE_UNAVAILABLE', `MongoDB at ${address.hosts} failed (${said})`);
}

/** @param rows - how many were read before it was noticed. */
export function replaced(collection: string, rows: number | undefined, cause?: unknown): MillraceError {
  const after = rows === undefined ? '' : `, after ${String(rows)} ${rows === 1 ? 'row' : 'rows'}`;
  return new MillraceError(
    'COLLECTION_REPLACED',
    `collection '${collection}' was replaced or dropped while it was being read${after}. Run again: the next attempt reads the new rows.`,
    cause === undefined ? {} : { cause },
  );
}
