import { nearestName, suggestName } from '../../errors.js';
import { describeNode, itemsOf, textOf, type Entry, type MapNode, type Node, type ScalarNode } from './node.js';
import type { Key, NumberShape, ObjectShape, Shape, TextShape } from './shape.js';
import type { Faults } from './source.js';
import { hasReference } from './template.js';
import type { Variables } from './variables.js';

/** Checks parts of a file against what may stand there, and fills in variables on the way. */
export class ShapeReader {
  readonly #faults: Faults;
  readonly #variables: Variables | undefined;

  /** @param variables - absent while they are not known: then texts are taken as they stand. */
  constructor(faults: Faults, variables: Variables | undefined) {
    this.#faults = faults;
    this.#variables = variables;
  }

  /** The node as it is meant; undefined where it is at fault, which is told. What is read by its own rules is passed as it is. */
  read(node: Node, shape: Shape, key: string): Node | undefined {
    if (shape.kind === 'steps' || shape.kind === 'binding' || shape.kind === 'params') return node;
    if (shape.kind === 'object') return this.object(node, shape, key);
    if (shape.kind === 'either') return this.read(node, node.kind === 'scalar' ? shape.scalar : shape.map, key);
    const literal = shape.kind === 'text' && shape.literal === true;
    const filled = node.kind === 'scalar' && !literal ? this.fill(node) : node;
    if (filled === undefined) return undefined;
    if (shape.kind === 'any') return filled === node && node.kind !== 'scalar' ? this.fill(node) : filled;
    if (shape.kind === 'list') return this.#list(filled, shape, key);
    if (shape.kind === 'map') return this.#map(filled, shape, key);
    return this.#scalar(shape.kind === 'text' && filled !== node ? spelled(filled) : filled, shape, key);
  }

  /** A node with its variables filled in. */
  fill(node: Node): Node | undefined {
    return this.#variables === undefined ? node : this.#variables.expand(node);
  }

