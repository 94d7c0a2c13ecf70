import { describeValue, suggestName, type Fault } from '../errors.js';
import { maskUrl } from '../mask.js';
import { secretsOf } from '../metadata/registry.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import { describeFormats, parseFileTarget, type FileFormat } from '../storage/files/format.js';
import type { Store } from '../storage/store.js';
import type { Class, Column, Row, WriteMode } from '../types.js';
import { columnsOf } from '../validation/columns.js';
import { maskSecrets } from '../validation/mask.js';
import { compileRowCheck, type RowCheck } from '../validation/row-check.js';
import { isBinding, parseBinding, refuseCollectionName, type AnyBinding, type CollectionBinding, type FileBinding } from './binding.js';
import type { ArrayPlace, CollectionPlace, FilePlace } from './publication.js';
import type { Target } from './target.js';
import { InputWire, OutputWire, type Tap } from './wire.js';
import { arraySource, collectionSource, emptySource, fileSource, isAsyncIterable, isIterable, madeSource, type Source } from './source.js';

/** The stores that bindings name. */
export interface StoreSet {
  readonly names: readonly string[];
  /** @throws MillraceError `STORE_UNKNOWN`. */
  get(name: string): Store;
}

/** Bindings as a task was given them, by property. */
export interface GivenBindings {
  readonly inputs: ReadonlyMap<string, unknown>;
  readonly outputs: ReadonlyMap<string, unknown>;
  /** Names that fit no port. */
  readonly unknown: ReadonlyMap<string, 'input' | 'output' | 'port'>;
}

export interface ResolvedInput {
  readonly spec: InputSpec;
  readonly source: Source;
  readonly text: string;
  readonly check: RowCheck | undefined;
  /** Every row is known to be one: whoever wrote it was asked. */
  readonly trusted: boolean;
  readonly properties: readonly string[];
  readonly rejects: OutputPlace | undefined;
}
export type OutputPlace =
  | { readonly kind: 'collection'; readonly place: CollectionPlace; readonly atomic: boolean }
  | { readonly kind: 'file'; readonly place: FilePlace }
  | { readonly kind: 'array'; readonly place: ArrayPlace }
  | { readonly kind: 'sink'; readonly take: (batch: readonly Row[]) => void | Promise<void> }
  | { readonly kind: 'stream'; readonly target: Target }
  | { readonly kind: 'spool'; readonly place: CollectionPlace }
  | { readonly kind: 'nowhere' };
export interface ResolvedOutput {
  readonly spec: OutputSpec;
  readonly to: OutputPlace;
  /** Where its rows go besides: to the readers of its links. */
  readonly taps: readonly OutputPlace[];
  readonly text: string;
  readonly check: RowCheck | undefined;
  /** For `upsert`. */
  readonly key: readonly string[] | undefined;
  readonly rejects: OutputPlace | undefined;
}
/** Every port of a processor with what it is connected to. */
export interface ResolvedPorts {
  readonly inputs: readonly ResolvedInput[];
  readonly outputs: readonly ResolvedOutput[];
  /** The store whose commit record decides; undefined where nothing durable is written. */
  readonly coordinator: Store | undefined;
}

/** Of a processor that has none. */
export const noPorts: ResolvedPorts = Object.freeze({ inputs: [], outputs: [], coordinator: undefined });

/** Applies defaults and checks every port; what is wrong is in `faults`, all of it. Touches no data. */
export async function resolvePorts(
  spec: ProcessorSpec,
  given: GivenBindings,
  stores: StoreSet,
): Promise<{ readonly ports: ResolvedPorts; readonly faults: readonly Fault[] }> {
  if (spec.inputs.length + spec.outputs.length + given.unknown.size === 0) return { ports: noPorts, faults: [] };
  const resolver = new PortResolver(spec, stores);
  const ports = await resolver.resolve(given);
  return { ports, faults: resolver.faults };
}

