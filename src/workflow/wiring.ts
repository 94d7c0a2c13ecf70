import { isBinding } from '../binding/binding.js';
import { Channel, type ChannelReader } from '../binding/channel.js';
import { emptySource, publishedSource, spoolSource, streamSource, type Source } from '../binding/source.js';
import { IdWatch } from '../binding/spool.js';
import { InputWire, OutputWire, type Tap } from '../binding/wire.js';
import type { Fault } from '../errors.js';
import { maskUrl } from '../mask.js';
import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import type { Runtime } from '../task/runtime.js';
import type { EffectiveWorkflow } from './effective.js';
import type { Fate, KeptOutput } from './fate.js';
import type { Edge } from './graph.js';
import type { PlannedLink } from './options.js';
import { outputsRead, toBinding, valueOf } from './places.js';
import { outsideFaults, type OutsideRead } from './outside.js';
import { lacksId, publishedBy, publishedFile, type PublishedCollection } from './published.js';
import type { StepSpec } from './spec.js';
import type { LinkUse, Transport, Transports } from './transport.js';

/** A linked output while a run is planned. */
interface Output {
  readonly step: StepSpec;
  readonly port: OutputSpec;
  readonly uses: LinkUse[];
  channel: Channel | undefined;
  spool: string | undefined;
  /** Where it is published. */
  readonly ids: IdWatch | undefined;
}

/** What a step reads by links. */
export interface WiredInputs {
  readonly inputs: Map<string, unknown>;
  readonly reads: { readonly from: number; readonly reader: ChannelReader }[];
  readonly links: PlannedLink[];
}

/** Where the rows of an output will be, by property, when its step has ended. */
export type Keeps = Readonly<Record<string, Omit<KeptOutput, 'rows' | 'hasIds'> & { readonly ids?: IdWatch }>>;

/** What a step writes to besides its own bindings. */
export interface WiredOutputs {
  readonly outputs: Map<string, unknown>;
  readonly writes: { readonly channel: Channel; readonly readers: readonly number[] }[];
  readonly keeps: Keeps;
}

export interface WiringInput {
  readonly runtime: Runtime;
  readonly workflow: EffectiveWorkflow;
  readonly fates: readonly Fate[];
  readonly runId: string;
  /** Told when a step that waits for a stream has something to read. */
  wake(step: number): void;
}

/** Puts a wire in place of every link: a stream, a collection of Millrace's own, or what was published. */
export class Wiring {
  /** Links between steps that both run. */
  readonly uses: LinkUse[] = [];
  /** Collections of Millrace's own that the run may write. */
  readonly spools: string[] = [];
  readonly #input: WiringInput;
  readonly #faults: Fault[];
  /** By step and port: outputs that anything links to, run or not. */
  readonly #outputs = new Map<string, Output>();
  readonly #byEdge = new Map<Edge, LinkUse>();
  readonly #outside: OutsideRead[] = [];
  #transports: Transports['of'] = new Map();

  /** @param faults - takes what is found wrong. */
  constructor(input: WiringInput, faults: Fault[]) {
    this.#input = input;
    this.#faults = faults;
    this.#findLinks();
  }

