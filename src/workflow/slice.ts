import { MillraceError, suggestName } from '../errors.js';
import { reach, type Graph } from './graph.js';

/** Which steps of a workflow are meant; the kinds combine by and, the names of one kind by or. */
export interface Slices {
  /** These steps and all that comes after them. */
  readonly from?: readonly string[];
  /** These steps and all that comes before them. */
  readonly to?: readonly string[];
  /** Just these steps. */
  readonly only?: readonly string[];
  /** All but just these steps. */
  readonly ignore?: readonly string[];
  /** Steps that have any of these tags, by themselves or by their processor. */
  readonly tags?: readonly string[];
}

export interface Sliceable {
  /** For messages. */
  readonly workflow: string;
  readonly graph: Graph;
  /** By step. */
  readonly tags: readonly ReadonlySet<string>[];
  /** Groups and workflows within: their steps, by the group's name. */
  readonly groups: ReadonlyMap<string, readonly number[]>;
}

/** Whether any slice is given: an empty list is one, and selects nothing. */
export function isSliced({ from, to, only, ignore, tags }: Slices): boolean {
  return [from, to, only, ignore, tags].some((names) => names !== undefined);
}

/**
 * The steps that are meant.
 *
 * @throws MillraceError `STEP_UNKNOWN` with the nearest name, `SELECTION_EMPTY`.
 */
export function selectSteps(what: Sliceable, { from, to, only, ignore, tags }: Slices): ReadonlySet<number> {
  const { graph } = what;
  let selected: ReadonlySet<number> = new Set(graph.names.keys());
  if (from !== undefined) selected = both(selected, reach(graph, stepsNamed(what, from), 'forward'));
  if (to !== undefined) selected = both(selected, reach(graph, stepsNamed(what, to), 'backward'));
  if (only !== undefined) selected = both(selected, new Set(stepsNamed(what, only)));
  if (ignore !== undefined) {
    const ignored = new Set(stepsNamed(what, ignore));
    selected = new Set([...selected].filter((step) => !ignored.has(step)));
  }
  if (tags !== undefined) selected = new Set([...selected].filter((step) => tags.some((tag) => what.tags[step]?.has(tag))));
  if (selected.size === 0) throw emptySelection(what, tags);
  return selected;
}

/** The steps of a name: itself, or those of a group. */
export function findSteps(
  what: Pick<Sliceable, 'graph' | 'groups'>,
  indexes: ReadonlyMap<string, number>,
  name: string,
): readonly number[] | undefined {
  const index = indexes.get(name);
  return index === undefined ? what.groups.get(name) : [index];
}

function stepsNamed(what: Sliceable, names: readonly string[]): number[] {
  const indexes = new Map(what.graph.names.map((name, index) => [name, index]));
  return names.flatMap((name) => {
    const steps = findSteps(what, indexes, name);
    if (steps !== undefined) return steps;
    throw stepUnknown(what.workflow, name, [...what.graph.names, ...what.groups.keys()]);
  });
}

export function stepUnknown(workflow: string, name: string, known: Iterable<string>): MillraceError {
  return new MillraceError('STEP_UNKNOWN', `workflow '${workflow}' has no step '${name}'. ${suggestName(name, known)}`, {
    path: [workflow, name],
  });
}

function emptySelection({ workflow, tags }: Sliceable, asked: readonly string[] | undefined): MillraceError {
  const known = new Set(tags.flatMap((own) => [...own]));
  const unknown = (asked ?? []).filter((tag) => !known.has(tag));
  const hint = unknown.map((tag) => ` No step has the tag '${tag}'. ${suggestName(tag, known)}`).join('');
  return new MillraceError(
    'SELECTION_EMPTY',
    `workflow '${workflow}': no step is selected; each kind of slice narrows the others.${hint}`,
    { path: [workflow] },
  );
}

function both(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...a].filter((one) => b.has(one)));
}
