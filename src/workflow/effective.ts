import { BindingError, DefinitionError, suggestName, type Fault } from '../errors.js';
import type { StoreSet } from '../binding/resolved.js';
import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import { connect } from './connect.js';
import type { Graph } from './graph.js';
import { stepUnknown } from './slice.js';
import type { StepSpec, WorkflowSpec } from './spec.js';

/** The steps of a run, with the bindings that it gives, and their graph. */
export interface EffectiveWorkflow {
  readonly spec: WorkflowSpec;
  readonly steps: readonly StepSpec[];
  readonly graph: Graph;
}

/**
 * Puts the bindings of a run over those of the definition.
 *
 * @throws MillraceError `STEP_UNKNOWN`; BindingError for unknown ports; DefinitionError where the new bindings make a cycle or a conflict.
 */
export function applyBindings(
  spec: WorkflowSpec,
  bind: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  stores: StoreSet,
): EffectiveWorkflow {
  const names = new Set(spec.graph.names);
  const faults: Fault[] = [];
  for (const name of Object.keys(bind)) if (!names.has(name)) throw stepUnknown(spec.name, name, names);
  const steps = Object.keys(bind).length === 0 ? spec.steps : spec.steps.map((step) => override(step, bind[step.name], faults));
  if (faults.length > 0) throw new BindingError(`Workflow '${spec.name}'`, faults);
  if (steps === spec.steps && stores.names.length < 2) return { spec, steps, graph: spec.graph };
  const { graph, faults: found } = connect(spec.name, steps, (store) => identityOf(stores, store));
  if (found.length > 0) throw new DefinitionError(`Workflow '${spec.name}'`, found);
  return { spec, steps, graph };
}

function override(step: StepSpec, bind: Readonly<Record<string, unknown>> | undefined, faults: Fault[]): StepSpec {
  if (bind === undefined) return step;
  const { processor, given } = step;
  const inputs = new Map(given.inputs);
  const outputs = new Map(given.outputs);
  for (const [name, value] of Object.entries(bind)) {
    const input = findPort(processor.inputs, name);
    const output = findPort(processor.outputs, name);
    const { params } = processor;
    if (value === undefined) continue;
    if (input !== undefined) inputs.set(input.property, Array.isArray(value) ? [...(value as unknown[])] : value);
    else if (output !== undefined) outputs.set(output.property, value);
    else if (params !== undefined && (name === params.property || name === 'params')) inputs.set(params.property, value);
    else {
      const known = [...processor.inputs, ...processor.outputs].map(({ property }) => property);
      const message = `Step '${step.name}': processor '${processor.name}' has no port '${name}'`;
      faults.push({
        code: 'PORT_UNKNOWN',
        message,
        where: [step.where()],
        path: [step.name, name],
        fix: suggestName(name, [...known, ...(params === undefined ? [] : [params.property])]),
      });
    }
  }
  return { ...step, given: { ...given, inputs, outputs } };
}

/** By property, as TypeScript names it, else by the port's own name. */
function findPort<P extends InputSpec | OutputSpec>(ports: readonly P[], name: string): P | undefined {
  return ports.find(({ property }) => property === name) ?? ports.find((port) => port.name === name);
}

/** Two names of one store are one; a name that is not known is told when its step is checked. */
function identityOf(stores: StoreSet, name: string): unknown {
  if (!stores.names.includes(name)) return name;
  const store = stores.get(name);
  if (store.url !== 'memory:') return store.url;
  const twin = stores.names.find((other) => stores.get(other) === store);
  return `memory ${twin ?? name}`;
}
