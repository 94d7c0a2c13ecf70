import { suggestName, type Fault } from '../errors.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import { findCycles } from './cycle.js';
import { createGraph, type Edge, type Graph } from './graph.js';
import { placeOf, placesRead, placesWritten, toBinding, valueOf, type StoreIdentity, type WrittenPlace } from './places.js';
import type { StepSpec } from './spec.js';

export interface Connected {
  readonly graph: Graph;
  /** Links to nowhere, cycles, two writers of one place: all of them. */
  readonly faults: readonly Fault[];
}

/** Puts steps in order by what they say: links, collections that one writes and another reads, `after`. */
export function connect(workflow: string, steps: readonly StepSpec[], storeOf: StoreIdentity): Connected {
  const indexes = new Map<string, number>();
  for (let index = steps.length - 1; index >= 0; index--) indexes.set(steps[index]!.name, index);
  const faults: Fault[] = [];
  const edges: Edge[] = [];
  for (let to = 0; to < steps.length; to++) {
    const step = steps[to]!;
    for (const edge of linksTo(workflow, steps, indexes, step, to, faults)) edges.push(edge);
    orderTo(workflow, indexes, step, to, faults, edges);
  }
  for (const edge of collectionEdges(steps, storeOf, faults)) edges.push(edge);
  const graph = createGraph(
    steps.map(({ name }) => name),
    edges,
  );
  return { graph, faults: [...faults, ...cycleFaults(workflow, steps, graph)] };
}

function linksTo(
  workflow: string,
  steps: readonly StepSpec[],
  indexes: ReadonlyMap<string, number>,
  step: StepSpec,
  to: number,
  faults: Fault[],
): readonly Edge[] {
  if (step.processor.inputs.length === 0) return none;
  return step.processor.inputs.flatMap((port): Edge[] => {
    const binding = toBinding(valueOf(step, port));
    if (binding?.kind !== 'link') return [];
    const from = indexes.get(binding.step);
    const writer = from === undefined ? undefined : steps[from];
    const said = `Workflow '${workflow}' step '${step.name}' input port '${port.name}' is linked to`;
    const path = [workflow, step.name, port.name];
    if (from === undefined || writer === undefined) {
      faults.push({
        code: 'STEP_UNKNOWN',
        message: `${said} '${binding.toString()}', but there is no step '${binding.step}'`,
        where: [step.where()],
        path,
        fix: suggestName(binding.step, indexes.keys()),
      });
      return [];
    }
    const outputs = writer.processor.outputs.map(({ name }) => name);
    if (!outputs.includes(binding.port)) {
      faults.push({
        code: 'PORT_UNKNOWN',
        message: `${said} '${binding.toString()}', but step '${writer.name}' has no output '${binding.port}'`,
        where: [step.where(), writer.where()],
        path,
        fix: suggestName(binding.port, outputs),
      });
      return [];
    }
    return [{ from, to, kind: 'link', label: binding.port }];
  });
}

function orderTo(workflow: string, indexes: ReadonlyMap<string, number>, step: StepSpec, to: number, faults: Fault[], edges: Edge[]): void {
  for (const name of step.after) {
    const from = indexes.get(name);
    if (from === undefined) faults.push(noStepBefore(workflow, indexes, step, name));
    else edges.push({ from, to, kind: 'after', label: '' });
  }
}

function noStepBefore(workflow: string, indexes: ReadonlyMap<string, number>, step: StepSpec, name: string): Fault {
  const message = `Workflow '${workflow}' step '${step.name}' comes after '${name}', but there is no such step`;
  return { code: 'STEP_UNKNOWN', message, where: [step.where()], path: [workflow, step.name], fix: suggestName(name, indexes.keys()) };
}

/** A step that reads what another writes comes after it; a step may read what it writes itself. */
function collectionEdges(steps: readonly StepSpec[], storeOf: StoreIdentity, faults: Fault[]): Edge[] {
  const writers = new Map<unknown, WriterOf[]>();
  const withPorts = [...steps.keys()].filter((step) => hasPlaces(steps[step]!.processor));
  for (const step of withPorts) {
    const spec = steps[step]!;
    for (const place of placesWritten(spec, storeOf)) note(writers, place.key, { step, place });
    for (const port of spec.processor.outputs) {
      const value = valueOf(spec, port);
      if (Array.isArray(value)) note(writers, value, { step, place: { text: undefined, mode: port.mode ?? 'replace', rejects: false } });
    }
  }
  for (const several of writers.values())
    refuseConflict(
      steps,
      several.filter(({ place }) => !place.rejects),
      faults,
    );
  for (const reader of withPorts) refuseReadOnly(steps, steps[reader]!, writers, storeOf, faults);
  return withPorts.flatMap((to) =>
    placesRead(steps[to]!, storeOf).flatMap(({ key, text }) =>
      (writers.get(key) ?? []).flatMap(({ step: from }): Edge[] => (from === to ? [] : [{ from, to, kind: 'collection', label: text }])),
    ),
  );
}

