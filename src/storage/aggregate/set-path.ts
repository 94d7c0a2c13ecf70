import { fieldOf, isDocument } from '../query/path.js';

/** A copy of a row with a value at a path: through every element of an array, and with new documents where there are none. */
export function withValue(row: object, parts: readonly string[], value: unknown, at = 0): object {
  const name = parts[at] as string;
  const copy: Record<string, unknown> = { ...row };
  if (at === parts.length - 1) {
    if (value === undefined) return without(copy, name);
    copy[name] = value;
    return copy;
  }
  copy[name] = inside(fieldOf(row, name), parts, value, at + 1);
  return copy;
}

function inside(current: unknown, parts: readonly string[], value: unknown, at: number): unknown {
  if (Array.isArray(current)) return current.map((one: unknown) => inside(one, parts, value, at));
  return withValue(isDocument(current) ? current : {}, parts, value, at);
}

function without(row: Record<string, unknown>, name: string): object {
  const { [name]: _left, ...others } = row;
  return others;
}
