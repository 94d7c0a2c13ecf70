import { orderOf, type Edge, type Graph } from './graph.js';

/** Which links stream, and which steps therefore run together. */
export interface Streaming {
  /** Links whose rows go from step to step while both run. */
  readonly streams: ReadonlySet<Edge>;
  /** By step: the number of the unit that it runs in; steps joined by streams share one. */
  readonly units: readonly number[];
}

/**
 * Chooses, among links that could stream, those that may: a step that reads two of them might drain one while the other fills up,
 * and wait for ever for what its writer cannot write.
 *
 * Two rules keep every run from waiting for itself. Streams form no circle, in whichever direction they are followed: then a step
 * that is blocked by a full stream waits for a reader that waits for nobody it feeds. And units are in order: no step of one has to
 * end before another of the same, or of one that comes before, can start.
 *
 * @param candidates - links that nothing else forbids to stream.
 */
export function chooseStreams(graph: Graph, candidates: ReadonlySet<Edge>): Streaming {
  const streams = new Set<Edge>();
  const order = candidates.size === 0 ? [] : orderOf(graph);
  const count = graph.names.length;
  const joined = new Joined(count);
  for (const step of order) {
    for (const edge of graph.into[step]!) if (candidates.has(edge) && joined.join(edge.from, edge.to)) streams.add(edge);
  }
  if (streams.size === 0) return { streams, units: [...graph.names.keys()] };
  const knotted = knottedUnits(graph, streams, (step) => joined.of(step));
  if (knotted.size > 0) spoolKnots(graph, order, streams, (step) => knotted.has(joined.of(step)));
  const final = new Joined(count);
  for (const { from, to } of streams) final.join(from, to);
  return { streams, units: Array.from({ length: count }, (_, step) => final.of(step)) };
}

/**
 * Units that wait for themselves, by way of others or not (and those between two such): what is left when units that wait for
 * none, and units that none waits for, are taken away as often as there are any.
 */
function knottedUnits(graph: Graph, streams: ReadonlySet<Edge>, unitOf: (step: number) => number): ReadonlySet<number> {
  const edges = graph.edges.filter((edge) => !streams.has(edge)).map(({ from, to }) => [unitOf(from), unitOf(to)] as const);
  const units = new Set(graph.names.map((_, step) => unitOf(step)));
  const ahead = peel(units, edges);
  return peel(
    ahead,
    edges.filter(([from, to]) => ahead.has(from) && ahead.has(to)).map(([from, to]) => [to, from]),
  );
}

function peel(units: ReadonlySet<number>, edges: readonly (readonly [from: number, to: number])[]): Set<number> {
  const waiting = new Map([...units].map((unit) => [unit, 0]));
  const out = new Map<number, number[]>();
  for (const [from, to] of edges) {
    waiting.set(to, (waiting.get(to) ?? 0) + 1);
    const targets = out.get(from);
    if (targets === undefined) out.set(from, [to]);
    else targets.push(to);
  }
  const free = [...units].filter((unit) => waiting.get(unit) === 0);
  const left = new Set(units);
  for (const unit of free) {
    left.delete(unit);
    for (const to of out.get(unit) ?? []) {
      const count = waiting.get(to)! - 1;
      waiting.set(to, count);
      if (count === 0) free.push(to);
    }
  }
  return left;
}

/**
 * Within knots, a step's level is how many times one has to wait for an end on the way to it; only steps of one level may stream to
 * each other, so that every other edge leads to a higher level, and no unit can wait for itself.
 */
function spoolKnots(graph: Graph, order: readonly number[], streams: Set<Edge>, isKnotted: (step: number) => boolean): void {
  const levels = new Int32Array(graph.names.length);
  for (const step of order) {
    if (!isKnotted(step)) continue;
    const into = graph.into[step]!.filter(({ from }) => isKnotted(from));
    const level = into.reduce((most, edge) => Math.max(most, levels[edge.from]! + (streams.has(edge) ? 0 : 1)), 0);
    levels[step] = level;
    for (const edge of into) if (levels[edge.from]! < level) streams.delete(edge);
  }
}

/** Disjoint sets of steps. */
class Joined {
  readonly #parents: Int32Array;

  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, step) => step);
  }

  of(step: number): number {
    let root = step;
    while (this.#parents[root] !== root) root = this.#parents[root] = this.#parents[this.#parents[root]!]!;
    return root;
  }

  /** False where they were joined already. */
  join(a: number, b: number): boolean {
    const [rootA, rootB] = [this.of(a), this.of(b)];
    if (rootA === rootB) return false;
    this.#parents[rootB] = rootA;
    return true;
  }
}
