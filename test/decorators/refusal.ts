import { expect } from 'vitest';
import { MillraceError } from '../../src/errors.js';

/** What a test asserts of a refusal: its code, where it points, and its words. */
export function refusal(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError);
    return error as MillraceError;
  }
  throw new Error('nothing was refused');
}
