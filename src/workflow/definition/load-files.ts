import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { find, textOf, type MapNode, type Node } from './node.js';
import { hasReference } from './template.js';
import { readSource } from './read-source.js';
import { whereOf, type Faults } from './source.js';

/** A definition file that was read. */
export interface LoadedFile {
  /** Absolute. */
  readonly path: string;
  readonly node: MapNode;
}

/** Files that name each other, one in the next: links between folders could make them go on for ever. */
const deepest = 32;

/** A definition file and those that it names, each read once. */
export class LoadedFiles {
  readonly #faults: Faults;
  readonly #byPath = new Map<string, Promise<LoadedFile | undefined>>();
  /** By the node that names it. */
  readonly #byNode = new Map<Node, LoadedFile>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** The file that a node of `workflow: { path }` names; undefined where it could not be read, which is told. */
  named(node: Node | undefined): LoadedFile | undefined {
    return node === undefined ? undefined : this.#byNode.get(node);
  }

  /** Every file's text. */
  async *texts(): AsyncGenerator<string> {
    for (const file of this.#byPath.values()) {
      const loaded = await file;
      if (loaded !== undefined) yield loaded.node.at.source.text;
    }
  }

  /**
   * Reads a file, and what it names.
   *
   * @param named - the path as messages show it.
   */
  async load(path: string, named: string, around: readonly string[] = []): Promise<LoadedFile | undefined> {
    const absolute = resolve(path);
    const known = this.#byPath.get(absolute);
    if (known !== undefined) return known;
    const loading = this.#read(absolute, named);
    this.#byPath.set(absolute, loading);
    const loaded = await loading;
    if (loaded !== undefined) await this.#loadInner(loaded, named, [...around, absolute]);
    return loaded;
  }

  async #read(path: string, named: string): Promise<LoadedFile | undefined> {
    const node = await readSource(path, named, this.#faults);
    if (node === undefined) return undefined;
    if (node.kind === 'map') return { path, node };
    return this.#faults.invalid(
      node.at,
      'a definition is a map with `name` and `steps`',
      'Write name: …, and below it steps: with a dash before each.',
    );
  }

  async #loadInner({ path, node }: LoadedFile, named: string, around: readonly string[]): Promise<void> {
    for (const inner of pathsIn(find(node, 'steps'))) {
      const written = textOf(inner);
      if (written === undefined || hasReference(written)) continue; // told with the keys of its step
      const target = resolve(dirname(path), written);
      if (around.includes(target)) {
        const chain = [...around.slice(around.indexOf(target)), target].map((one) => relative(dirname(around[0] ?? path), one));
        this.#faults.add(inner.at, {
          code: 'WORKFLOW_CYCLE',
          message: `definitions name each other: ${chain.join(' -> ')}`,
          path: chain,
          fix: 'Take one of them away.',
        });
        continue;
      }
      if (around.length >= deepest) {
        this.#faults.invalid(inner.at, `definitions name each other more than ${String(deepest)} deep`, 'Write it flatter.');
        continue;
      }
      const before = this.#faults.count;
      const loaded = await this.load(target, isAbsolute(written) ? written : join(dirname(named), written), around);
      if (loaded !== undefined) this.#byNode.set(inner, loaded);
      else if (this.#faults.count > before) this.#faults.relate(before, whereOf(inner.at), inner.at);
    }
  }
}

/** The values of `workflow: { path }`, in groups too. */
function pathsIn(steps: Node | undefined): Node[] {
  if (steps?.kind !== 'list') return [];
  return steps.items.flatMap((step) => {
    const inner = find(find(step, 'workflow'), 'path');
    const group = find(find(step, 'group'), 'steps');
    return [...(inner === undefined ? [] : [inner]), ...pathsIn(group)];
  });
}