  /** A map of known keys; those at fault are left out. */
  object(node: Node, shape: ObjectShape, key: string): MapNode | undefined {
    if (node.kind !== 'map') {
      if (node.kind === 'scalar' && node.value === null && (shape.required ?? []).length === 0)
        return { kind: 'map', at: node.at, entries: [] };
      return this.#faults.invalid(
        node.at,
        `'${key}' is ${describeNode(node)}, and ${shape.what} is expected`,
        `Write a map with ${list(Object.keys(shape.keys), shape)}.`,
      );
    }
    const entries = node.entries.flatMap((entry): Entry[] => {
      const known = Object.hasOwn(shape.keys, entry.key) ? shape.keys[entry.key] : undefined;
      if (known === undefined) return this.#unknownKey(entry, shape);
      if (entry.value.kind === 'scalar' && entry.value.value === null && known.shape.kind !== 'any')
        return this.#empty(entry, shape, known);
      const value = this.read(entry.value, known.shape, entry.key);
      return value === undefined ? [] : [{ ...entry, value }];
    });
    for (const required of shape.required ?? []) {
      if (node.entries.some((entry) => entry.key === required)) continue;
      this.#faults.invalid(node.at, `${shape.what} has no '${required}'`, `Give it one: ${lower(shape.keys[required]?.description ?? '')}`);
    }
    return { ...node, entries };
  }

  #empty({ at, key }: Entry, shape: ObjectShape, known: Key): [] {
    // nothing under an optional key with a list or a map in it is how one begins to write
    const required = shape.required?.includes(key) === true;
    if (required || !['list', 'map', 'object'].includes(known.shape.kind))
      this.#faults.invalid(at, `'${key}' has no value`, `Give it one${required ? '' : ', or leave it out'}: ${lower(known.description)}`);
    return [];
  }

  #unknownKey({ key, at }: Entry, { keys, former = {}, what }: ObjectShape): [] {
    const known = Object.keys(keys).filter((one) => keys[one]?.former !== true && one !== '$schema');
    const remedy = Object.hasOwn(former, key) ? former[key] : undefined;
    this.#faults.invalid(at, `${what} has no key '${key}'`, remedy ?? suggestName(key, known));
    return [];
  }

  #list(node: Node, shape: Shape & { readonly kind: 'list' }, key: string): Node | undefined {
    if (node.kind === 'list' || (shape.orOne === true && (node.kind === 'scalar' || shape.of.kind === 'object'))) {
      return { kind: 'list', at: node.at, items: itemsOf(node).flatMap((item) => this.read(item, shape.of, key) ?? []) };
    }
    return this.#faults.invalid(
      node.at,
      `'${key}' is ${describeNode(node)}, and a list is expected`,
      'Write [one, two], or each on a line that begins with a dash.',
    );
  }

  #map(node: Node, shape: Shape & { readonly kind: 'map' }, key: string): Node | undefined {
    if (node.kind !== 'map')
      return this.#faults.invalid(
        node.at,
        `'${key}' is ${describeNode(node)}, and a map is expected`,
        `Write ${shape.names} with their values.`,
      );
    // the values of variables are filled in when they are asked for
    const entries = node.entries.flatMap((entry): Entry[] => {
      const value = this.read(entry.value, shape.of, `${key}.${entry.key}`);
      return value === undefined ? [] : [{ ...entry, value }];
    });
    return { ...node, entries };
  }

  #scalar(
    node: Node,
    shape: Exclude<Shape, { readonly kind: 'list' | 'map' | 'object' | 'either' | 'any' | 'steps' | 'binding' | 'params' }>,
    key: string,
  ): Node | undefined {
    const refuse = (expected: string, fix: string): undefined =>
      this.#faults.invalid(node.at, `'${key}' is ${describeNode(node)}, and ${expected} is expected`, fix);
    if (shape.kind === 'text' && shape.literal === true && shape.prose !== true && hasReference(textOf(node) ?? ''))
      return this.#faults.invalid(node.at, `'${key}' is ${describeNode(node)}, and no variable stands in it`, 'Write the name itself.');
    if (shape.kind === 'text')
      return isText(node, shape)
        ? asText(node)
        : refuse('text', shape.orNumber === true ? 'Write text or a number.' : 'Write text; in quotes where it looks like a number.');
    if (shape.kind === 'flag')
      return node.kind === 'scalar' && toFlag(node.value) !== undefined
        ? { ...node, value: toFlag(node.value) ?? false }
        : refuse('true or false', 'Write true or false.');
    if (shape.kind === 'choice') {
      const value = node.kind === 'scalar' ? String(node.value) : '';
      if (shape.values.includes(value)) return asText(node as ScalarNode);
      return refuse(
        shape.values.map((one) => `'${one}'`).join(' or '),
        nearestName(value, shape.values) === undefined ? `Write ${shape.values.join(' or ')}.` : suggestName(value, shape.values),
      );
    }
    if (shape.kind === 'time') {
      const value = node.kind === 'scalar' ? toMilliseconds(node.value) : undefined;
      const isNone = value === undefined || (value === 0 && shape.positive === true) || value > (shape.most ?? Infinity);
      const bounds = `${shape.positive === true ? ' above 0' : ''}${shape.most === undefined ? '' : ` of at most ${String(shape.most)} ms`}`;
      return isNone
        ? refuse(`a time${bounds}`, "Write milliseconds, or a time like '500ms', '30s', '5m' or '1h'.")
        : { ...(node as ScalarNode), value };
    }
    if (shape.kind !== 'number') return node; // what is read by its own rules
    const value = node.kind === 'scalar' ? toNumber(node.value) : undefined;
    if (value === undefined || problemOf(value, shape) !== undefined) return refuse(expectedNumber(shape), 'Write such a number.');
    return { ...(node as ScalarNode), value };
  }
}

/** `30s`, `500ms`, `5m`, `1h`; a bare number is milliseconds. */
export function toMilliseconds(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const [, digits, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(value.trim()) ?? [];
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit] ?? 1;
  return digits === undefined ? undefined : Number(digits) * factor;
}

/** A description after a colon; names and quotes stay as they are. */
function lower(text: string): string {
  return /^[A-Z][a-z]* /.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  return typeof value === 'string' && /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : undefined;
}

function toFlag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

function problemOf(value: number, { least = -Infinity, most = Infinity, whole = false }: NumberShape): string | undefined {
  return value < least || value > most || (whole && !Number.isSafeInteger(value)) ? 'out of bounds' : undefined;
}

function expectedNumber({ least, most, whole = false }: NumberShape): string {
  const bounds = [
    ...(least === undefined ? [] : [`at least ${String(least)}`]),
    ...(most === undefined ? [] : [`at most ${String(most)}`]),
  ];
  return `a ${whole ? 'whole ' : ''}number${bounds.length === 0 ? '' : ` of ${bounds.join(' and ')}`}`;
}

/** A number that a variable stands for, where text is meant: as it is written. */
export function spelled(node: Node): Node {
  return node.kind === 'scalar' && ['number', 'boolean'].includes(typeof node.value) ? { ...node, value: node.text } : node;
}

function isText(node: Node, { orNumber = false }: TextShape): node is ScalarNode {
  return (
    node.kind === 'scalar' && ((typeof node.value === 'string' && node.value.trim() !== '') || (orNumber && typeof node.value !== 'object'))
  );
}

function asText(node: ScalarNode): ScalarNode {
  return typeof node.value === 'string' ? node : { ...node, value: node.text };
}

function list(keys: readonly string[], { keys: shapes }: ObjectShape): string {
  const shown = keys.filter((key) => shapes[key]?.former !== true).map((key) => `'${key}'`);
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}
