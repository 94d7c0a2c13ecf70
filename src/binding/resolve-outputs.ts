import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import type { Store } from '../storage/store.js';
import type { Row, WriteMode } from '../types.js';
import { columnsOf } from '../validation/columns.js';
import { collectionOptions, fileOptions, isBinding, parseBinding, type CollectionBinding, type FileBinding } from './binding.js';
import { placeOf, type Claims } from './claims.js';
import { describeBinding } from './describe.js';
import type { PortFaults } from './port-faults.js';
import type { OutputPlace, ResolvedOutput } from './resolved.js';
import type { Targets } from './targets.js';
import { OutputWire, type Tap } from './wire.js';

const modes: readonly WriteMode[] = ['replace', 'append', 'upsert'];

/** Where rows go that a port refuses; the collection is the one that it is bound to. */
export type ResolveRejects = (spec: InputSpec | OutputSpec, collection: CollectionBinding | undefined) => Promise<OutputPlace | undefined>;

/** Finds where each output, and what ports reject, goes. */
export class OutputResolver {
  readonly #spec: ProcessorSpec;
  readonly #targets: Targets;
  readonly #claims: Claims;
  readonly #faults: PortFaults;
  readonly #writtenTo: Store[] = [];

  constructor(spec: ProcessorSpec, targets: Targets, claims: Claims, faults: PortFaults) {
    this.#spec = spec;
    this.#targets = targets;
    this.#claims = claims;
    this.#faults = faults;
  }

  /** A store that outlives the process is preferred: its commit record can be found again. */
  get coordinator(): Store | undefined {
    return this.#writtenTo.find(({ url }) => !url.startsWith('memory:')) ?? this.#writtenTo[0];
  }

  async resolve(spec: OutputSpec, value: unknown): Promise<ResolvedOutput | undefined> {
    if (value instanceof OutputWire) return this.#wired(spec, value);
    const check = this.#faults.rowCheck(spec);
    if (value === undefined) {
      if (!spec.optional) return this.#faults.unbound(spec);
      return { spec, to: { kind: 'nowhere' }, taps: [], text: 'nowhere', check, key: undefined, rejects: undefined };
    }
    const binding = typeof value === 'string' ? parseBinding(value) : value;
    const to = await this.#place(spec, binding);
    if (to === undefined) return undefined;
    const collection = isBinding(binding) && binding.kind === 'collection' ? binding : undefined;
    const rejects = spec.onInvalid === 'reject' ? await this.rejects(spec, collection) : undefined;
    const key = to.kind === 'collection' || to.kind === 'array' ? to.place.key : undefined;
    return { spec, to, taps: [], text: describeBinding(value, spec.schema), check, key, rejects };
  }

  /** Rejected rows of several ports may go to one collection: each row names its port. */
  readonly rejects: ResolveRejects = async (spec, collection) => {
    const target =
      spec.rejects ??
      (collection === undefined ? `${this.#spec.name}_${spec.name}_rejects` : `${collection.name}_rejects@${collection.store}`);
    const binding = parseBinding(target);
    if (binding.kind === 'file') {
      const file = await this.#targets.writableFile(spec, binding, ' rejects');
      const noted = this.#targets.defaultStore(spec);
      if (file === undefined || noted === undefined || !this.#claim(spec, file.path, binding.toString(), true)) return undefined;
      this.#writtenTo.push(noted);
      return { kind: 'file', place: { ...file, mode: 'replace', columns: undefined } };
    }
    if (binding.kind !== 'collection') return undefined;
    const store = this.#targets.storeOf(spec, binding);
    if (store === undefined || !this.#claim(spec, placeOf(store, binding.name), binding.toString(), true)) return undefined;
    this.#writtenTo.push(store);
    const place = { store, collection: binding.name, mode: 'replace', key: undefined, overwrite: false, sparse: true } as const;
    return { kind: 'collection', atomic: true, place };
  };

  async #wired(spec: OutputSpec, wire: OutputWire): Promise<ResolvedOutput | undefined> {
    const taps = wire.taps.map((tap) => this.#tap(tap));
    if (wire.bound !== undefined) {
      const bound = await this.resolve(spec, wire.bound);
      return bound && { ...bound, taps, text: wire.toString() };
    }
    const check = this.#faults.rowCheck(spec);
    const rejects = spec.onInvalid === 'reject' ? await this.rejects(spec, undefined) : undefined;
    return { spec, to: { kind: 'nowhere' }, taps, text: wire.toString(), check, key: undefined, rejects };
  }

  #tap(tap: Tap): OutputPlace {
    if (tap.kind === 'stream') return tap;
    const { store, collection } = tap;
    this.#writtenTo.push(store);
    return { kind: 'spool', place: { store, collection, mode: 'replace', key: undefined, overwrite: true, sparse: false } };
  }

  async #place(spec: OutputSpec, binding: unknown): Promise<OutputPlace | undefined> {
    if (Array.isArray(binding)) return this.#array(spec, binding as Row[]);
    if (!isBinding(binding)) return this.#faults.refuse(spec, binding);
    switch (binding.kind) {
      case 'sink':
        return typeof binding.take === 'function' ? { kind: 'sink', take: binding.take } : this.#faults.refuse(spec, binding.take);
      case 'file':
        return this.#file(spec, binding);
      case 'collection':
        return this.#collection(spec, binding);
      default:
        return this.#faults.refuse(spec, binding);
    }
  }

