import { isBinding } from '../binding/binding.js';
import { Channel, type ChannelReader } from '../binding/channel.js';
import { emptySource, fileSource, publishedSource, spoolSource, streamSource, type Source } from '../binding/source.js';
import { IdWatch } from '../binding/spool.js';
import { InputWire, OutputWire, type Tap } from '../binding/wire.js';
import { BindingError, type Fault } from '../errors.js';
import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import type { GivenBindings } from '../binding/resolved.js';
import { describeBindings } from '../binding/describe.js';
import { describeInputs, findBareTask, prepareTask, type PreparedTask } from '../task/prepare.js';
import type { RunOptions } from '../task/runner.js';
import type { Runtime } from '../task/runtime.js';
import type { Retry } from '../types.js';
import { maskUrl } from '../mask.js';
import type { EffectiveWorkflow } from './effective.js';
import type { Edge } from './graph.js';
import { parseFileTarget } from '../storage/files/format.js';
import { columnsOf } from '../validation/columns.js';
import type { PlannedLink, PlannedStep, WorkflowRunOptions } from './options.js';
import { toBinding, valueOf } from './places.js';
import type { StepSpec } from './spec.js';
import { chooseTransports, type LinkUse, type Transport } from './transport.js';

/** What becomes of a step, and why. */
export interface Fate {
  readonly does: 'run' | 'reuse' | 'nothing';
  readonly reason: string;
  /** For `reuse`: where the rows of its outputs are, by property. */
  readonly kept?: Readonly<Record<string, KeptOutput>>;
  /** What it is and what it read, where that is known. */
  readonly lineage?: string;
}

/** Where the rows of an output are after its step has ended. */
export interface KeptOutput {
  readonly rows: number;
  /** A collection of Millrace's own in the default store. */
  readonly spool?: string;
  /** Published, and nothing else in it. */
  readonly collection?: { readonly store: string; readonly name: string };
  /** Whether its rows had an `_id` of their own. */
  readonly hasIds?: boolean;
}

/** A step of a run, with everything that it needs to start. */
export interface RunStep {
  readonly index: number;
  readonly spec: StepSpec;
  readonly fate: Fate;
  /** Steps joined by streams share one. */
  readonly unit: number;
  readonly given: GivenBindings;
  /** Checked; undefined where a port can be checked only when a step before has written what it reads. */
  readonly task: PreparedTask | undefined;
  /** Its own, else its processor's, else the run's. */
  readonly limits: Pick<RunOptions, 'timeout' | 'retry'>;
  /** Streams that it reads, and streams that it writes. */
  readonly reads: readonly { readonly from: number; readonly reader: ChannelReader }[];
  readonly writes: readonly { readonly channel: Channel; readonly readers: readonly number[] }[];
  readonly links: readonly PlannedLink[];
  /** Where the rows of its linked outputs will be, by property. */
  readonly keeps: Readonly<Record<string, Omit<KeptOutput, 'rows' | 'hasIds'> & { readonly ids?: IdWatch }>>;
}

export interface RunPlan {
  readonly workflow: EffectiveWorkflow;
  readonly steps: readonly RunStep[];
  /** Collections of Millrace's own that the run may write. */
  readonly spools: readonly string[];
}

export interface PlanInput {
  readonly runtime: Runtime;
  readonly workflow: EffectiveWorkflow;
  readonly fates: readonly Fate[];
  readonly options: WorkflowRunOptions;
  readonly runId: string;
  /** Told when a step that waits for a stream has something to read. */
  wake(step: number): void;
}

/**
 * Says how each link's rows will come and checks every port of every step that will run. Touches no data.
 *
 * @throws BindingError with all faults of all steps.
 */
export async function planRun(input: PlanInput): Promise<RunPlan> {
  const plan = new Planning(input);
  return plan.finish();
}

/** What a person is told of a plan. */
export function describePlan({ steps }: RunPlan): PlannedStep[] {
  return steps.map(({ spec, fate, given, links }) => ({
    name: spec.name,
    runs: fate.does === 'run',
    reason: fate.reason,
    bindings: { ...describeInputs(spec.processor, given), ...describeBindings(spec.processor.outputs, given.outputs) },
    links,
  }));
}

interface Output {
  readonly step: StepSpec;
  readonly port: OutputSpec;
  readonly uses: LinkUse[];
  channel: Channel | undefined;
  spool: string | undefined;
  /** Where it is published. */
  ids: IdWatch | undefined;
}

