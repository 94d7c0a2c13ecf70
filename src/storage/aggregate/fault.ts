import { describeValue, MillraceError } from '../../errors.js';

/** A pipeline that cannot run; `place` is like `pipeline[1].$group`. */
export function pipelineInvalid(place: string, message: string, cause?: unknown): MillraceError {
  return new MillraceError('PIPELINE_INVALID', `${place}: ${message}`, cause === undefined ? {} : { cause });
}

/** The body of a stage is of another kind. */
export function wrongBody(place: string, expected: string, came: unknown): MillraceError {
  return pipelineInvalid(place, `takes ${expected}; got ${describeValue(came)}`);
}
