import { MillraceError, TaskError, toError } from '../errors.js';
import type { AttemptEnd } from './attempt.js';
import { describeDuration } from './log.js';
import type { Masker } from './secrets.js';

interface FailedTask {
  readonly processor: string;
  readonly taskId: string;
  readonly attempts: number;
  /** Milliseconds that an action has had to heed its signal. */
  readonly closeTimeout: number;
}

/** Says how the last attempt of a task ended, without the secrets of its parameters. */
export function toTaskError(end: AttemptEnd, { processor, taskId, attempts, closeTimeout }: FailedTask, masker: Masker): TaskError {
  const facts = {
    cause: end.error,
    path: end.path ?? [processor],
    taskId,
    processor,
    attempts,
    ...(end.teardown === undefined ? {} : { teardown: end.teardown }),
  };
  const ignored =
    end.abandoned === true
      ? `; it ignored its signal for ${describeDuration(closeTimeout)} and was given up: pass the signal on, or check it between rows`
      : '';
  const teardown = end.teardown === undefined ? '' : `; besides, ${end.teardown.message}`;
  const tried = attempts > 1 ? ` after ${String(attempts)} attempts` : '';
  const text = {
    TASK_FAILED: `Processor '${processor}' failed${tried}: ${messageOf(end.error)}`,
    TASK_TIMEOUT: `${messageOf(end.error)}${tried}${ignored}`,
    TASK_CANCELLED: `Processor '${processor}' was cancelled: ${messageOf(end.error)}${ignored}`,
  }[end.code ?? 'TASK_FAILED'];
  return new TaskError(end.code ?? 'TASK_FAILED', masker.text(`${text}${teardown}`), facts);
}

/** The code of what went wrong: that of Millrace's own error beneath, where there is one. */
export function codeOf(error: TaskError): string {
  return error.cause instanceof MillraceError && error.code === 'TASK_FAILED' ? error.cause.code : error.code;
}

export function messageOf(error: unknown): string {
  return toError(error).message;
}