interface Outside {
  readonly store: string;
  readonly name: string;
  readonly step: StepSpec;
  readonly port: OutputSpec;
  readonly reader: StepSpec;
  readonly input: InputSpec;
}

class Planning {
  readonly #input: PlanInput;
  readonly #faults: Fault[] = [];
  /** By step and port: outputs that anything links to, run or not. */
  readonly #outputs = new Map<string, Output>();
  readonly #uses: LinkUse[] = [];
  readonly #byEdge = new Map<Edge, LinkUse>();
  /** Publications of steps that do not run, which steps that do will read. */
  readonly #outside: Outside[] = [];
  readonly #spools: string[] = [];
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#indexes = new Map(input.workflow.graph.names.map((name, index) => [name, index]));
  }

  async finish(): Promise<RunPlan> {
    const { workflow, fates, options } = this.#input;
    this.#findLinks();
    const { units, of } = chooseTransports(workflow.graph, this.#uses, (step) => retryOf(step, options));
    for (const output of this.#outputs.values()) this.#openOutput(output, of);
    const steps: RunStep[] = [];
    for (let index = 0; index < workflow.steps.length; index++) {
      const spec = workflow.steps[index]!;
      const fate = fates[index] ?? { does: 'nothing', reason: 'not selected' };
      const unit = units[index] ?? index;
      const bare = fate.does === 'run' ? findBareTask(spec.processor) : undefined;
      if (fate.does !== 'run' || bare !== undefined) steps.push(unwired(index, spec, fate, unit, bare, limitsOf(spec, options)));
      else steps.push(await this.#step(index, spec, fate, unit, of));
    }
    if (this.#outside.length > 0) await this.#checkOutside();
    if (this.#faults.length > 0) throw new BindingError(`Workflow '${workflow.spec.name}'`, this.#faults);
    return { workflow, steps, spools: this.#spools };
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
    if (this.#runs(use.edge.from)) this.#uses.push(use);
  }

  #outputOf(step: StepSpec, port: OutputSpec): Output {
    const key = `${step.name}.${port.name}`;
    let output = this.#outputs.get(key);
    if (output === undefined)
      this.#outputs.set(
        key,
        (output = { step, port, uses: [], channel: undefined, spool: undefined, ids: publishedBy(step, port) && new IdWatch() }),
      );
    return output;
  }

  #runs(step: number): boolean {
    return this.#input.fates[step]?.does === 'run';
  }

  #openOutput(output: Output, transports: ReadonlyMap<LinkUse, Transport>): void {
    const { step, port, uses } = output;
    const index = this.#indexes.get(step.name) ?? 0;
    if (!this.#runs(index)) return;
    const by = new Set(uses.map((use) => transports.get(use)?.by));
    if (by.has('stream')) output.channel = new Channel();
    const keeps = step.behaviour.keep === true && publishedBy(step, port) === undefined;
    if (!by.has('spool') && !keeps) return;
    output.spool = `_millrace_spool_${this.#input.runId}_${String(index)}_${String(step.processor.outputs.indexOf(port))}`;
    this.#spools.push(output.spool);
  }

  async #step(index: number, spec: StepSpec, fate: Fate, unit: number, transports: ReadonlyMap<LinkUse, Transport>): Promise<RunStep> {
    const { options } = this.#input;
    const limits = limitsOf(spec, options);
    const reads: { from: number; reader: ChannelReader }[] = [];
    const links: PlannedLink[] = [];
    const inputs = new Map(spec.given.inputs);
    for (const [output, use] of this.#usesOf(index)) {
      const wired = this.#wireInput(output, use, transports.get(use), index);
      inputs.set(use.input.property, wired.wire);
      if (wired.reader !== undefined) reads.push({ from: use.edge.from, reader: wired.reader });
      links.push(wired.link);
    }
    const { outputs, writes, keeps } = this.#wireOutputs(spec, transports);
    const given: GivenBindings = { inputs, outputs, unknown: spec.given.unknown };
    const task = await this.#prepare(index, spec, given);
    return { index, spec, fate, unit, given, task, limits, reads, writes, links, keeps };
  }

  *#usesOf(step: number): Generator<readonly [Output, LinkUse]> {
    const { steps, graph } = this.#input.workflow;
    for (const edge of graph.into[step]!) {
      const writer = steps[edge.from];
      if (edge.kind !== 'link' || writer === undefined) continue;
      const output = this.#outputs.get(`${writer.name}.${edge.label}`);
      const use = this.#byEdge.get(edge);
      if (output !== undefined && use !== undefined) yield [output, use];
    }
  }

  #wireInput(
    { step, port, channel, spool, ids }: Output,
    { edge, input, reader }: LinkUse,
    transport: Transport | undefined,
    index: number,
  ): { readonly wire: InputWire; readonly link: PlannedLink; readonly reader?: ChannelReader } {
    const name = `${step.name}.${port.name}`;
    const checked = isChecked(port, input);
    const planned = { input: input.property, from: name };
    if (transport?.by === 'stream' && channel !== undefined) {
      const attached = channel.attach(() => {
        this.#input.wake(index);
      });
      const source = streamSource(attached, `Processor '${reader.processor.name}' input port '${input.name}'`);
      return { wire: new InputWire(`${name} (streamed)`, source, checked), reader: attached, link: { ...planned, by: 'stream' } };
    }
    if (transport !== undefined) {
      const reason = transport.reason === undefined ? {} : { reason: transport.reason };
      const place = publishedBy(step, port);
      if (transport.by === 'collection' && place !== undefined) {
        const text = `${name} (from ${place.text}: ${transport.reason ?? ''})`;
        return {
          wire: new InputWire(
            text,
            this.#published(place, () => ids?.hasIds !== false),
            checked,
          ),
          link: { ...planned, by: 'collection', ...reason },
        };
      }
      const source = spoolSource(this.#input.runtime.stores.get('default'), spool ?? '');
      return {
        wire: new InputWire(`${name} (spooled: ${transport.reason ?? ''})`, source, checked),
        link: { ...planned, by: 'spool', ...reason },
      };
    }
    return this.#wireFromOutside(step, port, reader, input, edge, checked);
  }

  /** From a step that does not run: what it kept or published, now or some time before. */
  #wireFromOutside(
    step: StepSpec,
    port: OutputSpec,
    reader: StepSpec,
    input: InputSpec,
    { from }: Edge,
    checked: boolean,
  ): { readonly wire: InputWire; readonly link: PlannedLink } {
    const fate = this.#input.fates[from];
    const name = `${step.name}.${port.name}`;
    const planned = { input: input.property, from: name };
    const kept = fate?.kept?.[port.property];
    if (kept?.spool !== undefined) {
      const source = spoolSource(this.#input.runtime.stores.get('default'), kept.spool);
      return { wire: new InputWire(`${name} (kept)`, source, checked), link: { ...planned, by: 'spool', reason: fate?.reason ?? '' } };
    }
    const place = kept?.collection ?? publishedBy(step, port, true);
    if (place !== undefined) {
      if (kept === undefined) this.#outside.push({ ...place, step, port, reader, input });
      const hasIds = kept?.hasIds ?? !lacksId(port);
      const source = this.#published(place, () => hasIds);
      return {
        wire: new InputWire(`${name} (from ${place.name})`, source, false),
        link: { ...planned, by: 'collection', reason: `'${step.name}' does not run` },
      };
    }
    const file = this.#publishedFile(step, port);
    if (file !== undefined)
      return {
        wire: new InputWire(`${name} (from ${file.text})`, file.source, false),
        link: { ...planned, by: 'collection', reason: `'${step.name}' does not run` },
      };
    this.#refuseOutside(step, port, reader, input, 'its output is not published anywhere');
    return { wire: new InputWire(name, emptySource, false), link: { ...planned, by: 'collection' } };
  }

  #refuseOutside(step: StepSpec, port: OutputSpec, reader: StepSpec, input: InputSpec, why: string): void {
    this.#faults.push({
      code: 'PORT_UNBOUND',
      message: `Step '${reader.name}' input port '${input.name}' is linked to '${step.name}.${port.name}', but '${step.name}' is not selected and ${why}`,
      where: [reader.where(), step.where()],
      path: [this.#input.workflow.spec.name, reader.name, input.name],
      fix: `Select '${step.name}' too, bind its output '${port.property}' to a collection, or bind '${input.property}' for this run.`,
    });
  }

  /** What steps outside of the selection are to have published must be there. */
  async #checkOutside(): Promise<void> {
    const { stores } = this.#input.runtime;
    const known = new Map<string, ReadonlySet<string>>();
    for (const { store, name, step, port, reader, input } of this.#outside) {
      if (!stores.names.includes(store)) continue; // the check of the step that writes there says so
      const names = known.get(store) ?? new Set(await stores.get(store).collections());
      known.set(store, names);
      if (!names.has(name)) this.#refuseOutside(step, port, reader, input, `nothing was ever published to '${name}'`);
    }
  }

  #published({ store, name }: { readonly store: string; readonly name: string }, hasIds: () => boolean): Source {
    return publishedSource(this.#input.runtime.stores.get(store), name, hasIds);
  }

  #publishedFile(step: StepSpec, port: OutputSpec): { readonly text: string; readonly source: Source } | undefined {
    const binding = toBinding(valueOf(step, port));
    if (binding?.kind !== 'file') return undefined;
    const { path, format, gzip } = parseFileTarget(binding.target, binding.base);
    const known = binding.options.format ?? format;
    if (known === undefined) return undefined;
    return {
      text: binding.toString(),
      source: fileSource(path, known, gzip, port.schema === undefined ? undefined : columnsOf(port.schema)),
    };
  }

  #wireOutputs(
    spec: StepSpec,
    transports: ReadonlyMap<LinkUse, Transport>,
  ): Pick<RunStep, 'writes' | 'keeps'> & { readonly outputs: Map<string, unknown> } {
    const outputs = new Map(spec.given.outputs);
    const writes: { channel: Channel; readers: number[] }[] = [];
    const keeps: Record<string, RunStep['keeps'][string]> = {};
    for (const port of spec.processor.outputs) {
      const linked = this.#outputs.get(`${spec.name}.${port.name}`);
      const bound = valueOf(spec, port);
      const place = publishedBy(spec, port);
      if (linked === undefined && bound === undefined && !port.optional)
        outputs.set(port.property, new OutputWire('nowhere', undefined, []));
      if (place !== undefined) keeps[port.property] = { collection: { store: place.store, name: place.name } };
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
          readers: linked.uses.filter((use) => transports.get(use)?.by === 'stream').map(({ edge }) => edge.to),
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

  /** A file that a step before is going to write cannot be checked now. */
  async #prepare(index: number, spec: StepSpec, given: GivenBindings): Promise<PreparedTask | undefined> {
    const { runtime, workflow } = this.#input;
    try {
      return await prepareTask(runtime, spec.processor, given);
    } catch (error) {
      if (!(error instanceof BindingError)) throw error;
      const written = workflow.graph.into[index]!.some(({ kind, from }) => kind === 'collection' && this.#runs(from));
      const faults = written ? error.faults.filter(({ code }) => code !== 'FILE_UNREADABLE') : error.faults;
      this.#faults.push(
        ...faults.map((fault) => ({ ...fault, message: `Step '${spec.name}': ${fault.message}`, where: [...fault.where, spec.where()] })),
      );
      return undefined;
    }
  }
}

