import { describeValue, MillraceError, suggestName } from '../../errors.js';

/** A filter, sort or projection that no store takes. */
export function queryInvalid(message: string): MillraceError {
  return new MillraceError('QUERY_INVALID', message);
}

/** An operator that nobody knows; the nearest known one is named. */
export function unknownOperator(operator: string, known: Iterable<string>): MillraceError {
  return queryInvalid(`unknown operator '${operator}' in a filter. ${suggestName(operator, known)}`);
}

/** An operand of the wrong kind. */
export function wrongOperand(operator: string, expected: string, came: unknown): MillraceError {
  return queryInvalid(`${operator} takes ${expected}; got ${describeValue(came)}`);
}
