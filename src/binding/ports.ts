import type { Fault } from '../errors.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import type { AnyBinding } from './binding.js';
import { Claims } from './claims.js';
import { PortFaults } from './port-faults.js';
import { InputResolver } from './resolve-inputs.js';
import { OutputResolver } from './resolve-outputs.js';
import type { GivenBindings, ResolvedInput, ResolvedOutput, ResolvedPorts, StoreSet } from './resolved.js';
import type { Source } from './source.js';
import { Targets } from './targets.js';

/** Of a processor that has none. */
export const noPorts: ResolvedPorts = Object.freeze({ inputs: [], outputs: [], coordinator: undefined });

/** Applies defaults and checks every port; what is wrong is in `faults`, all of it. Touches no data. */
export async function resolvePorts(
  spec: ProcessorSpec,
  given: GivenBindings,
  stores: StoreSet,
): Promise<{ readonly ports: ResolvedPorts; readonly faults: readonly Fault[] }> {
  if (spec.inputs.length + spec.outputs.length + given.unknown.size === 0) return { ports: noPorts, faults: [] };
  const { inputs: input, outputs: output, faults } = resolversOf(spec, stores);
  faults.unknown(given.unknown);
  const inputs: ResolvedInput[] = [];
  for (const port of spec.inputs) {
    const resolved = await input.resolve(port, valueOf(port, given.inputs));
    if (resolved !== undefined) inputs.push(resolved);
  }
  const outputs: ResolvedOutput[] = [];
  for (const port of spec.outputs) {
    const resolved = await output.resolve(port, valueOf(port, given.outputs));
    if (resolved !== undefined) outputs.push(resolved);
  }
  return { ports: { inputs, outputs, coordinator: output.coordinator }, faults: faults.found };
}

/** The source of parameters that are bound by name; a fault where it cannot be read. */
export async function resolveParamsSource(
  spec: ProcessorSpec,
  text: string | AnyBinding,
  stores: StoreSet,
): Promise<{ readonly source: Source | undefined; readonly faults: readonly Fault[] }> {
  const { inputs, faults } = resolversOf(spec, stores);
  const source = await inputs.params(text);
  return { source, faults: faults.found };
}

function resolversOf(
  spec: ProcessorSpec,
  stores: StoreSet,
): { readonly inputs: InputResolver; readonly outputs: OutputResolver; readonly faults: PortFaults } {
  const faults = new PortFaults(spec);
  const targets = new Targets(stores, faults);
  const claims = new Claims();
  const outputs = new OutputResolver(spec, targets, claims, faults);
  return { inputs: new InputResolver(spec, targets, claims, faults, outputs.rejects), outputs, faults };
}

function valueOf(spec: InputSpec | OutputSpec, given: ReadonlyMap<string, unknown>): unknown {
  return given.has(spec.property) ? given.get(spec.property) : spec.binding;
}
