import { describeValue, MillraceError, suggestName } from '../errors.js';
import { maskUrl } from '../mask.js';
import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import { describeFormats, fileFormats, parseFileTarget, type FileFormat } from '../storage/files/format.js';
import type { Store } from '../storage/store.js';
import { refuseCollectionName, type CollectionBinding, type FileBinding } from './binding.js';
import type { PortFaults } from './port-faults.js';
import type { StoreSet } from './resolved.js';

type PortSpec = InputSpec | OutputSpec;

/** A file that a port is bound to; its path is absolute. */
export interface PortFile {
  readonly path: string;
  readonly format: FileFormat;
  readonly gzip: boolean;
}

/** Finds the collections and files that ports name. What is not there, or cannot be, is a fault. */
export class Targets {
  readonly #stores: StoreSet;
  readonly #faults: PortFaults;

  constructor(stores: StoreSet, faults: PortFaults) {
    this.#stores = stores;
    this.#faults = faults;
  }

  /** Where files are noted, so that they go into place along with the collections. */
  defaultStore(spec: PortSpec): Store | undefined {
    return this.#open(spec, 'default');
  }

  storeOf(spec: PortSpec, { name, store }: CollectionBinding): Store | undefined {
    const refusal = refuseCollectionName(name);
    if (refusal !== undefined) return this.#faults.invalid(spec, refusal, "Bind a collection by its name, e.g. 'prices'.");
    if (this.#stores.names.includes(store)) return this.#open(spec, store);
    const message = `${this.#faults.nameOf(spec)}: store '${store}' is not known`;
    return this.#faults.add(spec, 'STORE_UNKNOWN', message, suggestName(store, this.#stores.names));
  }

  #open(spec: PortSpec, store: string): Store | undefined {
    try {
      return this.#stores.get(store);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      return this.#faults.add(spec, error.code, `${this.#faults.nameOf(spec)}: ${error.message}`, `Mend the URL of store '${store}'.`);
    }
  }

  async readableFile(spec: PortSpec, binding: FileBinding): Promise<PortFile | undefined> {
    return this.#checkedFile(spec, binding, 'checkReadable', '');
  }

  /** @param part - of the port, where it is not its rows that go there. */
  async writableFile(spec: PortSpec, binding: FileBinding, part = ''): Promise<PortFile | undefined> {
    return this.#checkedFile(spec, binding, 'checkWritable', part);
  }

  async #checkedFile(
    spec: PortSpec,
    binding: FileBinding,
    check: 'checkReadable' | 'checkWritable',
    part: string,
  ): Promise<PortFile | undefined> {
    const file = this.#parse(spec, binding);
    if (file === undefined) return undefined;
    const checks = await import('../storage/files/check.js'); // loaded when there are files to look at
    const problem = await checks[check](file.path);
    if (problem === undefined) return file;
    return this.#faults.add(spec, problem.code, `${this.#faults.nameOf(spec)}${part}: ${problem.message}`, problem.fix);
  }

  #parse(spec: PortSpec, { target, base, options }: FileBinding): PortFile | undefined {
    if (typeof (target as unknown) !== 'string')
      return this.#faults.invalid(spec, `a file's path is a string, not ${describeValue(target)}`, 'Bind a file as file:path/to/file.csv.');
    if (options.format !== undefined && !this.#faults.oneOf(spec, 'format', options.format, fileFormats)) return undefined;
    try {
      const { path, format, gzip } = parseFileTarget(target, base);
      const known = options.format ?? format;
      if (known !== undefined) return { path, gzip, format: known };
      return this.#faults.invalid(spec, `the format of '${maskUrl(target)}' is not known`, describeFormats());
    } catch (error) {
      return this.#faults.invalid(spec, (error as Error).message, 'Bind a file as file:path/to/file.csv.');
    }
  }
}
