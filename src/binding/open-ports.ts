import { suggestName } from '../errors.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { Superseded } from '../storage/store.js';
import type { PortCount, Reader, Row, TaskContext, Writer } from '../types.js';
import { directTarget } from './direct-target.js';
import { Gate } from './gate.js';
import type { OutputPlace, ResolvedInput, ResolvedOutput, ResolvedPorts } from './resolved.js';
import { Publication, type Note } from './publication.js';
import { PortReader, type InputState } from './reader.js';
import { RowGuard, type Reject } from './row-guard.js';
import { batchSize } from './source.js';
import { nowhere, type Target } from './target.js';
import { wrapSpooled } from './spool.js';
import { PortWriter, type OutputState } from './writer.js';

export interface OpenOptions {
  readonly processor: ProcessorSpec;
  /** Of the attempt. */
  readonly id: string;
  readonly runId: string;
  /** Freeze every row that is read or written, so that a change to a shared row throws. */
  readonly freeze: boolean;
  /** Told a port's total, by property, after each batch. */
  readonly onRows: ((port: string, rows: number) => void) | undefined;
  /** Told of every row that is refused, by the port's property. */
  readonly onReject: ((property: string, reject: Reject) => void) | undefined;
  warn(message: string): void;
  debug(message: string): void;
}

/** Rejected rows on their way to their place. */
interface Rejects {
  readonly target: Target;
  rows: Row[];
  pending: Promise<void> | undefined;
}

/** The ports of one attempt: opened when it starts, closed when its action has ended, then published or dropped. */
export class OpenPorts {
  readonly #ports: ResolvedPorts;
  readonly #options: OpenOptions;
  readonly #gate = new Gate();
  /** Made when a port writes. */
  #publication: Publication | undefined;
  readonly #inputs: InputState[] = [];
  readonly #outputs: OutputState[] = [];
  readonly #writers: PortWriter<Row>[] = [];
  /** Where rejects go, by place: ports may share one. Made when a port has any: a short task feels what it has no use for. */
  #rejects: Map<string, Rejects> | undefined;
  readonly #values: (readonly [string, unknown])[] = [];

  constructor(ports: ResolvedPorts, options: OpenOptions) {
    this.#ports = ports;
    this.#options = options;
    for (const input of ports.inputs) this.#openInput(input);
    for (const output of ports.outputs) this.#openOutput(output);
  }

  /** Sets the readers and writers on a processor. */
  assignTo(instance: object): void {
    for (const [property, value] of this.#values) {
      Object.defineProperty(instance, property, { value, enumerable: true, configurable: true, writable: true });
    }
  }