interface WriterOf {
  readonly step: number;
  /** An array has no text. */
  readonly place: Pick<WrittenPlace, 'mode' | 'rejects'> & { readonly text: string | undefined; readonly property?: string };
}

function note(writers: Map<unknown, WriterOf[]>, place: unknown, writer: WriterOf): void {
  const others = writers.get(place);
  if (others === undefined) writers.set(place, [writer]);
  else others.push(writer);
}

function hasPlaces({ inputs, outputs, params }: ProcessorSpec): boolean {
  return inputs.length > 0 || outputs.length > 0 || params !== undefined;
}

const none: readonly never[] = Object.freeze([]);

function refuseConflict(steps: readonly StepSpec[], writers: readonly WriterOf[], faults: Fault[]): void {
  const several = new Set(writers.map(({ step }) => step));
  const names = [...several].map((step) => steps[step]?.name ?? '');
  const first = writers[0];
  if (first === undefined || several.size < 2 || writers.every(({ place }) => place.mode !== 'replace')) return;
  faults.push({
    code: 'BINDING_CONFLICT',
    message: `${first.place.text === undefined ? 'one array in memory' : `'${first.place.text}'`} is written by several steps: ${names.map((name) => `'${name}'`).join(', ')}, and not all of them append or upsert`,
    where: [...several].map((step) => steps[step]?.where() ?? ''),
    path: names,
    fix: "Bind each output to a place of its own, or write all of them in mode 'append' or 'upsert'.",
  });
}

/** What an input may only read no step of its workflow writes. */
function refuseReadOnly(
  steps: readonly StepSpec[],
  reader: StepSpec,
  writers: ReadonlyMap<unknown, readonly WriterOf[]>,
  storeOf: StoreIdentity,
  faults: Fault[],
): void {
  for (const input of reader.processor.inputs) {
    const place = input.readOnly ? placeOf(toBinding(valueOf(reader, input)), input.property, storeOf) : undefined;
    for (const { step, place: written } of (place && writers.get(place.key)) ?? []) {
      const writer = steps[step]!;
      if (written.rejects || written.property === undefined || place === undefined) continue;
      const output = writer.processor.outputs.find(({ property }) => property === written.property)?.name ?? '';
      faults.push({
        code: 'PORT_READ_ONLY',
        message: `Step '${writer.name}' output port '${output}' is bound to '${place.text}', which input port '${input.name}' of step '${reader.name}' may only read`,
        where: [writer.where(), reader.where()],
        path: [writer.name, output],
        fix: `Bind one of them elsewhere, or drop readOnly from '${input.name}'.`,
      });
    }
  }
}

function cycleFaults(workflow: string, steps: readonly StepSpec[], graph: Graph): Fault[] {
  return findCycles(graph).map((cycle) => {
    const path = cycle.map((step) => graph.names[step] ?? '');
    const reasons = cycle.slice(1).map((to, at) => describeEdge(graph, cycle[at]!, to));
    return {
      code: 'WORKFLOW_CYCLE',
      message: `Workflow '${workflow}' has steps that wait for each other: ${path.join(' -> ')} (${reasons.join('; ')})`,
      where: cycle.slice(1).map((step) => steps[step]?.where() ?? ''),
      path,
      fix: 'Take one of these links, collections or `after` away.',
    };
  });
}

function describeEdge(graph: Graph, from: number, to: number): string {
  const edge = graph.out[from]!.find((one) => one.to === to);
  const [before, after] = [graph.names[from] ?? '', graph.names[to] ?? ''];
  if (edge?.kind === 'link') return `'${after}' reads '${before}.${edge.label}'`;
  if (edge?.kind === 'collection') return `'${after}' reads '${edge.label}', which '${before}' writes`;
  return `'${after}' comes after '${before}'`;
}
