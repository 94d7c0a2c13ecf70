import { compareAlike, order, orderOf, regExpOf } from './compare.js';
import { queryInvalid, wrongOperand } from './fault.js';
import type { ElementTest } from './element-test.js';

/** `$regex` with its `$options`: strings that match, and regular expressions that are the same. */
export function regExpOperand(pattern: unknown, options: unknown): ElementTest {
  if (options !== undefined && typeof options !== 'string') throw wrongOperand('$options', 'a string of flags', options);
  if (typeof pattern === 'string') return regExpTest({ pattern, flags: options ?? '' });
  if (orderOf(pattern) !== order.regExp) throw wrongOperand('$regex', 'a string or a regular expression', pattern);
  const { pattern: source, flags } = regExpOf(pattern);
  return regExpTest({ pattern: source, flags: options ?? flags });
}

/** A regular expression as a test: it matches strings, and equals itself. */
export function regExpTest({ pattern, flags }: { readonly pattern: string; readonly flags: string }): ElementTest {
  const expression = toRegExp(pattern, flags);
  return {
    leaf: true,
    test: (value) => {
      if (typeof value === 'string') return expression.test(value);
      const kind = orderOf(value);
      if (kind === order.string) return expression.test(String(value));
      return kind === order.regExp && compareAlike(order.regExp, value, expression) === 0;
    },
  };
}

/** @throws MillraceError `QUERY_INVALID` for a pattern or a flag that JavaScript does not know. */
function toRegExp(pattern: string, flags: string): RegExp {
  const unknown = [...flags].find((flag) => !'imsu'.includes(flag));
  if (unknown !== undefined) throw queryInvalid(`$regex does not know the option '${unknown}'. Known: i, m, s, u.`);
  try {
    return new RegExp(pattern, flags);
  } catch (error) {
    throw queryInvalid(`$regex /${pattern}/${flags} is not a regular expression: ${(error as Error).message}`);
  }
}
