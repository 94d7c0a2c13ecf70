import type { ProcessorSpec } from '../../metadata/spec.js';
import { find, type MapNode, type Node } from './node.js';
import type { ShapeReader } from './read-shape.js';
import type { At } from './source.js';
import type { Variables } from './variables.js';

/** A definition file while it is compiled: what its texts are filled with, and where its names belong. */
export interface FileScope {
  /** The folder that its paths are relative to. */
  readonly folder: string;
  /** Stands before the name of each of its steps; empty, or with a slash at its end. */
  readonly prefix: string;
  readonly variables: Variables;
  readonly reader: ShapeReader;
  readonly tags: readonly string[];
  /** By where it stands in the list of the file, from 1: ids of flowtask say so. */
  readonly numbered: Map<number, Item>;
}

interface ItemFacts {
  readonly file: FileScope;
  /** With the names of the groups and workflows that it is in. */
  readonly name: string;
  /** Of its key in the file. */
  readonly at: At;
  /** With variables filled in. */
  readonly body: MapNode;
  /** As it stands in the file. */
  readonly written: MapNode;
  readonly parent: Block | undefined;
  /** What stands before it among its own; undefined for the first. */
  readonly previous: Item | undefined;
}

/** A step. */
export interface Leaf extends ItemFacts {
  readonly kind: 'step';
  /** Undefined where it is not known, which is told. */
  readonly processor: ProcessorSpec | undefined;
  /** What `processor` was called. */
  readonly called: string;
  readonly detail?: string;
}

/** A group, or a workflow within. */
export interface Block extends ItemFacts {
  readonly kind: 'group' | 'workflow';
  /** The file that names it; that of its steps is another where it is a workflow within. */
  readonly outer: FileScope;
  readonly items: Item[];
  /** Of a workflow within: what it binds in place of its file, by step as that file calls it. */
  readonly overrides: ReadonlyMap<string, MapNode>;
}

export type Item = Leaf | Block;

/** A step's binding as it stands in a file: in that of the step, or in one that names its workflow. */
export interface WrittenBinding {
  readonly at: At;
  readonly value: Node;
  readonly file: FileScope;
  /** Names of steps are looked for from here. */
  readonly from: Block | undefined;
}

/** The steps in it, in file order. */
export function leavesOf(item: Item): Leaf[] {
  return item.kind === 'step' ? [item] : item.items.flatMap(leavesOf);
}

/** Looks a name up as one that stands in `from` means it: among its own, then among those around it. */
export function findItem(items: ReadonlyMap<string, Item>, file: FileScope, from: Block | undefined, name: string): Item | undefined {
  for (let block = from; block?.file === file && block.kind === 'group'; block = block.parent) {
    const own = items.get(`${block.name}/${name}`);
    if (own !== undefined) return own;
  }
  return items.get(`${file.prefix}${name}`);
}

/** The names that can be written in a file, as they are written there. */
export function namesIn(items: ReadonlyMap<string, Item>, file: FileScope, from: Block | undefined): string[] {
  const here = from?.kind === 'group' && from.file === file ? `${from.name}/` : file.prefix;
  return [...items.keys()]
    .filter((name) => name.startsWith(file.prefix))
    .map((name) => (name.startsWith(here) ? name.slice(here.length) : name.slice(file.prefix.length)));
}

/** What a file binds, and in its place what a file around it does; by port. */
export function writtenBindings(leaf: Leaf): Map<string, WrittenBinding> {
  const bind = find(leaf.body, 'bind');
  const own = (bind?.kind === 'map' ? bind.entries : []).map(({ key, at, value }): [string, WrittenBinding] => [
    key,
    { at, value, file: leaf.file, from: leaf.parent },
  ]);
  const all = new Map(own);
  for (const block of blocksAround(leaf)) {
    const override = block.overrides.get(leaf.name.slice(block.name.length + 1));
    for (const { key, at, value } of override?.entries ?? []) all.set(key, { at, value, file: outerFile(block), from: block.parent });
  }
  return all;
}

/** From the innermost out. */
export function blocksAround({ parent }: Item): Block[] {
  const blocks: Block[] = [];
  for (let block = parent; block !== undefined; block = block.parent) blocks.push(block);
  return blocks;
}

/** The file that an item's own keys stand in: that of a workflow within is the one around it. */
export function outerFile(item: Item): Leaf['file'] {
  return item.kind === 'workflow' ? item.outer : item.file;
}
