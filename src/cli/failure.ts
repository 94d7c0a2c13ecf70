import { findUserFrame } from '../metadata/call-site.js';
import type { Fault } from '../errors.js';
import { toError } from '../errors.js';
import type { Output } from './output.js';

/** How a command ended. */
export const exitCode = Object.freeze({ done: 0, failed: 1, refused: 2, interrupted: 130 } as const);

/** The command line is wrong. */
export class UsageError extends Error {
  static {
    this.prototype.name = 'UsageError';
  }
}

export interface FailureOptions {
  /** With the stack of every error in the chain. */
  readonly debug?: boolean;
  /** Hides secrets. */
  readonly mask?: (text: string) => string;
  /** What to do about a fault, where a command line knows better than an API. */
  readonly fix?: (fault: Fault) => string | undefined;
}

/** An error as what is written of it: it may come from another copy of Millrace, so that its class says nothing. */
interface Told extends Error {
  readonly code?: unknown;
  readonly faults?: readonly Fault[];
  readonly where?: unknown;
  readonly errors?: readonly Error[];
}

/** 1 where a run has failed, else 2: nothing ran. */
export function exitCodeOf(error: unknown): number {
  return isTaskError(error) ? exitCode.failed : exitCode.refused;
}

export function isTaskError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TaskError' || error.name === 'WorkflowError');
}

/** The code of what went wrong: that of Millrace's own error beneath a failed task, where there is one. */
export function codeOf(error: unknown): string | undefined {
  const { code, cause } = error as Told;
  if (!isOurs(error) || typeof code !== 'string') return undefined;
  if (code !== 'TASK_FAILED' && code !== 'WORKFLOW_FAILED') return code;
  const beneath = codeOf(cause ?? {});
  return beneath === undefined || beneath === 'TASK_FAILED' ? code : beneath;
}

/** Whether it is an error of Millrace, of whichever copy: Node's errors have codes too. */
function isOurs(error: unknown): error is Told {
  return error instanceof Error && Array.isArray((error as Told).where);
}

/** What is written to standard error of a failure. */
export function describeFailure(
  thrown: unknown,
  { colors }: Pick<Output, 'colors'>,
  { debug = false, mask = same, fix }: FailureOptions = {},
): string {
  const error = toError(thrown) as Told;
  const faults = error.faults ?? [];
  const lines =
    faults.length > 0
      ? faults.flatMap((fault) => describeFault({ ...fault, where: fault.where, fix: fix?.(fault) ?? fault.fix }, { colors }))
      : [titled(codeOf(error), error.message, { colors })];
  if (faults.length === 0) lines.push(...placesOf(error).map((place) => colors.dim(`  at ${place}`)));
  if (debug) lines.push(colors.dim(stacksOf(error).join('\n')));
  return mask(lines.join('\n'));
}

/** One fault: what is wrong, where, and what to do. */
export function describeFault({ code, message, where, fix }: Fault, { colors }: Pick<Output, 'colors'>): readonly string[] {
  return [titled(code, message, { colors }), ...where.map((at) => colors.dim(`  at ${at}`)), `  → ${fix}`];
}

function titled(code: string | undefined, message: string, { colors }: Pick<Output, 'colors'>): string {
  return `${colors.red(code === undefined ? 'error' : `error ${code}`)}: ${message}`;
}

/** What the error says itself, else where the user's own code threw. */
function placesOf(error: Told): readonly string[] {
  if (Array.isArray(error.where) && error.where.length > 0) return error.where as string[];
  if (!isTaskError(error) || error.code === 'TASK_CANCELLED' || error.code === 'WORKFLOW_CANCELLED' || !(error.cause instanceof Error))
    return [];
  if (isTaskError(error.cause)) return placesOf(error.cause); // of a workflow: the step that failed
  if ('where' in error.cause) return [];
  const place = findUserFrame(error.cause.stack);
  return place.startsWith('(') ? [] : [place];
}

function stacksOf(error: Told, seen = new Set<unknown>()): string[] {
  if (seen.has(error)) return [];
  seen.add(error);
  const inner = [...(error.cause instanceof Error ? [error.cause as Told] : []), ...(error.errors ?? [])];
  return [
    error.stack ?? String(error),
    ...inner.flatMap((one) => stacksOf(one, seen).map((stack, index) => (index === 0 ? `caused by ${stack}` : stack))),
  ];
}

function same(text: string): string {
  return text;
}
