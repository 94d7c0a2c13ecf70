import { MASK } from '../mask.js';
import type { Class } from '../types.js';
import { nestedClass, ownClass } from './nested-class.js';

/** Which properties of a class hold secrets. */
export type Secrets = (schema: Class) => ReadonlySet<string>;

/**
 * The value with every secret in it replaced by `***`: of the schema, of the classes nested in it, and of any object that was made
 * by a class. What holds no secret is returned as it is, what does is copied.
 *
 * @param schema - the class of `value`, or of the rows in it.
 */
export function maskSecrets(value: unknown, schema: Class | undefined, secrets: Secrets): unknown {
  return masked(value, schema, { secrets, path: new Set() });
}

interface Walk {
  readonly secrets: Secrets;
  /** The objects that hold the one at hand. */
  readonly path: Set<object>;
}

function masked(value: unknown, schema: Class | undefined, walk: Walk): unknown {
  if (typeof value !== 'object' || value === null || isLeaf(value)) return value;
  if (walk.path.has(value)) return '[circular]';
  walk.path.add(value);
  const result = maskedObject(value, schema, walk);
  walk.path.delete(value);
  return result;
}

function maskedObject(value: object, schema: Class | undefined, walk: Walk): unknown {
  if (Array.isArray(value))
    return copyIfChanged(
      value as unknown[],
      (one) => masked(one, schema, walk),
      (items) => items,
    );
  if (value instanceof Set)
    return copyIfChanged(
      [...value],
      (one) => masked(one, schema, walk),
      (items) => new Set(items),
      value,
    );
  if (value instanceof Map) {
    const keys = [...value.keys()] as unknown[];
    return copyIfChanged(
      [...value.values()],
      (one) => masked(one, schema, walk),
      (items) => new Map(items.map((one, at) => [keys[at], one])),
      value,
    );
  }
  return maskedProperties(value, schema ?? ownClass(value), walk);
}

function maskedProperties(value: object, schema: Class | undefined, walk: Walk): unknown {
  const hidden = schema === undefined ? undefined : walk.secrets(schema);
  const entries = Object.entries(value) as [string, unknown][];
  const maskedEntry = ([name, inner]: [string, unknown]): [string, unknown] => {
    if (hidden?.has(name) === true) return [name, inner === undefined ? inner : MASK];
    if (typeof inner !== 'object' || inner === null) return [name, inner];
    return [name, masked(inner, schema === undefined ? undefined : nestedClass(schema, name).of(inner, value), walk)];
  };
  const copy = entries.map(maskedEntry);
  return copy.every(([, inner], at) => inner === entries[at]?.[1]) ? value : Object.fromEntries(copy);
}

function copyIfChanged<T>(items: readonly T[], change: (item: T) => T, make: (changed: T[]) => unknown, same: unknown = items): unknown {
  const changed = items.map(change);
  return changed.every((one, at) => one === items[at]) ? same : make(changed);
}

/** Objects that are one value, whatever properties they have. */
function isLeaf(value: object): boolean {
  return (
    value instanceof Date || value instanceof RegExp || value instanceof Error || value instanceof Promise || ArrayBuffer.isView(value)
  );
}