  async aggregate(output: Writer<unknown>, pipeline: readonly object[], readers: Parameters<TaskContext['aggregate']>[2]): Promise<number> {
    const { aggregate } = await import('./aggregate.js');
    return aggregate({
      processor: this.#options.processor.name,
      output,
      pipeline,
      readers: readers as Readonly<Record<string, Reader<unknown>>>,
      ports: { inputs: this.#inputs, outputs: this.#writers },
      log: (line) => this.#options.debug(line),
    });
  }

  /** Resolves when every row written has arrived; rejects with the first error that a port met. */
  async flush(): Promise<void> {
    const settled = await Promise.allSettled(this.#writers.map((writer) => writer.flush()));
    for (const { guard } of this.#inputs) if (guard.failure !== undefined) throw guard.failure;
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
    for (const rejects of this.#rejects?.values() ?? []) if (!this.#gate.isClosed) await this.#sendRejects(rejects);
    for (const input of this.#inputs) if (input.rows === 0) await this.#warnOfMissing(input);
  }

  /** A collection that does not exist reads as an empty one: more often than not its name is misspelt. */
  async #warnOfMissing({ processor, port, source: { collection } }: InputState): Promise<void> {
    if (collection === undefined || collection.name.startsWith('_millrace')) return;
    const names = await collection.store.collections();
    if (names.includes(collection.name)) return;
    this.#options.warn(
      `Processor '${processor}' input port '${port}' read nothing: there is no collection '${collection.name}'. ${suggestName(collection.name, names)}`,
    );
  }

  /** Whether anything was opened that `flush`, `publish` or `abort` would have to see to. */
  get hasOutputs(): boolean {
    return this.#writers.length > 0 || this.#inputs.length > 0;
  }

  /** From now on every use of a port throws, saying so. */
  close(reason: string): void {
    this.#gate.close(reason);
  }

  /** The outputs that were put into place, by property. */
  async publish(note?: Note): Promise<readonly string[]> {
    await this.#publication?.publish(note);
    return this.#ports.outputs.filter(({ to }) => to.kind !== 'nowhere' && to.kind !== 'sink').map(({ spec }) => spec.property);
  }

  /** What other runs had published while this one was under way, and what it published took the place of. */
  get superseded(): readonly Superseded[] {
    return this.#publication?.superseded ?? [];
  }

  /** Whether what was written is, or may be, published or about to be, however the attempt ended. */
  get mayBePublished(): boolean {
    return this.#publication?.mayBePublished === true;
  }

  /** Resolves when nothing is on its way any more; undefined where nothing is. */
  get arrived(): Promise<unknown> | undefined {
    return this.#publication?.arrived;
  }

  async abort(): Promise<void> {
    await this.#publication?.abort();
  }

  /** Rows by port; the property name of a port, or its own name. */
  counts(by: 'property' | 'port'): {
    readonly inputs: Readonly<Record<string, PortCount>>;
    readonly outputs: Readonly<Record<string, PortCount>>;
  } {
    return { inputs: countBy(by, this.#inputs), outputs: countBy(by, this.#outputs) };
  }

  get batches(): number {
    let sum = 0;
    for (const { batches } of this.#inputs) sum += batches;
    for (const { batches } of this.#outputs) sum += batches;
    return sum;
  }

  #openInput(input: ResolvedInput): void {
    const { spec, source, properties } = input;
    if (source.close !== undefined) this.#gate.onClose(() => source.close?.());
    const state: InputState = {
      processor: this.#options.processor.name,
      port: spec.name,
      property: spec.property,
      source,
      gate: this.#gate,
      guard: this.#guard(input, undefined),
      properties,
      rows: 0,
      batches: 0,
      onRows: this.#options.onRows,
    };
    this.#inputs.push(state);
    this.#values.push([spec.property, new PortReader<Row>(state)]);
  }

  #openOutput(output: ResolvedOutput): void {
    const { spec, to, taps, key } = output;
    const targets = to.kind === 'nowhere' && taps.length > 0 ? taps : [to, ...taps];
    const state: OutputState = {
      processor: this.#options.processor.name,
      port: spec.name,
      property: spec.property,
      target: tee(targets.map((target) => this.#target(target))),
      gate: this.#gate,
      guard: this.#guard(output, key),
      rows: 0,
      batches: 0,
      onRows: this.#options.onRows,
    };
    const writer = new PortWriter<Row>(state);
    this.#outputs.push(state);
    this.#writers.push(writer);
    this.#values.push([spec.property, writer]);
  }

  #guard(port: ResolvedInput | ResolvedOutput, key: readonly string[] | undefined): RowGuard {
    const { spec, check, rejects } = port;
    const target = rejects === undefined ? undefined : this.#rejectsTarget(rejects);
    return new RowGuard({
      processor: this.#options.processor.name,
      kind: spec.kind,
      port: spec.name,
      check,
      key,
      onInvalid: spec.onInvalid,
      freeze: this.#options.freeze,
      trusted: 'trusted' in port && port.trusted,
      reject: (reject) => {
        this.#options.onReject?.(spec.property, reject);
        if (target !== undefined) this.#reject(target, reject);
      },
      drained: () => target?.pending,
      warn: (message) => this.#options.warn(message),
    });
  }

  #rejectsTarget(place: OutputPlace): Rejects {
    const key =
      place.kind === 'collection' ? `${place.place.store.url} ${place.place.collection}` : place.kind === 'file' ? place.place.path : '';
    const known = (this.#rejects ??= new Map<string, Rejects>());
    let rejects = known.get(key);
    if (rejects === undefined) known.set(key, (rejects = { target: this.#target(place), pending: undefined, rows: [] }));
    return rejects;
  }

  #reject(rejects: Rejects, reject: Reject): void {
    rejects.rows.push({ ...reject, runId: this.#options.runId });
    if (rejects.rows.length < batchSize) return;
    rejects.pending = this.#sendRejects(rejects);
    rejects.pending.catch(() => undefined); // whoever waits for it, or flushes, meets the error
  }

  async #sendRejects(rejects: Rejects): Promise<void> {
    const { rows, pending } = rejects;
    rejects.rows = [];
    await pending;
    if (rows.length > 0) await rejects.target.take(rows);
  }

  /** Names a publication of one output's own. */
  #direct(): { readonly id: string; readonly runId: string } {
    return { id: `${this.#options.id}-${String(this.#outputs.length)}`, runId: this.#options.runId };
  }

  #target(to: OutputPlace): Target {
    const publication = (this.#publication ??= new Publication(this.#options, this.#ports.coordinator));
    switch (to.kind) {
      case 'collection':
        return to.atomic ? publication.collection(to.place) : directTarget(to.place, this.#direct());
      case 'file':
        return publication.file(to.place);
      case 'array':
        return publication.array(to.place);
      case 'sink':
        return { take: (rows) => to.take(rows) };
      case 'spool':
        return wrapSpooled(publication.collection(to.place));
      case 'stream':
        this.#gate.onClose(() => to.target.close?.());
        return to.target;
      case 'nowhere':
        return nowhere;
    }
  }
}

/** Hands each batch to every target; the slowest holds the writer back. */
function tee(targets: readonly Target[]): Target {
  const [only, ...more] = targets;
  if (only !== undefined && more.length === 0) return only;
  return {
    take(rows) {
      const pending = targets.map((target) => target.take(rows)).filter((one) => one instanceof Promise);
      return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
    },
    async flush() {
      for (const target of targets) await target.flush?.();
    },
  };
}

const noCounts: Readonly<Record<string, PortCount>> = Object.freeze({});

function countBy(by: 'property' | 'port', states: readonly (InputState | OutputState)[]): Readonly<Record<string, PortCount>> {
  if (states.length === 0) return noCounts;
  const counts: Record<string, PortCount> = {};
  for (const state of states) counts[state[by]] = { rows: state.rows, rejected: state.guard.rejected };
  return counts;
}
