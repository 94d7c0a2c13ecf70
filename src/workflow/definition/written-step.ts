import { processorStep } from './keys.js';
import { describeNode, type MapNode, type Node } from './node.js';
import type { At, Faults } from './source.js';

/** A step as it was written; `members` of a group of the old shape. */
export interface WrittenStep {
  readonly key: string;
  readonly at: At;
  readonly body: MapNode;
  /** Where it stands in the list of the file, from 1. */
  readonly number: number | undefined;
  readonly members: readonly WrittenStep[];
  readonly former?: true;
}

const examples: Readonly<Record<string, string>> = {
  command: 'command: { command: … }',
  group: 'group: { name: …, steps: [ … ] }',
  workflow: 'workflow: { path: … }',
};

/** A step as its one key and what stands below it. */
export function readWritten(node: Node, number: number | undefined, faults: Faults): WrittenStep | undefined {
  if (node.kind === 'scalar') {
    if (typeof node.value === 'string' && node.value.trim() !== '')
      return { key: node.value, at: node.at, body: { kind: 'map', at: node.at, entries: [] }, number, members: [] };
    return faults.invalid(
      node.at,
      `a step is the name of a processor, or a map with that name as its key; this is ${describeNode(node)}`,
      'Write `- ImportPrices`, or `- ImportPrices: { … }`.',
    );
  }
  const [first, second] = node.kind === 'map' ? node.entries : [];
  if (first === undefined)
    return faults.invalid(
      node.at,
      `a step is the name of a processor, or a map with that name as its key; this is ${describeNode(node)}`,
      'Write `- ImportPrices`, or `- ImportPrices: { … }`.',
    );
  if (second !== undefined) {
    const own = Object.hasOwn(processorStep.keys, second.key);
    const fix = own ? `Indent '${second.key}' further than '${first.key}'.` : "Begin a step of its own with '- '.";
    return faults.invalid(second.at, `a step has one key, and '${second.key}' stands beside '${first.key}'`, fix);
  }
  const body: Node = first.value.kind === 'scalar' && first.value.value === null ? { kind: 'map', at: first.at, entries: [] } : first.value;
  if (body.kind !== 'map')
    return faults.invalid(
      body.at,
      `'${first.key}' is ${describeNode(body)}, and a map is expected`,
      `Write ${examples[first.key] ?? `${first.key}: { bind: … }, or the bare name`}.`,
    );
  return { key: first.key, at: first.at, body, number, members: [] };
}
