import { isBinding, link, type LinkBinding } from '../binding/binding.js';
import { aRetry, aTimeout } from '../decorators/option.js';
import { DefinitionError, describeValue, suggestName, type Fault } from '../errors.js';
import type { CallSite } from '../metadata/registry.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import { connect } from './connect.js';
import { toBinding, valueOf } from './places.js';
import { plainBehaviour, type StepBehaviour, type StepSpec, type WorkflowSpec } from './spec.js';

/** What is said of a step before it is checked. */
export interface StepDraft {
  /** Default: the processor's. */
  readonly name?: string | undefined;
  readonly processor: ProcessorSpec;
  /** By property, or by the port's own name where `by` says so. */
  readonly bind?: Readonly<Record<string, unknown>> | undefined;
  readonly by?: 'property' | 'port';
  /** Names of steps, groups and workflows within. */
  readonly after?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly behaviour?: StepBehaviour;
  readonly where: string | CallSite;
  readonly detail?: string | undefined;
  /** Neither linked to what stands before by itself, nor from what comes after: whoever adds it has seen to that. */
  readonly alone?: boolean;
}

interface StepBinding extends Required<Pick<StepDraft, 'processor' | 'by'>> {
  readonly bind: Readonly<Record<string, unknown>>;
  readonly where: CallSite;
}

/** A workflow while it is written down: takes steps in order, and checks them all at the end. What is wrong is told then, all of it. */
export class WorkflowDraft {
  readonly name: string;
  readonly #where: string;
  readonly #steps: StepSpec[] = [];
  /** Neither linked to what stands before by themselves, nor from what comes after: steps of a workflow within, and those of a file. */
  readonly #alone = new Set<StepSpec>();
  readonly #groups = new Map<string, number[]>();
  readonly #faults: Fault[] = [];
  readonly #exported: LinkBinding[] = [];

  constructor(name: string, where: string) {
    this.name = name;
    this.#where = where;
    if (typeof (name as unknown) !== 'string' || name.trim() === '') {
      this.fault({
        code: 'DEFINITION_INVALID',
        message: `a workflow has a name; got ${describeValue(name)}`,
        where: [where],
        fix: "Call it workflow('pricing', …).",
      });
    }
  }

  fault(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** Takes a step; answers its name. */
  add(draft: StepDraft): string {
    const { processor, behaviour = plainBehaviour, bind, by = 'property', after = none, detail } = draft;
    const name = draft.name ?? processor.name;
    const where = toCallSite(draft.where);
    if (name.trim() === '') this.#refuseNameless(processor, where);
    const given = bind === undefined ? nothingGiven : this.#bind(name, { processor, bind, by, where });
    if (behaviour !== plainBehaviour) this.#checkBehaviour(name, behaviour, where);
    const tags = processor.tags.length === 0 && draft.tags === undefined ? noTags : new Set([...processor.tags, ...(draft.tags ?? [])]);
    const step = { name, processor, given, after, tags, behaviour, where, detail };
    this.#steps.push(step);
    if (draft.alone === true) this.#alone.add(step);
    return name;
  }

  #refuseNameless({ name }: ProcessorSpec, where: CallSite): void {
    this.fault({
      code: 'DEFINITION_INVALID',
      message: `Workflow '${this.name}' has a step of '${name}' whose name is empty`,
      where: [where()],
      path: [this.name],
      fix: "Leave `name` out for the processor's own, or give it one.",
    });
  }

