import { toDate, toNumber } from '../../storage/files/convert.js';
import type { Class, Column } from '../../types.js';
import { columnsOf } from '../../validation/columns.js';
import { nestedClass } from '../../validation/nested-class.js';
import type { MapNode, Node, ScalarNode } from './node.js';
import type { At } from './source.js';

/** A value, and where each of its parts stands in the file, by dotted path. */
export interface Placed {
  readonly value: object;
  /** Of values; a key that is at fault itself is in `keys`. */
  readonly values: ReadonlyMap<string, At>;
  readonly keys: ReadonlyMap<string, At>;
}

/** A map as the object that a class describes: what differs from the class only in how it is written becomes what is meant. */
export function toTyped(node: MapNode, schema: Class | undefined): Placed {
  const values = new Map<string, At>();
  const keys = new Map<string, At>();
  return { value: mapOf(node, schema, '', { values, keys }), values, keys };
}

interface Places {
  readonly values: Map<string, At>;
  readonly keys: Map<string, At>;
}

function mapOf(node: MapNode, schema: Class | undefined, path: string, places: Places): object {
  const columns = new Map((schema === undefined ? [] : columnsOf(schema)).map((column) => [column.name, column]));
  const object = {};
  for (const { key, at, value } of node.entries) {
    const full = `${path}${key}`;
    places.keys.set(full, at);
    const inner = schema === undefined ? undefined : nestedClass(schema, key).fixed;
    // also `__proto__`, which then is refused as a name that the class does not have
    Object.defineProperty(object, key, {
      value: valueOf(value, columns.get(key), inner, full, places),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}

function valueOf(node: Node, column: Column | undefined, inner: Class | undefined, path: string, places: Places): unknown {
  places.values.set(path, node.at);
  if (node.kind === 'scalar') return scalarOf(node, column?.type ?? 'any');
  if (node.kind === 'map') return mapOf(node, inner, `${path}.`, places);
  return node.items.map((item, index) => valueOf(item, undefined, inner, `${path}.${String(index)}`, places));
}

/** `007` of a text stays `007`; `"5"` of a number, perhaps from the environment, is 5; `2026-05-01` of a Date is one. */
function scalarOf({ value, text }: ScalarNode, type: Column['type']): unknown {
  if (value === null) return value;
  if (type === 'string') return typeof value === 'string' ? value : text;
  if (typeof value !== 'string') return value;
  if (type === 'number') return toNumber(value);
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  return type === 'date' ? toDate(value) : value;
}
