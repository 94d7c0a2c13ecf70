import { isBinding, link, type LinkBinding } from '../binding/binding.js';
import { DefinitionError, describeValue, suggestName, type Fault } from '../errors.js';
import type { CallSite } from '../metadata/registry.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import { connect } from './connect.js';
import { behaviourFaults, duplicates, nameless, unboundPorts } from './draft-checks.js';
import { expandGroups, linkPlain } from './draft-order.js';
import { bindStep, type StepBinding } from './given.js';
import { separateRejects } from './rejects.js';
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
    if (name.trim() === '') this.fault(nameless(this.name, processor.name, where));
    const given = bind === undefined ? nothingGiven : this.#bind({ step: name, processor, bind, by, where });
    if (behaviour !== plainBehaviour) this.#faults.push(...behaviourFaults(this.name, name, behaviour, where));
    const tags = processor.tags.length === 0 && draft.tags === undefined ? noTags : new Set([...processor.tags, ...(draft.tags ?? [])]);
    const step = { name, processor, given, after, tags, behaviour, where, detail };
    this.#steps.push(step);
    if (draft.alone === true) this.#alone.add(step);
    return name;
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
      const bound = this.#bind({ step: full, processor: step.processor, bind: bind[step.name] ?? {}, by: 'property', where });
      const embedded: StepSpec = {
        ...step,
        name: full,
        behaviour: prefixWhen(step.behaviour, name),
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
    const steps = separateRejects(expandGroups(this.name, linkPlain(this.#steps, this.#alone), this.#groups));
    if (steps.length === 0)
      this.fault({
        code: 'DEFINITION_INVALID',
        message: `Workflow '${this.name}' has no step`,
        where: [this.#where],
        fix: 'Add one: w.step(NormalisePrices).',
      });
    const { graph, faults } = connect(this.name, steps, (store) => store);
    const all = [...this.#faults, ...duplicates(this.name, steps), ...unboundPorts(this.name, steps, this.#exported), ...faults];
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

  #bind(binding: Omit<StepBinding, 'workflow'>): StepSpec['given'] {
    return bindStep({ workflow: this.name, ...binding }, this.#faults);
  }
}

const none: readonly never[] = Object.freeze([]);
const noTags: ReadonlySet<string> = new Set();
const nothingGiven: StepSpec['given'] = Object.freeze({ inputs: new Map(), outputs: new Map(), unknown: new Map() });

/** What asks for the rows of a link knows the steps of its own workflow. */
function prefixWhen(behaviour: StepBehaviour, prefix: string): StepBehaviour {
  const { when } = behaviour;
  if (when === undefined) return behaviour;
  return {
    ...behaviour,
    when: ({ variables, rows }) =>
      when({ variables, rows: (from) => rows(isBinding(from) ? link(`${prefix}/${from.step}`, from.port) : from) }),
  };
}

function prefixLinks(inputs: ReadonlyMap<string, unknown>, prefix: string): [string, unknown][] {
  return [...inputs].map(([property, value]) => [
    property,
    isBinding(value) && value.kind === 'link' ? link(`${prefix}/${value.step}`, value.port) : value,
  ]);
}

function toCallSite(where: string | CallSite): CallSite {
  return typeof where === 'string' ? () => where : where;
}