  /** Makes what carries the rows, now that it is known how they will come. */
  open(transports: Transports['of']): void {
    this.#transports = transports;
    if (this.#outputs.size === 0) return;
    const indexes = new Map(this.#input.workflow.graph.names.map((name, index) => [name, index]));
    for (const output of this.#outputs.values()) this.#openOutput(output, indexes.get(output.step.name) ?? 0);
  }

  wireInputs(spec: StepSpec, index: number): WiredInputs {
    const wired: WiredInputs = { inputs: new Map(spec.given.inputs), reads: [], links: [] };
    for (const edge of this.#input.workflow.graph.into[index]!) {
      const use = this.#byEdge.get(edge);
      if (use !== undefined) this.#wireInput(wired, this.#outputOf(use.writer, use.output), use, index);
      else if (edge.kind === 'collection') this.#noteOutside(edge, spec);
    }
    return wired;
  }

  wireOutputs(spec: StepSpec): WiredOutputs {
    const outputs = new Map(spec.given.outputs);
    const writes: WiredOutputs['writes'] = [];
    const keeps: Record<string, Keeps[string]> = {};
    for (const port of spec.processor.outputs) {
      const linked = this.#outputs.get(`${spec.name}.${port.name}`);
      const bound = valueOf(spec, port);
      const place = publishedBy(spec, port);
      if (linked === undefined && bound === undefined && !port.optional)
        outputs.set(port.property, new OutputWire('nowhere', undefined, []));
      if (place !== undefined) keeps[port.property] = { collection: { store: place.store, name: place.name } };
      else if (publishedFile(spec, port)?.isFaithful === true) keeps[port.property] = { file: true };
      if (linked === undefined) continue;
      const taps: Tap[] = [];
      if (linked.ids !== undefined) {
        taps.push({ kind: 'stream', target: linked.ids });
        keeps[port.property] = { ...keeps[port.property], ids: linked.ids };
      }
      if (linked.channel !== undefined) {
        taps.push({ kind: 'stream', target: linked.channel });
        writes.push({
          channel: linked.channel,
          readers: linked.uses.filter((use) => this.#transports.get(use)?.by === 'stream').map(({ edge }) => edge.to),
        });
      }
      if (linked.spool !== undefined) {
        taps.push({ kind: 'spool', store: this.#input.runtime.stores.get('default'), collection: linked.spool });
        keeps[port.property] = { ...keeps[port.property], spool: linked.spool };
      }
      outputs.set(port.property, new OutputWire(describeOutput(bound, linked.uses), bound, taps));
    }
    return { outputs, writes, keeps };
  }

  /** What steps outside of the selection are to have published must be there. */
  async checkOutside(): Promise<void> {
    const { workflow, runtime } = this.#input;
    if (this.#outside.length > 0) this.#faults.push(...(await outsideFaults(workflow.spec.name, this.#outside, runtime.stores)));
  }

  #findLinks(): void {
    const { steps, graph } = this.#input.workflow;
    for (let to = 0; to < steps.length; to++) {
      const reader = steps[to]!;
      if (reader.processor.inputs.length === 0) continue;
      const edges = graph.into[to]!.filter(({ kind }) => kind === 'link');
      let next = 0;
      for (const input of reader.processor.inputs) {
        const binding = toBinding(valueOf(reader, input));
        const edge = binding?.kind === 'link' ? edges[next++] : undefined;
        const writer = edge && steps[edge.from];
        const output = writer?.processor.outputs.find(({ name }) => name === edge?.label);
        if (edge !== undefined && writer !== undefined && output !== undefined) this.#addLink({ edge, writer, output, reader, input });
      }
    }
  }

  #addLink(use: LinkUse): void {
    const output = this.#outputOf(use.writer, use.output);
    if (!this.#runs(use.edge.to)) return;
    output.uses.push(use);
    this.#byEdge.set(use.edge, use);
    if (this.#runs(use.edge.from)) this.uses.push(use);
  }

  #outputOf(step: StepSpec, port: OutputSpec): Output {
    const key = nameOf(step, port);
    let output = this.#outputs.get(key);
    if (output === undefined) {
      const ids = publishedBy(step, port) && new IdWatch();
      this.#outputs.set(key, (output = { step, port, uses: [], channel: undefined, spool: undefined, ids }));
    }
    return output;
  }

  #runs(step: number): boolean {
    return this.#input.fates[step]?.does === 'run';
  }

  /** A collection or file that a step which does not run writes is as if it were linked, unless another one writes it now. */
  #noteOutside({ from, to, label }: Edge, reader: StepSpec): void {
    const { fates, workflow } = this.#input;
    const writer = workflow.steps[from];
    if (writer === undefined || fates[from]?.does !== 'nothing') return;
    if (workflow.graph.into[to]!.some((other) => other.kind === 'collection' && other.label === label && this.#runs(other.from))) return;
    const input = reader.processor.inputs.find((port) => String(toBinding(valueOf(reader, port)) ?? '') === label);
    const [output] = outputsRead(writer, reader, label);
    const place = output && publishedBy(writer, output, true); // a file that is not there is told anyway
    if (input !== undefined && output !== undefined && place !== undefined)
      this.#outside.push({ writer, output, reader, input, place, text: label });
  }

  #openOutput(output: Output, index: number): void {
    const { step, port, uses } = output;
    if (!this.#runs(index)) return;
    const by = new Set(uses.map((use) => this.#transports.get(use)?.by));
    if (by.has('stream')) output.channel = new Channel();
    const keeps = step.behaviour.keep === true && publishedBy(step, port) === undefined;
    if (!by.has('spool') && !keeps) return;
    output.spool = `_millrace_spool_${this.#input.runId}_${String(index)}_${String(step.processor.outputs.indexOf(port))}`;
    this.spools.push(output.spool);
  }

  #wireInput(wired: WiredInputs, output: Output, use: LinkUse, index: number): void {
    const { property, name } = use.input;
    const transport = this.#transports.get(use);
    const { channel } = output;
    if (transport?.by === 'stream' && channel !== undefined) {
      const reader = channel.attach(() => {
        this.#input.wake(index);
      });
      const source = streamSource(reader, `Processor '${use.reader.processor.name}' input port '${name}'`);
      wired.inputs.set(
        property,
        new InputWire(`${nameOf(output.step, output.port)} (streamed)`, source, isChecked(output.port, use.input)),
      );
      wired.reads.push({ from: use.edge.from, reader });
      wired.links.push({ input: property, from: nameOf(output.step, output.port), by: 'stream' });
      return;
    }
    const { wire, by, reason } = transport === undefined ? this.#wireOutside(output, use) : this.#wireStored(output, use, transport);
    wired.inputs.set(property, wire);
    wired.links.push({ input: property, from: nameOf(output.step, output.port), by, ...(reason === undefined ? {} : { reason }) });
  }

  /** By way of where the output is published, or of a collection of Millrace's own. */
  #wireStored({ step, port, spool, ids }: Output, { input }: LinkUse, { by, reason = '' }: Transport): WiredLink {
    const name = nameOf(step, port);
    const place = publishedBy(step, port);
    if (by === 'collection' && place !== undefined) {
      const source = this.#published(place, () => ids?.hasIds !== false);
      return { wire: new InputWire(`${name} (from ${place.text}: ${reason})`, source, isChecked(port, input)), by, reason };
    }
    const source = this.#spooled(spool ?? '');
    return { wire: new InputWire(`${name} (spooled: ${reason})`, source, isChecked(port, input)), by: 'spool', reason };
  }

  /** From a step that does not run: what it kept or published, now or some time before. */
  #wireOutside(output: Output, use: LinkUse): WiredLink {
    const { step, port } = output;
    const fate = this.#input.fates[use.edge.from];
    const name = nameOf(step, port);
    const kept = fate?.kept?.[port.property];
    if (kept?.spool !== undefined) {
      const wire = new InputWire(`${name} (kept)`, this.#spooled(kept.spool), isChecked(port, use.input));
      return { wire, by: 'spool', reason: fate?.reason ?? '' };
    }
    const reason = `'${step.name}' does not run`;
    const place = kept?.collection ?? publishedBy(step, port, true);
    if (place !== undefined) {
      if (kept === undefined) this.#outside.push({ ...use, place });
      const hasIds = kept?.hasIds ?? !lacksId(port);
      return {
        wire: new InputWire(
          `${name} (from ${place.name})`,
          this.#published(place, () => hasIds),
          false,
        ),
        by: 'collection',
        reason,
      };
    }
    const file = publishedFile(step, port);
    if (kept === undefined || file === undefined) this.#outside.push({ ...use, place: file });
    return {
      wire: new InputWire(`${name} (from ${file?.text ?? 'nowhere'})`, file?.source ?? emptySource, false),
      by: 'collection',
      reason,
    };
  }

  #published({ store, name }: Pick<PublishedCollection, 'store' | 'name'>, hasIds: () => boolean): Source {
    const { stores } = this.#input.runtime;
    // the check of the step that writes there, or of what is outside, says what is wrong with a store that is not known
    return stores.names.includes(store) ? publishedSource(stores.get(store), name, hasIds) : emptySource;
  }

  #spooled(collection: string): Source {
    return spoolSource(this.#input.runtime.stores.get('default'), collection);
  }
}

interface WiredLink extends Pick<PlannedLink, 'by' | 'reason'> {
  readonly wire: InputWire;
}

function nameOf(step: StepSpec, port: OutputSpec): string {
  return `${step.name}.${port.name}`;
}

/** Whether every row that comes was checked by the schema that the input has. */
function isChecked(output: OutputSpec, input: InputSpec): boolean {
  return output.schema !== undefined && output.schema === input.schema && (output.onInvalid === 'fail' || output.onInvalid === 'reject');
}

function describeOutput(bound: unknown, uses: readonly LinkUse[]): string {
  const own = bound === undefined ? [] : [describeBound(bound)];
  const readers = uses.slice(0, 3).map(({ reader, input }) => `${reader.name}.${input.name}`);
  const more = uses.length > 3 ? [`${String(uses.length - 3)} more`] : [];
  const all = [...own, ...readers, ...more];
  return all.length === 0 ? 'nowhere' : all.join(', ');
}

function describeBound(value: unknown): string {
  return typeof value === 'string' || isBinding(value) ? maskUrl(String(value)) : 'rows';
}
