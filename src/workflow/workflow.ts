import type { Link } from '../types.js';
import { toMermaid } from './draw.js';
import type { WorkflowSpec } from './spec.js';

/** The outputs of a workflow that one around it can link from. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- links of whatever documents
export type Links = Readonly<Record<string, Link<any>>>;

/** A graph of steps, frozen: what `workflow` and `loadWorkflow` answer, and an app runs. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a workflow of whatever outputs
export interface Workflow<O extends Links = any> {
  readonly name: string;
  /** What the builder returned: the outputs that a workflow around this one can link from. */
  readonly outputs: O;
  /** `after`: every step that comes right before it, by link, by collection or by `after`. */
  readonly steps: readonly { readonly name: string; readonly processor: string; readonly after: readonly string[] }[];
  toMermaid(): string;
  toJSON(): object;
}

/** Across copies of the package: a config file may import another one than the CLI that reads it. */
const brand: unique symbol = Symbol.for('millrace.workflow') as never;

export function createWorkflow<O extends Links>(spec: WorkflowSpec, outputs: O): Workflow<O> {
  const { graph } = spec;
  let steps: Workflow['steps'] | undefined;
  return Object.freeze({
    name: spec.name,
    outputs: Object.freeze({ ...outputs }),
    get steps() {
      return (steps ??= describeSteps(spec));
    },
    toMermaid: () =>
      toMermaid(
        graph,
        spec.steps.map(({ processor }) => processor.name),
      ),
    toJSON: () => toJson(spec),
    [brand]: spec,
  });
}

/** What a workflow was made of; undefined for anything else. */
export function findWorkflowSpec(value: unknown): WorkflowSpec | undefined {
  return typeof value === 'object' && value !== null && brand in value ? (value as { readonly [brand]: WorkflowSpec })[brand] : undefined;
}

function describeSteps({ steps, graph }: WorkflowSpec): Workflow['steps'] {
  return Object.freeze(
    steps.map(({ name, processor }, step) =>
      Object.freeze({
        name,
        processor: processor.name,
        after: Object.freeze([...new Set(graph.into[step]!.map(({ from }) => graph.names[from] ?? ''))]),
      }),
    ),
  );
}

function toJson({ name, title, description, steps, graph }: WorkflowSpec): object {
  return {
    name,
    title,
    description,
    steps: steps.map(({ name: step, processor, tags, behaviour: { onError, keep, timeout, when } }) => ({
      name: step,
      processor: processor.name,
      tags: [...tags],
      onError,
      keep,
      timeout,
      ...(when === undefined ? {} : { when: true }),
    })),
    edges: graph.edges.map(({ from, to, kind, label }) => ({
      from: graph.names[from],
      to: graph.names[to],
      kind,
      ...(label === '' ? {} : { label }),
    })),
  };
}