  /** Takes the steps of another workflow as `name/step`; `bind` is by its step and property. */
  embed(
    inner: WorkflowSpec,
    name: string,
    options: {
      readonly after?: readonly string[];
      readonly bind?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
      readonly where: CallSite;
    },
  ): void {
    const { after = [], bind = {}, where } = options;
    for (const { step, port } of inner.exported) this.export(link(`${name}/${step}`, port));
    const names = new Set(inner.steps.map((step) => step.name));
    for (const step of Object.keys(bind)) {
      if (names.has(step)) continue;
      const message = `Workflow '${this.name}' binds ports of step '${step}' of '${name}', which has no such step`;
      this.fault({ code: 'STEP_UNKNOWN', message, where: [where()], path: [this.name, name, step], fix: suggestName(step, names) });
    }
    const first = this.#steps.length;
    for (const [index, step] of inner.steps.entries()) {
      const full = `${name}/${step.name}`;
      const isRoot = inner.graph.into[index]!.length === 0;
      const bound = this.#bind(full, { processor: step.processor, bind: bind[step.name] ?? {}, by: 'property', where });
      const embedded: StepSpec = {
        ...step,
        name: full,
        given: {
          inputs: new Map([...prefixLinks(step.given.inputs, name), ...bound.inputs]),
          outputs: new Map([...step.given.outputs, ...bound.outputs]),
          unknown: bound.unknown,
        },
        after: [...step.after.map((before) => `${name}/${before}`), ...(isRoot ? after : [])],
      };
      this.#steps.push(embedded);
      this.#alone.add(embedded);
    }
    for (const [group, steps] of inner.groups)
      this.#groups.set(
        `${name}/${group}`,
        steps.map((step) => first + step),
      );
    this.group(name, first);
  }

  /** Gives the steps from the one numbered `first` on a name of their own: what comes `after` it comes after all of them. */
  group(name: string, first: number): void {
    this.#groups.set(
      name,
      Array.from({ length: this.#steps.length - first }, (_, at) => first + at),
    );
  }

  /** How many steps there are. */
  get size(): number {
    return this.#steps.length;
  }

  /** An output that a workflow around this one may link from: it needs no other binding. */
  export(exported: LinkBinding): void {
    this.#exported.push(exported);
  }

  /**
   * Checks everything.
   *
   * @throws DefinitionError with every fault.
   */
  finish(
    facts: { readonly title?: string; readonly description?: string; readonly variables?: Readonly<Record<string, unknown>> } = {},
  ): WorkflowSpec {
    const steps = this.#expandAfter(this.#linkPlain());
    this.#refuseDuplicates(steps);
    if (steps.length === 0)
      this.fault({
        code: 'DEFINITION_INVALID',
        message: `Workflow '${this.name}' has no step`,
        where: [this.#where],
        fix: 'Add one: w.step(NormalisePrices).',
      });
    this.#refuseUnbound(steps);
    const { graph, faults } = connect(this.name, steps, (store) => store);
    const all = [...this.#faults, ...faults];
    if (all.length > 0) throw new DefinitionError(`Workflow '${this.name}'`, all);
    const { title, description, variables = {} } = facts;
    return Object.freeze({
      name: this.name,
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      steps: Object.freeze(steps),
      graph,
      exported: Object.freeze([...this.#exported]),
      groups: this.#groups,
      variables,
    });
  }

  #bind(step: string, { processor, bind, by, where }: StepBinding): StepSpec['given'] {
    const inputs = new Map<string, unknown>();
    const outputs = new Map<string, unknown>();
    const key = (port: { readonly name: string; readonly property: string }): string => (by === 'port' ? port.name : port.property);
    for (const [name, value] of Object.entries(bind)) {
      if (value === undefined) continue;
      const input = processor.inputs.find((port) => key(port) === name);
      const output = processor.outputs.find((port) => key(port) === name);
      if (input !== undefined) inputs.set(input.property, Array.isArray(value) ? [...(value as unknown[])] : value);
      else if (output !== undefined) this.#bindOutput(step, output, value, where, outputs);
      else if (processor.params !== undefined && (name === processor.params.property || name === 'params'))
        inputs.set(processor.params.property, value);
      else this.#portUnknown(step, processor, name, key, where);
    }
    return { inputs, outputs, unknown: new Map() };
  }

  #bindOutput(step: string, port: OutputSpec, value: unknown, where: CallSite, outputs: Map<string, unknown>): void {
    if (!isBinding(value) || value.kind !== 'link') {
      outputs.set(port.property, value);
      return;
    }
    const message = `Workflow '${this.name}' step '${step}' output port '${port.name}' is bound to the link '${value.toString()}', but a link leads from an output to an input`;
    this.fault({
      code: 'BINDING_INVALID',
      message,
      where: [where()],
      path: [this.name, step, port.name],
      fix: `Bind the input of the step that reads to ${step}'s output('${port.property}').`,
    });
  }

  #portUnknown(
    step: string,
    { name, inputs, outputs, params }: ProcessorSpec,
    port: string,
    key: (port: InputSpec | OutputSpec) => string,
    where: CallSite,
  ): void {
    const known = [...inputs.map(key), ...outputs.map(key), ...(params === undefined ? [] : [params.property])];
    const message = `Workflow '${this.name}' step '${step}': processor '${name}' has no port '${port}'`;
    this.fault({ code: 'PORT_UNKNOWN', message, where: [where()], path: [this.name, step, port], fix: suggestName(port, known) });
  }

  #checkBehaviour(step: string, { timeout, retry, onError, when }: StepBehaviour, where: CallSite): void {
    const problems = {
      timeout: aTimeout(timeout),
      retry: aRetry(retry),
      onError:
        onError === undefined || ['stop', 'skip'].includes(onError)
          ? undefined
          : `must be 'stop' or 'skip', not ${describeValue(onError)}.`,
      when: when === undefined || typeof when === 'function' ? undefined : `must be a function, not ${describeValue(when)}.`,
    };
    for (const [option, problem] of Object.entries(problems)) {
      if (problem === undefined) continue;
      const message = `Workflow '${this.name}' step '${step}' option '${option}' ${problem}`;
      this.fault({ code: 'DEFINITION_INVALID', message, where: [where()], path: [this.name, step], fix: `Mend '${option}'.` });
    }
  }

  /** Links the one input that a step needs, where nothing says what it reads, to the one output of the step before it. */
  #linkPlain(): StepSpec[] {
    return this.#steps.map((step, index) => {
      if (step.processor.inputs.length === 0) return step;
      const needed = step.processor.inputs.filter(({ optional }) => !optional);
      const [input] = needed;
      const before = this.#steps[index - 1];
      const [output] = before?.processor.outputs ?? [];
      if (input === undefined || this.#alone.has(step) || needed.length > 1 || valueOf(step, input) !== undefined) return step;
      if (
        before === undefined ||
        this.#alone.has(before) ||
        output === undefined ||
        before.processor.outputs.length > 1 ||
        output.schema !== input.schema
      )
        return step;
      const inputs = new Map(step.given.inputs).set(input.property, link(before.name, output.name));
      return { ...step, given: { ...step.given, inputs } };
    });
  }

  /** A group stands for those of its steps that no other of it comes after. */
  #expandAfter(steps: readonly StepSpec[]): readonly StepSpec[] {
    if (this.#groups.size === 0) return steps;
    const { graph } = connect(this.name, steps.map(withoutGroups(this.#groups)), (store) => store);
    const last = new Map<string, readonly string[]>();
    const lastOf = (group: string): readonly string[] => {
      const known = last.get(group);
      if (known !== undefined) return known;
      const members = new Set(this.#groups.get(group) ?? []);
      const found = [...members]
        .filter((step) => graph.out[step]!.every(({ to }) => !members.has(to)))
        .map((step) => steps[step]?.name ?? '');
      last.set(group, found);
      return found;
    };
    const names = new Set(steps.map(({ name }) => name));
    return steps.map((step) =>
      step.after.some((name) => !names.has(name) && this.#groups.has(name))
        ? { ...step, after: step.after.flatMap((name) => (!names.has(name) && this.#groups.has(name) ? lastOf(name) : [name])) }
        : step,
    );
  }

  #refuseDuplicates(steps: readonly StepSpec[]): void {
    const seen = new Map<string, StepSpec>();
    for (const step of steps) {
      const first = seen.get(step.name);
      if (first === undefined) seen.set(step.name, step);
      else {
        const message = `Workflow '${this.name}' has two steps named '${step.name}'`;
        this.fault({
          code: 'DUPLICATE_NAME',
          message,
          where: [first.where(), step.where()],
          path: [this.name, step.name],
          fix: 'Give one of them a `name` of its own.',
        });
      }
    }
  }

  #refuseUnbound(steps: readonly StepSpec[]): void {
    const linked = new Set(this.#exported.map(String));
    for (const step of steps) {
      for (const port of step.processor.inputs) {
        const binding = toBinding(valueOf(step, port));
        if (binding?.kind === 'link') linked.add(binding.toString());
      }
    }
    for (const step of steps) {
      const { inputs, outputs } = step.processor;
      for (const port of [...inputs, ...outputs]) {
        if (port.optional || valueOf(step, port) !== undefined) continue;
        if (port.kind === 'output' && linked.has(`${step.name}.${port.name}`)) continue;
        this.fault({
          code: 'PORT_UNBOUND',
          message: `Workflow '${this.name}' step '${step.name}': Processor '${step.processor.name}' ${port.kind} port '${port.name}' is not bound`,
          where: [step.where(), port.where],
          path: [this.name, step.name, port.name],
          fix:
            port.kind === 'input'
              ? `Bind '${port.property}', or link it to an output: otherStep.output('…').`
              : `Bind '${port.property}', or link an input to it.`,
        });
      }
    }
  }
}

const none: readonly never[] = Object.freeze([]);
const noTags: ReadonlySet<string> = new Set();
const nothingGiven: StepSpec['given'] = Object.freeze({ inputs: new Map(), outputs: new Map(), unknown: new Map() });

function prefixLinks(inputs: ReadonlyMap<string, unknown>, prefix: string): [string, unknown][] {
  return [...inputs].map(([property, value]) => [
    property,
    isBinding(value) && value.kind === 'link' ? link(`${prefix}/${value.step}`, value.port) : value,
  ]);
}

function withoutGroups(groups: ReadonlyMap<string, unknown>): (step: StepSpec) => StepSpec {
  return (step) => ({ ...step, after: step.after.filter((name) => !groups.has(name)) });
}

function toCallSite(where: string | CallSite): CallSite {
  return typeof where === 'string' ? () => where : where;
}
