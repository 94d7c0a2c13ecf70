import { isBinding, parseBinding, type AnyBinding, type CollectionBinding, type FileBinding } from '../binding/binding.js';
import { parseFileTarget } from '../storage/files/format.js';
import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import type { WriteMode } from '../types.js';
import type { StepSpec } from './spec.js';

/** Tells stores apart: two names of one store are one. A definition knows their names only. */
export type StoreIdentity = (name: string) => unknown;

/** A collection or a file that a step reads or writes. */
export interface Place {
  /** Two places of one key are one. */
  readonly key: string;
  /** As messages name it. */
  readonly text: string;
  /** By the port's property. */
  readonly property: string;
  readonly binding: CollectionBinding | FileBinding;
}
export interface WrittenPlace extends Place {
  readonly mode: WriteMode;
  /** Rejected rows: several steps may write them to one place. */
  readonly rejects: boolean;
}

/** What a port will be bound to; undefined where it is not. */
export function valueOf(step: StepSpec, port: InputSpec | OutputSpec): unknown {
  const given = port.kind === 'input' ? step.given.inputs : step.given.outputs;
  return given.has(port.property) ? given.get(port.property) : port.binding;
}

/** A value as the binding that it stands for; undefined for rows. */
export function toBinding(value: unknown): AnyBinding | undefined {
  if (typeof value === 'string') return parseBinding(value);
  return isBinding(value) ? value : undefined;
}

/** What a step reads from collections and files: inputs, params, and what a pipeline looks up. */
export function placesRead(step: StepSpec, storeOf: StoreIdentity): Place[] {
  const { inputs, params } = step.processor;
  const values = inputs.map((port) => [port.property, valueOf(step, port)] as const);
  const all = params === undefined ? values : [...values, [params.property, step.given.inputs.get(params.property)] as const];
  return all.flatMap(([property, value]) => {
    const binding = toBinding(value);
    const place = placeOf(binding, property, storeOf);
    if (place === undefined) return [];
    const { options } = place.binding;
    const foreign = 'pipeline' in options ? lookedUp(options.pipeline) : [];
    const store = binding?.kind === 'collection' ? `@${binding.store}` : '';
    return [place, ...foreign.flatMap((name) => placeOf(parseBinding(`${name}${store}`), property, storeOf) ?? [])];
  });
}

/** What a step writes to collections and files. */
export function placesWritten(step: StepSpec, storeOf: StoreIdentity): WrittenPlace[] {
  const outputs = step.processor.outputs.flatMap((port) => {
    const place = placeOf(toBinding(valueOf(step, port)), port.property, storeOf);
    return place === undefined ? [] : [{ ...place, mode: place.binding.options.mode ?? port.mode ?? 'replace', rejects: false }];
  });
  return [...outputs, ...rejectsOf(step, storeOf)];
}

function rejectsOf(step: StepSpec, storeOf: StoreIdentity): WrittenPlace[] {
  return [...step.processor.inputs, ...step.processor.outputs].flatMap((port) => {
    const place = rejectsPlace(step, port, storeOf);
    return place === undefined ? [] : [{ ...place, mode: 'replace', rejects: true }];
  });
}

/** Where the rows go that a port refuses; undefined where it does not reject any. */
export function rejectsPlace(step: StepSpec, port: InputSpec | OutputSpec, storeOf: StoreIdentity): Place | undefined {
  if (port.onInvalid !== 'reject') return undefined;
  const bound = toBinding(valueOf(step, port));
  const named = bound?.kind === 'collection' ? `${bound.name}_rejects@${bound.store}` : `${step.processor.name}_${port.name}_rejects`;
  return placeOf(parseBinding(port.rejects ?? named), port.property, storeOf);
}

/** The outputs of a step by which it writes what another one reads, as that calls it; none where these are its rejects. */
export function outputsRead(writer: StepSpec, reader: StepSpec, text: string): OutputSpec[] {
  const byName: StoreIdentity = (store) => store;
  const key = placesRead(reader, byName).find((place) => place.text === text)?.key;
  const written = new Set(placesWritten(writer, byName).flatMap((place) => (place.key === key && !place.rejects ? place.property : [])));
  return writer.processor.outputs.filter(({ property }) => written.has(property));
}

/** The collection or file that a binding means. */
export function placeOf(binding: AnyBinding | undefined, property: string, storeOf: StoreIdentity): Place | undefined {
  if (binding?.kind === 'collection') {
    return { key: JSON.stringify(['collection', storeOf(binding.store), binding.name]), text: binding.toString(), property, binding };
  }
  if (binding?.kind !== 'file') return undefined;
  try {
    const { path } = parseFileTarget(binding.target, binding.base);
    return { key: JSON.stringify(['file', path]), text: binding.toString(), property, binding };
  } catch {
    return undefined; // not the path of a file: the check of the step's bindings says so
  }
}

/** Collections that the stages of a pipeline name. */
function lookedUp(pipeline: readonly object[] | undefined): string[] {
  const names: string[] = [];
  const left: unknown[] = [...(pipeline ?? [])];
  for (const value of left) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$lookup' || key === '$graphLookup') names.push(String((inner as { readonly from?: unknown }).from));
      if (key === '$unionWith') names.push(typeof inner === 'string' ? inner : String((inner as { readonly coll?: unknown }).coll));
      left.push(inner);
    }
  }
  return names.filter((name) => name !== 'undefined');
}