const none: readonly never[] = Object.freeze([]);
const nothing = Object.freeze({});

/** A step that has no ports, or does not run. */
function unwired(
  index: number,
  spec: StepSpec,
  fate: Fate,
  unit: number,
  task: PreparedTask | undefined,
  limits: RunStep['limits'],
): RunStep {
  return {
    index,
    spec,
    fate,
    unit,
    given: spec.given,
    task,
    limits,
    reads: none,
    writes: none,
    links: none,
    keeps: nothing,
  };
}

function limitsOf(step: StepSpec, options: WorkflowRunOptions): RunStep['limits'] {
  const { timeout } = step.behaviour;
  const retry = retryOf(step, options);
  if (timeout === undefined && retry === undefined) return nothing;
  return { ...(timeout === undefined ? {} : { timeout }), ...(retry === undefined ? {} : { retry }) };
}

function retryOf(step: StepSpec, options: WorkflowRunOptions): Retry | undefined {
  return step.behaviour.retry ?? step.processor.retry ?? options.retry;
}

/** A collection that holds an output's rows and nothing else; with `mixed`, also one that it adds to. */
function publishedBy(
  step: StepSpec,
  port: OutputSpec,
  mixed = false,
): { readonly store: string; readonly name: string; readonly text: string } | undefined {
  const binding = toBinding(valueOf(step, port));
  if (binding?.kind !== 'collection') return undefined;
  const mode = binding.options.mode ?? port.mode ?? 'replace';
  return mode === 'replace' || mixed ? { store: binding.store, name: binding.name, text: binding.toString() } : undefined;
}

/** Whether its rows have, for all that its schema says, no `_id` of their own. */
function lacksId({ schema }: OutputSpec): boolean {
  return schema !== undefined && columnsOf(schema).every(({ name }) => name !== '_id');
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
