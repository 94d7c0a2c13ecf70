import type { InputSpec, ProcessorSpec } from '../metadata/spec.js';
import type { Column, Row } from '../types.js';
import { columnsOf } from '../validation/columns.js';
import {
  collectionOptions,
  fileOptions,
  isBinding,
  parseBinding,
  type AnyBinding,
  type CollectionBinding,
  type FileBinding,
} from './binding.js';
import { placeOf, type Claims } from './claims.js';
import { describeBinding } from './describe.js';
import type { PortFaults } from './port-faults.js';
import type { ResolveRejects } from './resolve-outputs.js';
import type { ResolvedInput } from './resolved.js';
import { arraySource, collectionSource, emptySource, fileSource, isAsyncIterable, isIterable, madeSource, type Source } from './source.js';
import type { Targets } from './targets.js';
import { InputWire } from './wire.js';

type Columns = readonly Column[] | undefined;

/** Where rows come from, and what is to be said of it. */
interface Found {
  readonly source: Source;
  readonly text: string;
  readonly collection?: CollectionBinding;
}

/** Finds what each input reads. */
export class InputResolver {
  readonly #spec: ProcessorSpec;
  readonly #targets: Targets;
  readonly #claims: Claims;
  readonly #faults: PortFaults;
  readonly #rejects: ResolveRejects;

  constructor(spec: ProcessorSpec, targets: Targets, claims: Claims, faults: PortFaults, rejects: ResolveRejects) {
    this.#spec = spec;
    this.#targets = targets;
    this.#claims = claims;
    this.#faults = faults;
    this.#rejects = rejects;
  }

  async resolve(spec: InputSpec, value: unknown): Promise<ResolvedInput | undefined> {
    const check = this.#faults.rowCheck(spec);
    const columns = spec.schema === undefined ? undefined : columnsOf(spec.schema);
    const properties = columns?.map(({ name }) => name) ?? [];
    if (value instanceof InputWire) {
      const rejects = spec.onInvalid === 'reject' && !value.checked ? await this.#rejects(spec, undefined) : undefined;
      const { source, checked } = value;
      return { spec, source, text: value.toString(), check: checked ? undefined : check, trusted: true, properties, rejects };
    }
    const found = await this.#find(spec, value, columns);
    if (found === undefined) return undefined;
    const rejects = spec.onInvalid === 'reject' ? await this.#rejects(spec, found.collection) : undefined;
    return { spec, source: found.source, text: found.text, check, trusted: false, properties, rejects };
  }

  /** The source of parameters. */
  async params(binding: string | AnyBinding): Promise<Source | undefined> {
    const { params } = this.#spec;
    if (params === undefined) return undefined;
    const port = { kind: 'input', name: 'params', optional: false, onInvalid: 'off', readOnly: false, rereads: false, ...params } as const;
    return (await this.#find(port, binding, columnsOf(params.schema)))?.source;
  }

  async #find(spec: InputSpec, value: unknown, columns: Columns): Promise<Found | undefined> {
    if (value === undefined) return spec.optional ? { source: emptySource, text: 'nothing' } : this.#faults.unbound(spec);
    const text = describeBinding(value, spec.schema);
    if (Array.isArray(value)) return { source: arraySource(value as Row[]), text };
    const binding = typeof value === 'string' ? parseBinding(value) : value;
    if (!isBinding(binding)) {
      if (typeof value !== 'object' || value === null || isIterable(value) || isAsyncIterable(value))
        return this.#faults.refuse(spec, value);
      return { source: arraySource([value]), text };
    }
    switch (binding.kind) {
      case 'rows':
        return { source: madeSource(binding.make, this.#faults.nameOf(spec)), text };
      case 'file':
        return this.#file(spec, binding, columns, text);
      case 'collection':
        return this.#collection(spec, binding, text);
      default:
        return this.#faults.refuse(spec, binding);
    }
  }

  async #file(spec: InputSpec, binding: FileBinding, columns: Columns, text: string): Promise<Found | undefined> {
    if (this.#faults.wrongOptions(spec, binding.options, fileOptions)) return undefined;
    const file = await this.#targets.readableFile(spec, binding);
    if (file === undefined) return undefined;
    this.#claims.keep(file.path, spec);
    return { source: fileSource(file.path, file.format, file.gzip, columns), text };
  }

  #collection(spec: InputSpec, binding: CollectionBinding, text: string): Found | undefined {
    if (this.#faults.wrongOptions(spec, binding.options, collectionOptions)) return undefined;
    const store = this.#targets.storeOf(spec, binding);
    if (store === undefined) return undefined;
    this.#claims.keep(placeOf(store, binding.name), spec);
    return { source: collectionSource(store, binding.name, binding.options), text, collection: binding };
  }
}
