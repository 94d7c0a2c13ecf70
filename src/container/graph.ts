import { scopeAt, toKey, nameOf, type Key } from './dependency.js';
import type { Root } from './check.js';
import type { Plan } from './plan.js';
import type { Provisions } from './provisions.js';
import type { DependencyGraph } from './types.js';

type GraphNode = DependencyGraph['nodes'][number];
type GraphEdge = DependencyGraph['edges'][number];

/** What the roots need, and what that needs in turn. Faulty wiring is drawn as far as it goes. */
export function drawGraph(provisions: Provisions, roots: Iterable<Root>): DependencyGraph {
  const drawing = new Drawing(provisions);
  for (const root of roots) drawing.add(root.key, root.level);
  const nodes = Object.freeze([...drawing.nodes.values()]);
  const edges = Object.freeze([...drawing.edges.values()]);
  return Object.freeze({ nodes, edges, toMermaid: () => toMermaid(nodes, edges) });
}

class Drawing {
  readonly nodes = new Map<Key, GraphNode>();
  readonly edges = new Map<string, GraphEdge>();
  readonly #ids = new Set<string>();
  readonly #drawn = new Map<Key, number>();
  readonly #provisions: Provisions;

  constructor(provisions: Provisions) {
    this.#provisions = provisions;
  }

  /** Answers the node's id. A token has an arrow to what stands for it; a class or resource is what stands for it. */
  add(asked: Key, level: number): string {
    const source = this.#provisions.find(asked);
    const isToken = typeof asked !== 'function' && asked.kind === 'token';
    if (source.kind !== 'made') return this.#node(asked, isToken ? 'token' : source.kind === 'value' ? 'value' : 'class');
    const { plan } = source;
    const id = this.#node(plan.key, plan.kind);
    this.#addNeeds(plan, id, level);
    if (!isToken) return id;
    const from = this.#node(asked, 'token');
    this.#edge(from, id, level);
    return from;
  }

  #addNeeds(plan: Plan, from: string, level: number): void {
    const drawn = this.#drawn.get(plan.key) ?? 0;
    if ((drawn & (1 << level)) !== 0) return;
    this.#drawn.set(plan.key, drawn | (1 << level));
    for (const need of plan.needs) {
      const key = need.erased === undefined ? toKey(need.what) : undefined;
      const needed = need.level ?? level;
      if (key !== undefined) this.#edge(from, this.add(key, needed), needed);
    }
  }

  #node(key: Key, kind: GraphNode['kind']): string {
    let node = this.nodes.get(key);
    if (node === undefined) {
      node = Object.freeze({ id: this.#newId(nameOf(key)), kind });
      this.nodes.set(key, node);
    }
    return node.id;
  }

  /** Two dependencies of one name are two nodes. */
  #newId(name: string): string {
    let id = name;
    for (let count = 2; this.#ids.has(id); count++) id = `${name} (${count})`;
    this.#ids.add(id);
    return id;
  }

  #edge(from: string, to: string, level: number): void {
    const scope = scopeAt(level);
    this.edges.set(JSON.stringify([from, to, scope]), Object.freeze({ from, to, scope }));
  }
}

const shapes: Readonly<Record<GraphNode['kind'], readonly [string, string]>> = {
  processor: ['[[', ']]'],
  resource: ['(', ')'],
  class: ['[', ']'],
  token: ['([', '])'],
  value: ['{{', '}}'],
};

function toMermaid(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): string {
  const ids = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const boxes = nodes.map(({ id, kind }) => `  ${ids.get(id) ?? ''}${shapes[kind][0]}"${escapeLabel(id)}"${shapes[kind][1]}`);
  const arrows = edges.map(({ from, to, scope }) => `  ${ids.get(from) ?? ''} -->|${scope}| ${ids.get(to) ?? ''}`);
  return ['flowchart LR', ...boxes, ...arrows, ''].join('\n');
}

/** What ends a label, begins markdown or HTML, or breaks the line, as Mermaid's character codes. */
export function escapeLabel(text: string): string {
  return text.replace(/["#&<>`\\*_~\r\n\u2028\u2029;%]/g, (character) => (/\s/.test(character) ? ' ' : `#${character.charCodeAt(0)};`));
}
