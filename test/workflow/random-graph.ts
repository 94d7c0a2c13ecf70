import fc from 'fast-check';
import { createGraph, type Edge, type EdgeKind, type Graph } from '../../src/workflow/graph.js';

const kinds: readonly EdgeKind[] = ['link', 'collection', 'after'];

/** Graphs of a few steps; without `cycles`, edges lead to later steps only. */
export function graphs({ steps = 8, cycles = false } = {}): fc.Arbitrary<Graph> {
  return fc.integer({ min: 1, max: steps }).chain((count) =>
    fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1), fc.constantFrom(...kinds)), { maxLength: count * 2 }).map((pairs) =>
      createGraph(
        Array.from({ length: count }, (_, step) => `s${String(step)}`),
        pairs.flatMap((pair) => toEdge(pair, cycles)),
      ),
    ),
  );
}

function toEdge([a, b, kind]: readonly [number, number, EdgeKind], cycles: boolean): Edge[] {
  const [from, to] = cycles ? [a, b] : [Math.min(a, b), Math.max(a, b)];
  return from === to && !cycles ? [] : [{ from, to, kind, label: kind === 'after' ? '' : 'rows' }];
}

/** Which step leads to which, by one edge or more: Warshall's closure. */
export function closure({ names, edges }: Pick<Graph, 'names' | 'edges'>): boolean[][] {
  const leads = names.map(() => names.map(() => false));
  for (const { from, to } of edges) leads[from]![to] = true;
  for (const [middle] of names.entries()) {
    for (const [from] of names.entries()) {
      for (const [to] of names.entries()) if (leads[from]![middle] && leads[middle]![to]) leads[from]![to] = true;
    }
  }
  return leads;
}
