import { describeValue } from '../../errors.js';
import type { At } from './source.js';

/** What a definition file says, whichever language it is written in, with the place of each part. */
export type Node = MapNode | ListNode | ScalarNode;

export interface Entry {
  readonly key: string;
  /** Of the key. */
  readonly at: At;
  readonly value: Node;
}
export interface MapNode {
  readonly kind: 'map';
  readonly at: At;
  /** In the order of the file; no key twice. */
  readonly entries: readonly Entry[];
}
export interface ListNode {
  readonly kind: 'list';
  readonly at: At;
  readonly items: readonly Node[];
}
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly at: At;
  /** Where it ends in the file. */
  readonly end: number;
  readonly value: string | number | boolean | null | Date;
  /** As it was written, without quotes: `007`. */
  readonly text: string;
}

export function findEntry(node: Node | undefined, key: string): Entry | undefined {
  return node?.kind === 'map' ? node.entries.find((entry) => entry.key === key) : undefined;
}

export function find(node: Node | undefined, key: string): Node | undefined {
  return findEntry(node, key)?.value;
}

/** The text of a scalar; undefined for anything else. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function itemsOf(node: Node | undefined): readonly Node[] {
  return node === undefined ? [] : node.kind === 'list' ? node.items : [node];
}

/** A node as a value; objects have no prototype's names in them, and `__proto__` is a name like any other. */
export function toValue(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toValue);
  const object = {};
  for (const { key, value } of node.entries)
    Object.defineProperty(object, key, { value: toValue(value), enumerable: true, configurable: true, writable: true });
  return object;
}

/** A value as a node: every part of it is where the whole is. */
export function fromValue(value: unknown, at: At, end: number): Node {
  if (Array.isArray(value)) return { kind: 'list', at, items: value.map((item) => fromValue(item, at, end)) };
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    return { kind: 'map', at, entries: Object.entries(value).map(([key, inner]) => ({ key, at, value: fromValue(inner, at, end) })) };
  }
  const scalar = value as ScalarNode['value'];
  return { kind: 'scalar', at, end, value: scalar, text: scalar instanceof Date ? scalar.toISOString() : String(scalar) };
}

/** A node as a message shows it. */
export function describeNode(node: Node): string {
  if (node.kind === 'scalar') return node.value === null ? 'nothing' : describeValue(node.value);
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : `a list of ${String(node.items.length)}`;
  return node.entries.length === 0
    ? 'an empty map'
    : `a map (${node.entries
        .slice(0, 3)
        .map(({ key }) => key)
        .join(', ')}${node.entries.length > 3 ? ', …' : ''})`;
}
