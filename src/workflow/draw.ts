import { escapeLabel } from '../container/graph.js';
import type { Edge, Graph } from './graph.js';

/** A flow chart: links are arrows with the port's name, collections thick ones, `after` dotted ones. */
export function toMermaid(graph: Graph, processors: readonly string[]): string {
  const boxes = graph.names.map((name, step) => {
    const processor = processors[step] ?? name;
    const label = processor === name ? escapeLabel(name) : `${escapeLabel(name)}<br>${escapeLabel(processor)}`;
    return `  s${step}["${label}"]`;
  });
  return ['flowchart LR', ...boxes, ...graph.edges.map(arrow), ''].join('\n');
}

function arrow({ from, to, kind, label }: Edge): string {
  if (kind === 'after') return `  s${from} -.-> s${to}`;
  return `  s${from} ${kind === 'link' ? '-->' : '==>'}|"${escapeLabel(label)}"| s${to}`;
}
