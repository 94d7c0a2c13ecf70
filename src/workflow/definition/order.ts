import { link } from '../../binding/binding.js';
import { suggestName } from '../../errors.js';
import type { Collected } from './collect.js';
import { blocksAround, findItem, namesIn, outerFile, type Item, type Leaf } from './item.js';
import { find, itemsOf, textOf } from './node.js';
import type { Faults } from './source.js';
import type { Work } from './work.js';

export interface OrderContext {
  readonly collected: Collected;
  readonly faults: Faults;
  /** Outputs that something reads, as `step.port`. */
  readonly read: Set<string>;
}

/** Says what a step comes after, and what it reads where the file does not say. */
export function orderStep(work: Work, context: OrderContext): void {
  const { leaf, after } = work;
  linkPlain(work, context);
  const depends = find(leaf.body, 'depends');
  if (depends !== undefined) for (const item of dependsOf(leaf, context)) after.add(item.name);
  const chained = depends === undefined && !work.linked ? leaf.previous : undefined;
  if (chained !== undefined) after.add(chained.name);
  else orderByBlocks(work, depends === undefined && !work.linked, context);
}

/** The first of a group comes after what the group comes after. */
function orderByBlocks({ leaf, after }: Work, chain: boolean, context: OrderContext): void {
  for (const block of blocksAround(leaf)) {
    if (find(block.body, 'depends') !== undefined) {
      for (const item of dependsOf(block, context)) after.add(item.name);
      return;
    }
    if (block.previous !== undefined) {
      if (chain) after.add(block.previous.name);
      return;
    }
  }
}

function dependsOf(item: Item, { collected, faults }: OrderContext): Item[] {
  const file = outerFile(item);
  return itemsOf(find(item.body, 'depends')).flatMap((node) => {
    const name = textOf(node) ?? '';
    const found = findItem(collected.byName, file, item.parent, name) ?? byNumber(name, file);
    if (found !== undefined) return [found];
    faults.add(node.at, {
      code: 'STEP_UNKNOWN',
      message: `'${item.name}' depends on '${name}', but there is no such step`,
      path: [item.name, name],
      fix: suggestName(name, namesIn(collected.byName, file, item.parent)),
    });
    return [];
  });
}

/** A step passes its result to the next one, where each has one port to do so. */
function linkPlain(work: Work, { collected, read }: OrderContext): void {
  const { leaf, bind, excused } = work;
  const needed = (leaf.processor?.inputs ?? []).filter(({ optional }) => !optional);
  const [input] = needed;
  if (
    input === undefined ||
    needed.length > 1 ||
    input.binding !== undefined ||
    bind[input.property] !== undefined ||
    excused.has(input.property)
  )
    return;
  const before = sourceOfPlainList(leaf, collected);
  if (before === undefined) return;
  if (before.processor === undefined) {
    excused.add(input.property);
    return;
  }
  const [output] = before.processor.outputs;
  if (output === undefined || before.processor.outputs.length > 1 || output.schema !== input.schema) return;
  bind[input.property] = link(before.name, output.name);
  read.add(`${before.name}.${output.name}`);
  work.linked = true;
}

/** The step whose result a step reads where nothing else is said: the one before it, or the one that it depends on. */
export function sourceOfPlainList(leaf: Leaf, { byName }: Collected): Leaf | undefined {
  const depends = find(leaf.body, 'depends');
  if (depends !== undefined) {
    const [only, second] = itemsOf(depends).map((node) => textOf(node) ?? '');
    const item =
      only === undefined || second !== undefined
        ? undefined
        : (findItem(byName, leaf.file, leaf.parent, only) ?? byNumber(only, leaf.file));
    return item === leaf ? undefined : lastOf(item);
  }
  for (let item: Item = leaf; ; item = item.parent) {
    if (item.previous !== undefined) return lastOf(item.previous);
    if (item.parent === undefined || item.parent.kind === 'workflow' || find(item.parent.body, 'depends') !== undefined) return undefined;
  }
}

function lastOf(item: Item | undefined): Leaf | undefined {
  if (item === undefined || item.kind === 'step') return item;
  return item.kind === 'group' ? lastOf(item.items.at(-1)) : undefined;
}

/** As flowtask counts: `Import_2` is the second step of the file, if it is an Import; so is `2`. */
function byNumber(name: string, { numbered }: Leaf['file']): Item | undefined {
  const [, called, digits] = /^(?:(.+)_)?(\d+)$/.exec(name) ?? [];
  const item = digits === undefined ? undefined : numbered.get(Number(digits));
  return item?.kind === 'step' && (called === undefined || item.called === called) ? item : undefined;
}