/** The source of parameters that are bound by name; a fault where it cannot be read. */
export async function resolveParamsSource(
  spec: ProcessorSpec,
  text: string | AnyBinding,
  stores: StoreSet,
): Promise<{ readonly source: Source | undefined; readonly faults: readonly Fault[] }> {
  const resolver = new PortResolver(spec, stores);
  const source = await resolver.params(text);
  return { source, faults: resolver.faults };
}

/** What each port will use, defaults included, secrets masked; ports without a binding are left out. */
export function describeBindings(
  ports: readonly (InputSpec | OutputSpec)[],
  given: ReadonlyMap<string, unknown>,
  by: 'property' | 'name' = 'property',
): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const port of ports) {
    const value = given.has(port.property) ? given.get(port.property) : port.binding;
    if (value !== undefined) texts[port[by]] = describeBinding(value, port.schema);
  }
  return texts;
}

function describeBinding(value: unknown, schema?: Class): string {
  if (typeof value === 'string') return maskUrl(value);
  if (isBinding(value) || value instanceof InputWire || value instanceof OutputWire) return value.toString();
  if (Array.isArray(value)) return `[${String(value.length)} ${value.length === 1 ? 'row' : 'rows'}]`;
  return maskUrl(describeValue(schema === undefined ? value : maskSecrets(value, schema, secretsOf)));
}

/** Parameters as a log shows them. */
export function describeParams(value: unknown, schema: Class): string {
  return describeBinding(value, schema);
}

interface Claim {
  readonly port: string;
  readonly place: string;
}

class PortResolver {
  readonly faults: Fault[] = [];
  readonly #spec: ProcessorSpec;
  readonly #stores: StoreSet;
  /** Places that a readOnly input reads. */
  readonly #read = new Map<string, InputSpec>();
  readonly #written: Claim[] = [];
  readonly #arrays = new Map<unknown, string>();
  readonly #coordinators: Store[] = [];

  constructor(spec: ProcessorSpec, stores: StoreSet) {
    this.#spec = spec;
    this.#stores = stores;
  }

  async resolve(given: GivenBindings): Promise<ResolvedPorts> {
    this.#refuseUnknown(given.unknown);
    const inputs: ResolvedInput[] = [];
    for (const spec of this.#spec.inputs) {
      const resolved = await this.#input(spec, valueOf(spec, given.inputs));
      if (resolved !== undefined) inputs.push(resolved);
    }
    const outputs: ResolvedOutput[] = [];
    for (const spec of this.#spec.outputs) {
      const resolved = await this.#output(spec, valueOf(spec, given.outputs));
      if (resolved !== undefined) outputs.push(resolved);
    }
    return { inputs, outputs, coordinator: this.#coordinator() };
  }

  async params(binding: string | AnyBinding): Promise<Source | undefined> {
    const { params } = this.#spec;
    if (params === undefined) return undefined;
    const port = { kind: 'input', name: 'params', optional: false, onInvalid: 'off', readOnly: false, rereads: false, ...params } as const;
    return (await this.#source(port, binding, columnsOf(params.schema)))?.source;
  }

  /* ── inputs ── */

  async #input(spec: InputSpec, value: unknown): Promise<ResolvedInput | undefined> {
    const check = this.#check(spec);
    const columns = spec.schema === undefined ? undefined : columnsOf(spec.schema);
    if (value instanceof InputWire) return this.#wiredInput(spec, value, check, columns);
    const resolved = await this.#source(spec, value, columns);
    if (resolved === undefined) return undefined;
    const { source, text, collection } = resolved;
    const rejects = spec.onInvalid === 'reject' ? await this.#rejects(spec, collection) : undefined;
    return { spec, source, text, check, trusted: false, properties: columns?.map(({ name }) => name) ?? [], rejects };
  }

  async #wiredInput(
    spec: InputSpec,
    wire: InputWire,
    check: RowCheck | undefined,
    columns: readonly Column[] | undefined,
  ): Promise<ResolvedInput> {
    const rejects = spec.onInvalid === 'reject' && !wire.checked ? await this.#rejects(spec, undefined) : undefined;
    const properties = columns?.map(({ name }) => name) ?? [];
    return {
      spec,
      source: wire.source,
      text: wire.toString(),
      check: wire.checked ? undefined : check,
      trusted: true,
      properties,
      rejects,
    };
  }

