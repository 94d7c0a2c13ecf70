import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isBinding } from '../binding/binding.js';
import type { StoreSet } from '../binding/resolved.js';
import { secretsOf } from '../metadata/registry.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import { parseFileTarget } from '../storage/files/format.js';
import type { Store } from '../storage/store.js';
import { maskUrl } from '../mask.js';
import { maskSecrets } from '../validation/mask.js';
import type { Edge, Graph } from './graph.js';
import { placesRead, placesWritten, valueOf, type Place } from './places.js';
import type { StepSpec } from './spec.js';

/** Of an input of more rows than these not all are looked at to tell whether it has changed, */
const most = 20_000;
/** but so many at either end, besides how many there are. */
const sample = 1000;

/** What a step is: another text means another processor, other bindings or other parameters. Secrets leave no trace in it. */
export function fingerprintOf(step: StepSpec): string {
  const { processor } = step;
  const source = sourceOf(processor);
  const ports = [...processor.inputs, ...processor.outputs];
  if (ports.length === 0 && processor.params === undefined && step.detail === undefined) return source;
  const bindings = ports.map((port) => [
    port.kind,
    port.property,
    port.kind === 'output' && Array.isArray(valueOf(step, port)) ? 'array' : describe(valueOf(step, port)),
  ]);
  return hash(toText([source, bindings, describeParams(step), step.detail ?? null]));
}

/** What the inputs of a step hold that no step of its workflow writes: another text means that they have changed. */
export async function stampOf(places: readonly Place[], stores: StoreSet): Promise<string> {
  const stamps: string[] = [];
  for (const { binding, key } of places) {
    const stamp = binding.kind === 'file' ? await stampFile(binding) : await stampCollection(stores.get(binding.store), binding.name);
    stamps.push(`${key} ${stamp}`);
  }
  return stamps.length === 0 ? '' : hash(stamps.join('\n'));
}

/** Places that a step reads and that neither it nor another step of its workflow writes. */
export function outerPlaces(graph: Graph, steps: readonly StepSpec[], index: number): readonly Place[] {
  const step = steps[index];
  if (step === undefined || (step.processor.inputs.length === 0 && step.processor.params === undefined)) return none;
  const identity = (store: string): string => store;
  const read = placesRead(step, identity);
  if (read.length === 0) return none;
  const before = graph.into[index]!.flatMap(({ kind, from }) => (kind === 'collection' ? [from] : []));
  const written = new Set([index, ...before].flatMap((one) => placesWritten(steps[one] ?? step, identity)).map(({ key }) => key));
  return read.filter(({ key }) => !written.has(key));
}

/** A step and what it read, all the way up: the same text means that it would write the same again. */
export function lineageOf(fingerprint: string, stamp: string, into: readonly Edge[], lineage: (step: number) => string): string {
  const data = into.filter(({ kind }) => kind !== 'after');
  if (data.length === 0 && stamp === '') return fingerprint;
  return hash(JSON.stringify([fingerprint, stamp, data.map(({ kind, label, from }) => [kind, label, lineage(from)])]));
}

const none: readonly Place[] = Object.freeze([]);
const sources = new WeakMap<object, string>();

/** The text of a class: its compiled source. */
function sourceOf({ class: processor, name }: ProcessorSpec): string {
  let source = sources.get(processor);
  if (source === undefined) sources.set(processor, (source = hash(`${name}\n${Function.prototype.toString.call(processor)}`)));
  return source;
}

function describe(value: unknown): unknown {
  if (typeof value === 'string') return maskUrl(value);
  if (isBinding(value)) {
    if (value.kind === 'rows') return ['rows', value.make.toString()];
    if (value.kind === 'sink') return ['sink', value.take.toString()];
    return [value.kind, value.toString(), 'options' in value ? value.options : null];
  }
  if (!Array.isArray(value)) return value ?? null;
  const rows = value as readonly unknown[];
  return ['array', rows.length, rows.length <= most ? rows : [rows.slice(0, sample), rows.slice(-sample)]];
}

function describeParams({ processor: { params }, given }: StepSpec): unknown {
  const value = params === undefined ? undefined : given.inputs.get(params.property);
  return params === undefined || typeof value !== 'object' ? (value ?? null) : maskSecrets(value, params.schema, secretsOf);
}

async function stampFile({ target, base }: Extract<Place['binding'], { kind: 'file' }>): Promise<string> {
  try {
    const { size, mtimeNs } = await stat(parseFileTarget(target, base).path, { bigint: true });
    return `${String(size)} ${String(mtimeNs)}`;
  } catch {
    return 'missing'; // the step that reads it says so
  }
}

/** Where the store does not know: all rows, or of many the first ones and those of the greatest ids, where new ones come. */
async function stampCollection(store: Store, name: string): Promise<string> {
  const version = await store.version?.(name);
  if (version !== undefined) return version;
  const count = await store.count(name);
  const queries = count <= most ? [{}] : [{ limit: sample }, { sort: { _id: -1 as const }, limit: sample }];
  const text = createHash('sha1').update(String(count));
  for (const query of queries) for await (const rows of store.find(name, query).batches()) text.update(toText(rows));
  return text.digest('base64url');
}

function toText(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
  } catch {
    return 'circular'; // rows in memory may be: that they changed is then not seen
  }
}

function hash(text: string): string {
  return createHash('sha1').update(text).digest('base64url');
}
