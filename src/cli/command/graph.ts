import { parseBinding } from '../../binding/binding.js';
import { createContainer } from '../../container/container.js';
import type { DependencyGraph } from '../../container/types.js';
import { maskUrl } from '../../mask.js';
import type { ProcessorSpec } from '../../metadata/spec.js';
import type { Cli } from '../command.js';
import { exitCode } from '../failure.js';
import { toJson } from '../text.js';
import { findProcessor, openWorkspace } from '../workspace.js';

/** An edge of data has the port's name, one of need the scope's; `open` is what a run has yet to bind. */
export interface ProjectGraph {
  readonly nodes: readonly {
    readonly id: string;
    readonly kind: DependencyGraph['nodes'][number]['kind'] | 'collection' | 'file' | 'open';
  }[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly kind: 'reads' | 'writes' | 'needs';
    readonly label: string;
  }[];
}

/** `millrace graph [NAME]`. */
export async function graph({ name }: { readonly name?: string }, cli: Cli): Promise<number> {
  const workspace = await openWorkspace(cli);
  const { catalogue, workflows } = workspace;
  const workflow = workflows.workflows.find((one) => one.name === name);
  if (workflow !== undefined && !catalogue.processors.has(workflow.name)) {
    cli.out.line(cli.json ? toJson(workflow.toJSON()) : workflow.toMermaid().trimEnd());
    return exitCode.done;
  }
  const specs = name === undefined ? [...catalogue.processors.values()] : [findProcessor(workspace, name)];
  await using container = createContainer({ ...catalogue.options, processors: specs.map((spec) => spec.class) });
  const drawn = drawProject(specs, container.graph());
  cli.out.line(cli.json ? toJson(drawn) : toMermaid(drawn));
  return exitCode.done;
}

/** Processors with what their ports are bound to where nothing else is said, and with what they depend on. */
export function drawProject(specs: readonly ProcessorSpec[], needs: DependencyGraph): ProjectGraph {
  const nodes = new Map(needs.nodes.map((node) => [node.id, node as ProjectGraph['nodes'][number]]));
  for (const { name } of specs) nodes.set(name, { id: name, kind: 'processor' });
  const edges: ProjectGraph['edges'][number][] = [];
  for (const { name, inputs, outputs } of specs) {
    for (const port of inputs) edges.push({ from: place(port, name), to: name, kind: 'reads', label: port.name });
    for (const port of outputs) edges.push({ from: name, to: place(port, name), kind: 'writes', label: port.name });
  }
  edges.push(...needs.edges.map(({ from, to, scope }) => ({ from, to, kind: 'needs' as const, label: scope })));
  return { nodes: [...nodes.values()], edges };

  /** The node of what a port is bound to. */
  function place({ name, binding }: Port, processor: string): string {
    const text = binding === undefined ? `${processor}.${name}` : maskUrl(String(binding));
    const kind = kindOf(binding);
    const id = [text, `${text} (${kind})`].find((one) => (nodes.get(one)?.kind ?? kind) === kind) ?? text;
    nodes.set(id, { id, kind });
    return id;
  }
}

type Port = ProcessorSpec['inputs' | 'outputs'][number];

function kindOf(binding: Port['binding']): Exclude<ProjectGraph['nodes'][number]['kind'], 'processor'> {
  if (binding === undefined) return 'open';
  const { kind } = typeof binding === 'string' ? parseBinding(binding) : binding;
  return kind === 'collection' || kind === 'file' ? kind : 'value';
}

const shapes: Readonly<Record<ProjectGraph['nodes'][number]['kind'], readonly [string, string]>> = {
  processor: ['[[', ']]'],
  collection: ['[(', ')]'],
  file: ['[/', '/]'],
  open: ['>', ']'],
  resource: ['(', ')'],
  class: ['[', ']'],
  token: ['([', '])'],
  value: ['{{', '}}'],
};

function toMermaid({ nodes, edges }: ProjectGraph): string {
  const ids = new Map(nodes.map(({ id }, index) => [id, `n${String(index)}`]));
  const boxes = nodes.map(({ id, kind }) => `  ${ids.get(id) ?? ''}${shapes[kind][0]}"${escapeLabel(id)}"${shapes[kind][1]}`);
  const arrows = edges.map(
    ({ from, to, kind, label }) =>
      `  ${ids.get(from) ?? ''} ${kind === 'needs' ? '-.->' : '-->'}|"${escapeLabel(label)}"| ${ids.get(to) ?? ''}`,
  );
  return ['flowchart LR', ...boxes, ...arrows].join('\n');
}

/** What ends a label, begins HTML or breaks the line, as Mermaid's character codes. */
function escapeLabel(text: string): string {
  return text.replace(/["#&<>`\r\n\u2028\u2029]/g, (character) => (/\s/.test(character) ? ' ' : `#${String(character.charCodeAt(0))};`));
}