  async #source(
    spec: InputSpec,
    value: unknown,
    columns: ReturnType<typeof columnsOf> | undefined,
  ): Promise<{ source: Source; text: string; collection?: CollectionBinding } | undefined> {
    if (value === undefined) {
      if (!spec.optional) return this.#unbound(spec);
      return { source: emptySource, text: 'nothing' };
    }
    const text = describeBinding(value, spec.schema);
    if (Array.isArray(value)) return { source: arraySource(value as Row[]), text };
    const binding = typeof value === 'string' ? parseBinding(value) : value;
    if (!isBinding(binding)) {
      if (typeof value !== 'object' || value === null || isIterable(value) || isAsyncIterable(value)) return this.#refuse(spec, value);
      return { source: arraySource([value]), text };
    }
    switch (binding.kind) {
      case 'rows':
        return { source: madeSource(binding.make, `Processor '${this.#spec.name}' input port '${spec.name}'`), text };
      case 'file': {
        if (this.#hasForeignOptions(spec, binding.options, ['mode'])) return undefined;
        const file = await this.#inputFile(spec, binding);
        if (file === undefined) return undefined;
        if (spec.readOnly) this.#read.set(file.path, spec);
        return { source: fileSource(file.path, file.format, file.gzip, columns), text };
      }
      case 'collection': {
        if (this.#hasForeignOptions(spec, binding.options, ['mode', 'key', 'overwrite'])) return undefined;
        const store = this.#collection(spec, binding);
        if (store === undefined) return undefined;
        if (spec.readOnly) this.#read.set(placeOf(store, binding.name), spec);
        return { source: collectionSource(store, binding.name, binding.options), text, collection: binding };
      }
      default:
        return this.#refuse(spec, binding);
    }
  }

  async #inputFile(spec: InputSpec, binding: FileBinding): Promise<{ path: string; format: FileFormat; gzip: boolean } | undefined> {
    const file = this.#parseFile(spec, binding);
    if (file === undefined) return undefined;
    const problem = await (await fileChecks()).checkReadable(file.path);
    if (problem === undefined) return file;
    return this.#fault(spec, problem.code, `${this.#port(spec)}: ${problem.message}`, problem.fix);
  }

  /* ── outputs ── */

  async #output(spec: OutputSpec, value: unknown): Promise<ResolvedOutput | undefined> {
    if (value instanceof OutputWire) return this.#wiredOutput(spec, value);
    const check = this.#check(spec);
    if (value === undefined) {
      if (!spec.optional) return this.#unbound(spec);
      return { spec, to: { kind: 'nowhere' }, taps: [], text: 'nowhere', check, key: undefined, rejects: undefined };
    }
    const binding = typeof value === 'string' ? parseBinding(value) : value;
    const to = await this.#place(spec, binding);
    if (to === undefined) return undefined;
    const collection = isBinding(binding) && binding.kind === 'collection' ? binding : undefined;
    const rejects = spec.onInvalid === 'reject' ? await this.#rejects(spec, collection) : undefined;
    const key = to.kind === 'collection' || to.kind === 'array' ? to.place.key : undefined;
    return { spec, to, taps: [], text: describeBinding(value, spec.schema), check, key, rejects };
  }

  async #wiredOutput(spec: OutputSpec, wire: OutputWire): Promise<ResolvedOutput | undefined> {
    const taps = wire.taps.map((tap) => this.#tap(tap));
    if (wire.bound !== undefined) {
      const bound = await this.#output(spec, wire.bound);
      return bound && { ...bound, taps, text: wire.toString() };
    }
    const check = this.#check(spec);
    const rejects = spec.onInvalid === 'reject' ? await this.#rejects(spec, undefined) : undefined;
    return { spec, to: { kind: 'nowhere' }, taps, text: wire.toString(), check, key: undefined, rejects };
  }

  #tap(tap: Tap): OutputPlace {
    if (tap.kind === 'stream') return tap;
    const { store, collection } = tap;
    this.#coordinators.push(store);
    return { kind: 'spool', place: { store, collection, mode: 'replace', key: undefined, overwrite: true, sparse: false } };
  }

  async #place(spec: OutputSpec, binding: unknown): Promise<OutputPlace | undefined> {
    if (Array.isArray(binding)) return this.#array(spec, binding as Row[]);
    if (!isBinding(binding)) return this.#refuse(spec, binding);
    switch (binding.kind) {
      case 'sink':
        return typeof binding.take === 'function' ? { kind: 'sink', take: binding.take } : this.#refuse(spec, binding.take);
      case 'file':
        return this.#outputFile(spec, binding);
      case 'collection':
        return this.#outputCollection(spec, binding);
      default:
        return this.#refuse(spec, binding);
    }
  }

  #array(spec: OutputSpec, array: Row[]): OutputPlace | undefined {
    const other = this.#arrays.get(array);
    if (other !== undefined) return this.#conflict(spec, other, 'one array');
    this.#arrays.set(array, spec.name);
    const written = this.#mode(spec, {});
    return written && { kind: 'array', place: { array, ...written } };
  }

  async #outputFile(spec: OutputSpec, binding: FileBinding): Promise<OutputPlace | undefined> {
    const file = this.#parseFile(spec, binding);
    if (file === undefined) return undefined;
    const mode = binding.options.mode ?? spec.mode ?? 'replace';
    if (mode === 'upsert') {
      return this.#fault(
        spec,
        'BINDING_INVALID',
        `${this.#port(spec)}: a file cannot be written in mode 'upsert'`,
        "Write it in mode 'replace' or 'append', or bind a collection.",
      );
    }
    const problem = await (await fileChecks()).checkWritable(file.path);
    if (problem !== undefined) return this.#fault(spec, problem.code, `${this.#port(spec)}: ${problem.message}`, problem.fix);
    if (!this.#claim(spec, file.path, binding.toString())) return undefined;
    this.#coordinators.push(this.#stores.get('default'));
    return { kind: 'file', place: { ...file, mode, columns: spec.schema === undefined ? undefined : columnsOf(spec.schema) } };
  }

  #outputCollection(spec: OutputSpec, binding: CollectionBinding): OutputPlace | undefined {
    const { name, options } = binding;
    if (this.#hasForeignOptions(spec, options, ['filter', 'sort', 'projection', 'skip', 'limit', 'pipeline'])) return undefined;
    if (name.startsWith('_millrace')) {
      return this.#fault(
        spec,
        'BINDING_INVALID',
        `${this.#port(spec)}: collections that begin with '_millrace' are Millrace's own`,
        'Choose another name.',
      );
    }
    const store = this.#collection(spec, binding);
    const written = this.#mode(spec, options);
    if (store === undefined || written === undefined || !this.#claim(spec, placeOf(store, name), binding.toString())) return undefined;
    this.#coordinators.push(store);
    const overwrite = options.overwrite ?? spec.overwrite;
    return { kind: 'collection', atomic: spec.atomic, place: { store, collection: name, overwrite, sparse: false, ...written } };
  }

  #mode(
    spec: OutputSpec,
    own: { readonly mode?: WriteMode; readonly key?: string | readonly string[] },
  ): { mode: WriteMode; key: readonly string[] | undefined } | undefined {
    const mode = own.mode ?? spec.mode ?? 'replace';
    const key = own.key === undefined ? spec.key : [own.key].flat();
    if (mode !== 'upsert') return { mode, key: undefined };
    if (key !== undefined && key.length > 0) return { mode, key };
    return this.#fault(
      spec,
      'BINDING_INVALID',
      `${this.#port(spec)}: mode 'upsert' needs a key`,
      'Give `key`: the properties that identify a row.',
    );
  }

  /* ── rejects ── */

  /** Rejected rows of several ports may go to one collection: each row names its port. */
  async #rejects(spec: InputSpec | OutputSpec, collection: CollectionBinding | undefined): Promise<OutputPlace | undefined> {
    const target =
      spec.rejects ??
      (collection === undefined ? `${this.#spec.name}_${spec.name}_rejects` : `${collection.name}_rejects@${collection.store}`);
    const binding = parseBinding(target);
    if (binding.kind === 'file') {
      const file = this.#parseFile(spec, binding);
      if (file === undefined) return undefined;
      const problem = await (await fileChecks()).checkWritable(file.path);
      if (problem !== undefined) return this.#fault(spec, problem.code, `${this.#port(spec)} rejects: ${problem.message}`, problem.fix);
      if (!this.#claim(spec, file.path, binding.toString(), true)) return undefined;
      this.#coordinators.push(this.#stores.get('default'));
      return { kind: 'file', place: { ...file, mode: 'replace', columns: undefined } };
    }
    if (binding.kind !== 'collection') return undefined;
    const store = this.#collection(spec, binding);
    if (store === undefined || !this.#claim(spec, placeOf(store, binding.name), binding.toString(), true)) return undefined;
    this.#coordinators.push(store);
    const place = { store, collection: binding.name, mode: 'replace', key: undefined, overwrite: false, sparse: true } as const;
    return { kind: 'collection', atomic: true, place };
  }

  /* ── faults ── */

  #check(spec: InputSpec | OutputSpec): RowCheck | undefined {
    if (spec.schema === undefined || spec.onInvalid === 'off') return undefined;
    const check = compileRowCheck(spec.schema, { secrets: secretsOf });
    if (!check.empty) return check;
    return this.#fault(
      spec,
      'BINDING_INVALID',
      `${this.#port(spec)}: its schema ${spec.schema.name} has no validation rules, so no row can be checked`,
      `Decorate the properties of ${spec.schema.name} with class-validator's rules, or set onInvalid: 'off'.`,
    );
  }

  /** Options of the other kind of port would do nothing. */
  #hasForeignOptions(spec: InputSpec | OutputSpec, options: object, foreign: readonly string[]): boolean {
    const given = foreign.filter((option) => (options as Record<string, unknown>)[option] !== undefined);
    if (given.length === 0) return false;
    const other = spec.kind === 'input' ? 'is written' : 'is read';
    this.#fault(
      spec,
      'BINDING_INVALID',
      `${this.#port(spec)}: ${spec.kind === 'input' ? 'an input' : 'an output'} takes no '${given.join("', '")}'`,
      `Leave it out: it says how a collection or file ${other}.`,
    );
    return true;
  }

  #collection(spec: InputSpec | OutputSpec, { name, store }: CollectionBinding): Store | undefined {
    const refusal = refuseCollectionName(name);
    if (refusal !== undefined)
      return this.#fault(spec, 'BINDING_INVALID', `${this.#port(spec)}: ${refusal}`, "Bind a collection by its name, e.g. 'prices'.");
    if (this.#stores.names.includes(store)) return this.#stores.get(store);
    return this.#fault(spec, 'STORE_UNKNOWN', `${this.#port(spec)}: store '${store}' is not known`, suggestName(store, this.#stores.names));
  }

  #parseFile(
    spec: InputSpec | OutputSpec,
    { target, base, options }: FileBinding,
  ): { path: string; format: FileFormat; gzip: boolean } | undefined {
    try {
      const { path, format, gzip } = parseFileTarget(target, base);
      const known = options.format ?? format;
      if (known !== undefined) return { path, gzip, format: known };
      return this.#fault(
        spec,
        'BINDING_INVALID',
        `${this.#port(spec)}: the format of '${maskUrl(target)}' is not known`,
        describeFormats(),
      );
    } catch (error) {
      return this.#fault(
        spec,
        'BINDING_INVALID',
        `${this.#port(spec)}: ${(error as Error).message}`,
        'Bind a file as file:path/to/file.csv.',
      );
    }
  }

  /** Notes that an output (or rejects, which may share) writes to a place; false where it must not. */
  #claim(spec: InputSpec | OutputSpec, place: string, text: string, shared = false): boolean {
    const reader = this.#read.get(place);
    if (reader !== undefined) {
      this.#fault(
        spec,
        'PORT_READ_ONLY',
        `Processor '${this.#spec.name}' output port '${spec.name}' is bound to '${text}', which its input port '${reader.name}' may only read`,
        `Bind one of them elsewhere, or drop readOnly from '${reader.name}'.`,
        [reader.where],
      );
      return false;
    }
    const port = shared ? 'rejects' : spec.name;
    const other = this.#written.find((claim) => claim.place === place && !(shared && claim.port === port));
    if (other !== undefined) {
      this.#conflict(spec, other.port, `'${text}'`);
      return false;
    }
    this.#written.push({ port, place });
    return true;
  }

  #conflict(spec: InputSpec | OutputSpec, other: string, what: string): undefined {
    return this.#fault(
      spec,
      'BINDING_CONFLICT',
      `Processor '${this.#spec.name}': '${other}' and '${spec.name}' are both written to ${what}`,
      'Bind each output to a place of its own.',
    );
  }

  #unbound(spec: InputSpec | OutputSpec): undefined {
    return this.#fault(
      spec,
      'PORT_UNBOUND',
      `Processor '${this.#spec.name}' ${spec.kind} port '${spec.name}' is not bound`,
      `Bind '${spec.property}', give the port a default binding, or make it optional.`,
    );
  }

  #refuse(spec: InputSpec | OutputSpec, value: unknown): undefined {
    const wanted =
      spec.kind === 'input'
        ? 'a collection or file by name, rows, one row, collection(), file() or rows()'
        : 'a collection or file by name, an array, collection(), file() or sink()';
    const came = isBinding(value)
      ? describeMisplaced(value)
      : isIterable(value) || isAsyncIterable(value)
        ? 'an iterable'
        : describeValue(value);
    const fix =
      isIterable(value) || isAsyncIterable(value)
        ? 'Bind it as rows(() => …): a function that makes it anew for each pass.'
        : `Bind ${wanted}.`;
    return this.#fault(spec, 'BINDING_INVALID', `${this.#port(spec)} cannot be bound to ${came}`, fix);
  }

  #refuseUnknown(unknown: GivenBindings['unknown']): void {
    const { name, inputs, outputs, params, where } = this.#spec;
    for (const [port, kind] of unknown) {
      const known = [...(kind === 'output' ? [] : inputs), ...(kind === 'input' ? [] : outputs)].map(({ property }) => property);
      if (params !== undefined && kind !== 'output') known.push(params.property);
      this.faults.push({
        code: 'PORT_UNKNOWN',
        message: `Processor '${name}' has no ${kind} '${port}'`,
        where: [where],
        path: [name, port],
        fix: suggestName(port, known),
      });
    }
  }

  #port(spec: InputSpec | OutputSpec): string {
    return `Processor '${this.#spec.name}' ${spec.kind} port '${spec.name}'`;
  }

  #fault(spec: InputSpec | OutputSpec, code: string, message: string, fix: string, more: readonly string[] = []): undefined {
    this.faults.push({ code, message, where: [spec.where, ...more], path: [this.#spec.name, spec.name], fix });
    return undefined;
  }

  /** A store that outlives the process is preferred: its commit record can be found again. */
  #coordinator(): Store | undefined {
    return this.#coordinators.find(({ url }) => !url.startsWith('memory:')) ?? this.#coordinators[0];
  }
}

function describeMisplaced(binding: AnyBinding): string {
  return binding.kind === 'link' ? `the link '${binding.toString()}', which holds within its workflow only` : binding.toString();
}

/** What looks at files is loaded when there are any. */
function fileChecks(): Promise<typeof import('../storage/files/check.js')> {
  return import('../storage/files/check.js');
}

function valueOf(spec: InputSpec | OutputSpec, given: ReadonlyMap<string, unknown>): unknown {
  return given.has(spec.property) ? given.get(spec.property) : spec.binding;
}

/** Two names of one store are one place. */
function placeOf(store: Store, collection: string): string {
  return JSON.stringify([store.url === 'memory:' ? identityOf(store) : store.url, collection]);
}

const identities = new WeakMap<Store, number>();
let stores = 0;
function identityOf(store: Store): number {
  let identity = identities.get(store);
  if (identity === undefined) identities.set(store, (identity = stores++));
  return identity;
}
