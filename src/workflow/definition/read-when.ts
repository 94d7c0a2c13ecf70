import { isDeepStrictEqual } from 'node:util';
import { link } from '../../binding/binding.js';
import { suggestName } from '../../errors.js';
import type { StepBehaviour } from '../spec.js';
import type { Block, FileScope } from './item.js';
import { find, itemsOf, textOf, toValue, type MapNode, type Node } from './node.js';
import type { BindingReader, OutputRef } from './read-binding.js';
import type { Faults } from './source.js';

/** What a step waits to be told before it runs. */
export interface Condition {
  readonly holds: NonNullable<StepBehaviour['when']>;
  /** The step whose rows it counts. */
  readonly counts: OutputRef | undefined;
}

/** The conditions below `when`, and those of the old shape below `conditions`. */
export function readConditions(
  body: MapNode,
  file: FileScope,
  from: Block | undefined,
  reader: BindingReader,
  faults: Faults,
): Condition[] {
  const written = itemsOf(find(body, 'when')).flatMap((node) =>
    node.kind === 'map' ? (readCondition(node, file, from, reader, faults) ?? []) : [],
  );
  const former = find(body, 'conditions');
  const equal = (former?.kind === 'map' ? former.entries : []).flatMap(({ key, at, value }) => {
    if (!isKnown(key, file, at, faults)) return [];
    return [{ holds: () => isSame(file.variables.find(key), toValue(value)), counts: undefined }];
  });
  return [...written, ...equal];
}

/** All of them. */
export function allOf(conditions: readonly Condition[]): StepBehaviour['when'] {
  const [only] = conditions;
  if (only === undefined || conditions.length === 1) return only?.holds;
  return async (context) => {
    for (const { holds } of conditions) if (!(await holds(context))) return false;
    return true;
  };
}

function readCondition(
  node: MapNode,
  file: FileScope,
  from: Block | undefined,
  reader: BindingReader,
  faults: Faults,
): Condition | undefined {
  const [rows, variable] = [find(node, 'rows'), find(node, 'variable')];
  const compare = comparison(node);
  if ((rows === undefined) === (variable === undefined))
    return faults.invalid(
      node.at,
      'a condition counts `rows` or asks for a `variable`: one of them',
      'Write { rows: Step.port, above: 0 } or { variable: name, is: value }.',
    );
  if (rows !== undefined) {
    const counts = reader.output(rows, { file, from });
    if (counts === undefined) return undefined;
    const output = link(counts.leaf.name, counts.port?.name ?? '');
    const holds = compare ?? ((count: unknown) => Number(count) > 0);
    return { counts, holds: async (context) => holds(await context.rows(output)) };
  }
  const name = textOf(variable) ?? '';
  if (compare === undefined)
    return faults.invalid(node.at, `variable '${name}' is compared with nothing`, 'Write { variable: name, is: value }.');
  if (variable === undefined || !isKnown(name, file, variable.at, faults)) return undefined;
  const holds = compare(file.variables.find(name)); // known when the run is: the definition is made anew for each
  return { counts: undefined, holds: () => holds };
}

function isKnown(name: string, { variables }: FileScope, at: Node['at'], faults: Faults): boolean {
  if (variables.has(name)) return true;
  faults.invalid(at, `variable '${name}' is not known`, `${suggestName(name, variables.names)} Declare it under \`variables\`.`);
  return false;
}

const comparisons: Readonly<Record<string, (value: unknown, wanted: unknown) => boolean>> = {
  is: isSame,
  not: (value, wanted) => !isSame(value, wanted),
  in: (value, wanted) => Array.isArray(wanted) && wanted.some((one) => isSame(value, one)),
  above: (value, wanted) => Number(value) > Number(wanted),
  below: (value, wanted) => Number(value) < Number(wanted),
};

function comparison(node: MapNode): ((value: unknown) => boolean) | undefined {
  const parts = Object.entries(comparisons).flatMap(([key, holds]) => {
    const wanted = find(node, key);
    return wanted === undefined ? [] : [(value: unknown) => holds(value, toValue(wanted))];
  });
  return parts.length === 0 ? undefined : (value) => parts.every((holds) => holds(value));
}

/** `5` of the command line is the 5 of a file. */
function isSame(value: unknown, wanted: unknown): boolean {
  return isDeepStrictEqual(value, wanted) || (isPlain(value) && isPlain(wanted) && String(value) === String(wanted));
}

function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
