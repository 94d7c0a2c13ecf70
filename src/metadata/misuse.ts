import { MillraceError, type ErrorCode } from '../errors.js';
import type { CallSite } from './call-site.js';

/** One use of a decorator: where it stands, and what on. */
export interface Place {
  /** As the user writes it: `@Input()`. */
  readonly decorator: string;
  /** `NormalisePrices.raw` */
  readonly target: string;
  readonly where: CallSite;
}

/** The error for a decorator that is used wrongly; `problem` ends with what to do. */
export function misused({ decorator, target, where }: Place, problem: string, code: ErrorCode = 'DECORATOR_MISUSED'): MillraceError {
  const at = where();
  return new MillraceError(code, `${decorator} on ${target} (${at}): ${problem}`, { path: [target], where: [at] });
}

/** A class as messages name it. */
export function nameOf(target: { readonly name: string }): string {
  return target.name === '' ? '(anonymous class)' : target.name;
}
