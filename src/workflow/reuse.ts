import type { Edge, Graph } from './graph.js';

/** What is known of the runs before. */
export interface Known {
  readonly graph: Graph;
  readonly selected: ReadonlySet<number>;
  /** Steps that succeeded, and are what they were, and read what they read. */
  readonly done: ReadonlySet<number>;
  /** Whether what passes along an edge from a step that is done is still there. */
  available(edge: Edge): boolean;
}

/** Why a step is run again. */
export type Need = { readonly by: number } | 'not done';

/**
 * The steps that have to run: those that are not done, and those whose rows one of these reads and nobody has kept. No smaller set
 * does it, since each step in it is there because another one cannot run, or be left out, without it.
 */
export function chooseSteps({ graph, selected, done, available }: Known): ReadonlyMap<number, Need> {
  const implied = impliedDone(graph, done);
  const needed = new Map<number, Need>([...selected].filter((step) => !implied.has(step)).map((step) => [step, 'not done']));
  // a map grows while it is iterated, and shows what was added
  for (const step of needed.keys()) {
    for (const edge of graph.into[step]!) {
      if (edge.kind === 'after' || needed.has(edge.from) || !selected.has(edge.from)) continue;
      if (!available(edge)) needed.set(edge.from, { by: step });
    }
  }
  return needed;
}

/** A step that succeeded had what it reads: what gave it that is done too, known or not. */
function impliedDone(graph: Graph, done: ReadonlySet<number>): ReadonlySet<number> {
  const implied = new Set(done);
  for (const step of implied) for (const { kind, from } of graph.into[step]!) if (kind !== 'after') implied.add(from);
  return implied;
}
