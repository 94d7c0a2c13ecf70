/** Why one step comes before another: it gives it rows by a link or by a collection, or `after` says so. */
export type EdgeKind = 'link' | 'collection' | 'after';

/** Steps are numbered in the order of their definition. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: EdgeKind;
  /** What passes: the port of a link, the collection's name; empty for `after`. */
  readonly label: string;
}

/** Steps and what puts them in order, as data: nothing here runs anything. */
export interface Graph {
  readonly names: readonly string[];
  readonly edges: readonly Edge[];
  /** By step: the edges that leave it, and those that lead to it. */
  readonly out: readonly (readonly Edge[])[];
  readonly into: readonly (readonly Edge[])[];
}

export function createGraph(names: readonly string[], edges: readonly Edge[]): Graph {
  return { names, edges, out: byStep(names.length, edges, 'from'), into: byStep(names.length, edges, 'to') };
}

/** In arrays of just the room that they need: one that grows as it is pushed to takes room for seventeen, and most steps have one edge. */
function byStep(count: number, edges: readonly Edge[], end: 'from' | 'to'): Edge[][] {
  const sizes = new Int32Array(count);
  for (const edge of edges) sizes[edge[end]]!++;
  const lists = new Array<Edge[]>(count).fill(none);
  const filled = new Int32Array(count);
  for (const edge of edges) {
    const step = edge[end];
    if (filled[step] === 0) lists[step] = new Array<Edge>(sizes[step]!);
    lists[step]![filled[step]!++] = edge;
  }
  return lists;
}

/** Shared by all steps that have none; never changed. */
const none: Edge[] = [];

/** The steps, each after all that comes before it, else as defined. Steps on a cycle, and what comes after them, are left out. */
export function orderOf(graph: Graph): number[] {
  const waiting = graph.into.map(({ length }) => length);
  const order = waiting.flatMap((count, step) => (count === 0 ? [step] : []));
  for (let at = 0; at < order.length; at++) {
    for (const { to } of graph.out[order[at]!]!) if (--waiting[to]! === 0) order.push(to);
  }
  return order;
}

/** The steps given and all that they lead to, or that lead to them. */
export function reach(graph: Graph, from: Iterable<number>, direction: 'forward' | 'backward'): Set<number> {
  const reached = new Set(from);
  // a set grows while it is iterated, and shows what was added
  for (const step of reached) {
    if (direction === 'forward') for (const { to } of graph.out[step]!) reached.add(to);
    else for (const { from: before } of graph.into[step]!) reached.add(before);
  }
  return reached;
}