  #array(spec: OutputSpec, array: Row[]): OutputPlace | undefined {
    const other = this.#claims.fill(array, spec.name);
    if (other !== undefined) return this.#faults.conflict(spec, other, 'one array');
    const written = this.#mode(spec, {});
    return written && { kind: 'array', place: { array, ...written } };
  }

  async #file(spec: OutputSpec, binding: FileBinding): Promise<OutputPlace | undefined> {
    if (this.#faults.wrongOptions(spec, binding.options, fileOptions)) return undefined;
    const mode: WriteMode = binding.options.mode ?? spec.mode ?? 'replace';
    if (!this.#faults.oneOf(spec, 'mode', mode, modes)) return undefined;
    if (mode === 'upsert')
      return this.#faults.invalid(
        spec,
        "a file cannot be written in mode 'upsert'",
        "Write it in mode 'replace' or 'append', or bind a collection.",
      );
    const file = await this.#targets.writableFile(spec, binding);
    const noted = this.#targets.defaultStore(spec);
    if (file === undefined || noted === undefined || !this.#claim(spec, file.path, binding.toString())) return undefined;
    this.#writtenTo.push(noted);
    return { kind: 'file', place: { ...file, mode, columns: spec.schema === undefined ? undefined : columnsOf(spec.schema) } };
  }

  #collection(spec: OutputSpec, binding: CollectionBinding): OutputPlace | undefined {
    const { name, options } = binding;
    if (this.#faults.wrongOptions(spec, options, collectionOptions)) return undefined;
    const store = this.#targets.storeOf(spec, binding);
    if (store !== undefined && name.startsWith('_millrace'))
      return this.#faults.invalid(spec, "collections that begin with '_millrace' are Millrace's own", 'Choose another name.');
    const written = this.#mode(spec, options);
    if (store === undefined || written === undefined || !this.#claim(spec, placeOf(store, name), binding.toString())) return undefined;
    this.#writtenTo.push(store);
    const overwrite = options.overwrite ?? spec.overwrite;
    return { kind: 'collection', atomic: spec.atomic, place: { store, collection: name, overwrite, sparse: false, ...written } };
  }

  #mode(
    spec: OutputSpec,
    own: { readonly mode?: WriteMode; readonly key?: string | readonly string[] },
  ): { mode: WriteMode; key: readonly string[] | undefined } | undefined {
    const mode = own.mode ?? spec.mode ?? 'replace';
    if (!this.#faults.oneOf(spec, 'mode', mode, modes)) return undefined;
    const key = own.key === undefined ? spec.key : [own.key].flat();
    if (mode !== 'upsert') return { mode, key: undefined };
    if (key !== undefined && key.length > 0) return { mode, key };
    return this.#faults.invalid(spec, "mode 'upsert' needs a key", 'Give `key`: the properties that identify a row.');
  }

  /** Notes that an output (or rejects, which may share) writes to a place; false where it must not. */
  #claim(spec: InputSpec | OutputSpec, place: string, text: string, shared = false): boolean {
    const keeper = this.#claims.keeperOf(place);
    if (keeper !== undefined) {
      this.#faults.readOnly(spec, text, keeper);
      return false;
    }
    const other = this.#claims.write(place, shared ? 'rejects' : spec.name, shared);
    if (other !== undefined) this.#faults.conflict(spec, other, `'${text}'`);
    return other === undefined;
  }
}
