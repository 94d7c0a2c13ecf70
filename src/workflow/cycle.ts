import type { Graph } from './graph.js';

/** One cycle of each knot of steps that wait for each other: the steps in order, the first again at the end. */
export function findCycles(graph: Graph): number[][] {
  return findKnots(graph).map((knot) => shortestCycle(graph, knot));
}

/** Sets of steps that all lead to each other (strongly connected components that hold a cycle), by Tarjan's algorithm without recursion. */
export function findKnots(graph: Graph): ReadonlySet<number>[] {
  const count = graph.names.length;
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const next = new Int32Array(count);
  const stack: number[] = [];
  const knots: ReadonlySet<number>[] = [];
  let counter = 0;
  for (let root = 0; root < count; root++) {
    if (index[root] !== -1) continue;
    const path = [root];
    while (path.length > 0) {
      const step = path[path.length - 1]!;
      if (index[step] === -1) {
        index[step] = low[step] = counter++;
        stack.push(step);
        onStack[step] = 1;
      }
      const edge = graph.out[step]![next[step]!];
      if (edge !== undefined) {
        next[step]!++;
        if (index[edge.to] === -1) path.push(edge.to);
        else if (onStack[edge.to] === 1) low[step] = Math.min(low[step]!, index[edge.to]!);
        continue;
      }
      path.pop();
      const before = path[path.length - 1];
      if (before !== undefined) low[before] = Math.min(low[before]!, low[step]!);
      if (low[step] === index[step]) closeKnot(step);
    }
  }
  return knots;

  function closeKnot(first: number): void {
    const loops = graph.out[first]!.some(({ to }) => to === first);
    if (stack[stack.length - 1] === first && !loops) {
      onStack[first] = 0; // of itself, as nearly all are
      stack.pop();
      return;
    }
    const knot = new Set(popTo(stack, first));
    for (const step of knot) onStack[step] = 0;
    if (knot.size > 1 || loops) knots.push(knot);
  }
}

/** From the knot's first step, as defined, back to it by the fewest steps. */
function shortestCycle(graph: Graph, knot: ReadonlySet<number>): number[] {
  const start = [...knot].reduce((least, step) => Math.min(least, step));
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (const step of queue) {
    for (const { to } of graph.out[step]!) {
      if (to === start) return [...pathTo(cameFrom, start, step), start];
      if (!knot.has(to) || cameFrom.has(to)) continue;
      cameFrom.set(to, step);
      queue.push(to);
    }
  }
  return [start, start];
}

function pathTo(cameFrom: ReadonlyMap<number, number>, start: number, end: number): number[] {
  const path = [end];
  for (let step = end; step !== start; path.push(step)) step = cameFrom.get(step)!;
  return path.reverse();
}

/** Takes what lies on the stack down to `last`, itself included. */
function popTo(stack: number[], last: number): number[] {
  const taken: number[] = [];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    taken.push(top);
    if (top === last) break;
  }
  return taken;
}
