import { isBinding, link, type LinkBinding } from '../binding/binding.js';
import { aRetry, aTimeout } from '../decorators/option.js';
import { DefinitionError, describeValue, suggestName, type Fault } from '../errors.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import { connect } from './connect.js';
import { createGraph } from './graph.js';
import { toBinding, valueOf } from './places.js';
import type { StepBehaviour, StepSpec, WorkflowSpec } from './spec.js';

/** What is said of a step before it is checked. */
export interface StepDraft {
  /** Default: the processor's. */
  readonly name?: string;
  readonly processor: ProcessorSpec;
  /** By property, or by the port's own name where `by` says so. */
  readonly bind?: Readonly<Record<string, unknown>>;
  readonly by?: 'property' | 'port';
  /** Names of steps, groups and workflows within. */
  readonly after?: readonly string[];
  readonly tags?: readonly string[];
  readonly behaviour?: StepBehaviour;
  readonly where: string;
  readonly detail?: string;
  /** Neither linked to what stands before by itself, nor from what comes after: whoever adds it has seen to that. */
  readonly alone?: boolean;
}

interface Taken extends Omit<StepSpec, 'after'> {
  readonly after: readonly string[];
  /** Of a workflow within: neither linked to what stands before by itself, nor from what comes after. */
  readonly within: boolean;
}

/** A workflow while it is written down: takes steps in order, and checks them all at the end. What is wrong is told then, all of it. */
export class WorkflowDraft {
  readonly name: string;
  readonly #where: string;
  readonly #steps: Taken[] = [];
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
    const { processor, where, behaviour = {} } = draft;
    const name = draft.name ?? processor.name;
    const given = this.#bind(name, draft);
    this.#checkBehaviour(name, behaviour, where);
    const tags = new Set([...processor.tags, ...(draft.tags ?? [])]);
    const detail = draft.detail === undefined ? {} : { detail: draft.detail };
    this.#steps.push({ name, processor, given, after: draft.after ?? [], tags, behaviour, where, within: draft.alone ?? false, ...detail });
    return name;
  }

  /** Takes the steps of another workflow as `name/step`; `bind` is by its step and property. */
  embed(
    inner: WorkflowSpec,
    name: string,
    options: {
      readonly after?: readonly string[];
      readonly bind?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
      readonly where: string;
    },
  ): void {
    const { after = [], bind = {}, where } = options;
    for (const { step, port } of inner.exported) this.export(link(`${name}/${step}`, port));
    const names = new Set(inner.steps.map((step) => step.name));
    for (const step of Object.keys(bind)) {
      if (names.has(step)) continue;
      const message = `Workflow '${this.name}' binds ports of step '${step}' of '${name}', which has no such step`;
      this.fault({ code: 'STEP_UNKNOWN', message, where: [where], path: [this.name, name, step], fix: suggestName(step, names) });
    }
    const first = this.#steps.length;
    for (const [index, step] of inner.steps.entries()) {
      const full = `${name}/${step.name}`;
      const isRoot = inner.graph.into[index]!.length === 0;
      const bound = this.#bind(full, { processor: step.processor, bind: bind[step.name] ?? {}, where });
      this.#steps.push({
        ...step,
        name: full,
        given: {
          inputs: new Map([...prefixLinks(step.given.inputs, name), ...bound.inputs]),
          outputs: new Map([...step.given.outputs, ...bound.outputs]),
          unknown: bound.unknown,
        },
        after: [...step.after.map((before) => `${name}/${before}`), ...(isRoot ? after : [])],
        within: true,
      });
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

  #bind(
    step: string,
    { processor, bind = {}, by = 'property', where }: Pick<StepDraft, 'processor' | 'bind' | 'by' | 'where'>,
  ): StepSpec['given'] {
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

  #bindOutput(step: string, port: OutputSpec, value: unknown, where: string, outputs: Map<string, unknown>): void {
    if (!isBinding(value) || value.kind !== 'link') {
      outputs.set(port.property, value);
      return;
    }
    const message = `Workflow '${this.name}' step '${step}' output port '${port.name}' is bound to the link '${value.toString()}', but a link leads from an output to an input`;
    this.fault({
      code: 'BINDING_INVALID',
      message,
      where: [where],
      path: [this.name, step, port.name],
      fix: `Bind the input of the step that reads to ${step}'s output('${port.property}').`,
    });
  }

  #portUnknown(
    step: string,
    { name, inputs, outputs, params }: ProcessorSpec,
    port: string,
    key: (port: InputSpec | OutputSpec) => string,
    where: string,
  ): void {
    const known = [...inputs.map(key), ...outputs.map(key), ...(params === undefined ? [] : [params.property])];
    const message = `Workflow '${this.name}' step '${step}': processor '${name}' has no port '${port}'`;
    this.fault({ code: 'PORT_UNKNOWN', message, where: [where], path: [this.name, step, port], fix: suggestName(port, known) });
  }

  #checkBehaviour(step: string, { timeout, retry, onError, when }: StepBehaviour, where: string): void {
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
      this.fault({ code: 'DEFINITION_INVALID', message, where: [where], path: [this.name, step], fix: `Mend '${option}'.` });
    }
  }

  /** Links the one input that a step needs, where nothing says what it reads, to the one output of the step before it. */
  #linkPlain(): Taken[] {
    return this.#steps.map((step, index) => {
      const needed = step.processor.inputs.filter(({ optional }) => !optional);
      const [input] = needed;
      const before = this.#steps[index - 1];
      const [output] = before?.processor.outputs ?? [];
      if (step.within || input === undefined || needed.length > 1 || valueOf(step, input) !== undefined) return step;
      if (
        before === undefined ||
        before.within ||
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
  #expandAfter(steps: readonly Taken[]): StepSpec[] {
    const { graph } =
      this.#groups.size === 0
        ? { graph: createGraph([], []) }
        : connect(this.name, steps.map(withoutGroups(this.#groups)), (store) => store);
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
    return steps.map(({ within: _within, ...step }) =>
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
          where: [first.where, step.where],
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
          where: [step.where, port.where],
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

function prefixLinks(inputs: ReadonlyMap<string, unknown>, prefix: string): [string, unknown][] {
  return [...inputs].map(([property, value]) => [
    property,
    isBinding(value) && value.kind === 'link' ? link(`${prefix}/${value.step}`, value.port) : value,
  ]);
}

function withoutGroups(groups: ReadonlyMap<string, unknown>): (step: StepSpec) => StepSpec {
  return (step) => ({ ...step, after: step.after.filter((name) => !groups.has(name)) });
}
