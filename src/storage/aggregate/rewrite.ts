import { fieldOf, isDocument } from '../query/path.js';

/** What a path such as `$a.b` is rewritten to: mingo goes through arrays in arrays, where the server does not. */
export const pathOperator = '$millracePath';

/** Operands that count as true or false: the server has its own mind about `''`, NaN and zeros of other types. */
const conditions: Readonly<Record<string, (operand: unknown) => unknown>> = {
  $cond: (operand) => {
    if (Array.isArray(operand)) return operand.map((one: unknown, at) => (at === 0 ? truth(one) : one));
    return isDocument(operand) ? { ...operand, if: truth((operand as { readonly if?: unknown }).if) } : operand;
  },
  $filter: (operand) => (isDocument(operand) ? { ...operand, cond: truth((operand as { readonly cond?: unknown }).cond) } : operand),
  $switch: (operand) => {
    if (!isDocument(operand)) return operand;
    const { branches } = operand as { readonly branches?: unknown };
    if (!Array.isArray(branches)) return operand;
    const judged = branches.map((one: unknown) =>
      isDocument(one) ? { ...one, case: truth((one as { readonly case?: unknown }).case) } : one,
    );
    return { ...operand, branches: judged };
  },
};

function truth(condition: unknown): object {
  return { $and: [condition] };
}

/** An expression in words that mingo takes as the server does. */
export function rewrite(expression: unknown): unknown {
  if (typeof expression === 'string') return /^\$[^$.][^.]*\./.test(expression) ? { [pathOperator]: { $literal: expression } } : expression;
  if (Array.isArray(expression)) return expression.map(rewrite);
  if (!isDocument(expression) || Object.getPrototypeOf(expression) !== Object.prototype) return expression;
  const entries = Object.entries(expression) as [string, unknown][];
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name === '$literal' ? value : rewrite((conditions[name] ?? same)(value))] as const),
  );
}

function same(operand: unknown): unknown {
  return operand;
}

/** What `$a.b` gives: of an array what its documents have there, of arrays in it nothing. */
export function valuesAt(value: unknown, parts: readonly string[]): unknown {
  for (let at = 0; at < parts.length; at++) {
    if (Array.isArray(value)) {
      const rest = parts.slice(at);
      return value
        .filter(isDocument)
        .map((one) => valuesAt(one, rest))
        .filter((found) => found !== undefined);
    }
    value = isDocument(value) ? fieldOf(value, parts[at] as string) : undefined;
  }
  return value;
}
