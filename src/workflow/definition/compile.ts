import { isBinding, type AnyBinding } from '../../binding/binding.js';
import { DefinitionError, nearestName, suggestName, type Fault } from '../../errors.js';
import type { InputSpec, ProcessorSpec } from '../../metadata/spec.js';
import type { Retry } from '../../types.js';
import { WorkflowDraft, type StepDraft } from '../draft.js';
import type { StepBehaviour, WorkflowSpec } from '../spec.js';
import type { Collected } from './collect.js';
import { blocksAround, leavesOf, outerFile, writtenBindings, type Item, type Leaf, type WrittenBinding } from './item.js';
import { find, findEntry, itemsOf, textOf, toValue } from './node.js';
import { orderStep, sourceOfPlainList } from './order.js';
import { placed } from './place-faults.js';
import { BindingReader, type OutputRef } from './read-binding.js';
import { readParams } from './read-params.js';
import { allOf, readConditions, type Condition } from './read-when.js';
import { whereOf, type At, type Faults } from './source.js';
import type { Work } from './work.js';

/**
 * Makes a workflow of what files say.
 *
 * @throws DefinitionError with every fault, those that were found before among them.
 */
export async function compile(collected: Collected, faults: Faults): Promise<WorkflowSpec> {
  return new Compiler(collected, faults).compile();
}

class Compiler {
  readonly #collected: Collected;
  readonly #faults: Faults;
  readonly #bindings: BindingReader;
  /** Outputs that something reads, as `step.port`. */
  readonly #read = new Set<string>();
  readonly #works = new Map<Leaf, Work>();

  constructor(collected: Collected, faults: Faults) {
    this.#collected = collected;
    this.#faults = faults;
    this.#bindings = new BindingReader(collected.byName, faults);
  }

  async compile(): Promise<WorkflowSpec> {
    const { items, node } = this.#collected;
    const leaves = items.flatMap(leavesOf);
    for (const leaf of leaves) this.#works.set(leaf, await this.#work(leaf));
    const order = { collected: this.#collected, faults: this.#faults, read: this.#read };
    for (const work of this.#works.values()) orderStep(work, order);
    for (const work of this.#works.values()) this.#refuseUnbound(work);
    const name = textOf(find(node, 'name')) ?? 'workflow';
    const draft = new WorkflowDraft(name, whereOf(node.at));
    this.#add(draft, items);
    return this.#finish(draft, name);
  }

  /* ── ports ── */

  async #work(leaf: Leaf): Promise<Work> {
    const work: Work = { leaf, bind: {}, excused: new Set(), places: new Map(), after: new Set(), linked: false, conditions: [] };
    const written = writtenBindings(leaf);
    for (const [port, binding] of written) this.#bind(work, port, binding);
    await this.#params(work, written.get('params'));
    work.conditions = [leaf, ...blocksAround(leaf)].flatMap((item) =>
      readConditions(item.body, outerFile(item), item.parent, this.#bindings, this.#faults),
    );
    for (const { counts } of work.conditions) {
      if (counts === undefined) continue;
      work.after.add(counts.leaf.name);
      if (counts.port !== undefined) this.#read.add(`${counts.leaf.name}.${counts.port.name}`);
    }
    return work;
  }

  #bind(work: Work, name: string, written: WrittenBinding): void {
    const { processor } = work.leaf;
    const [, side, plain = name] = /^(in|out):(.+)$/.exec(name) ?? [];
    if (processor === undefined) {
      // a link that it reads is one all the same
      const from = find(written.value, 'from');
      if (from === undefined) written.file.variables.expand(written.value);
      else this.#note(work, this.#bindings.output(from, written));
      return;
    }
    const input = side === 'out' ? undefined : processor.inputs.find((port) => port.name === plain);
    const output = side === 'in' ? undefined : processor.outputs.find((port) => port.name === plain);
    if (input !== undefined && output !== undefined) {
      this.#faults.add(written.at, {
        code: 'BINDING_INVALID',
        message: `'${processor.name}' has both an input and an output '${plain}'`,
        path: [work.leaf.name, plain],
        fix: `Write 'in:${plain}' or 'out:${plain}'.`,
      });
      work.excused.add(input.property).add(output.property);
      return;
    }
    const port = input ?? output;
    if (port === undefined) {
      if (plain !== 'params' || processor.params === undefined) this.#unknownPort(work, processor, plain, written.at);
      return;
    }
    work.places.set(port.property, written.value.at);
    const value = this.#bindings.read(written, port, (ref) => this.#note(work, ref));
    if (value === undefined) work.excused.add(port.property);
    else work.bind[port.property] = value;
  }

  #note(work: Work, ref: OutputRef | undefined): void {
    work.linked = true;
    if (ref === undefined) return;
    if (ref.port !== undefined) this.#read.add(`${ref.leaf.name}.${ref.port.name}`);
    else work.after.add(ref.leaf.name);
  }

  #unknownPort({ leaf, excused }: Work, { name, inputs, outputs, params }: ProcessorSpec, port: string, at: At): void {
    const ports = [...inputs, ...outputs];
    const known = [...ports.map((one) => one.name), ...(params === undefined ? [] : ['params'])];
    const meant = nearestName(port, known);
    for (const one of ports) if (one.name === meant) excused.add(one.property);
    this.#faults.add(at, {
      code: 'PORT_UNKNOWN',
      message: `step '${leaf.name}': processor '${name}' has no port '${port}'`,
      path: [leaf.name, port],
      fix: suggestName(port, known),
    });
  }

  async #params(work: Work, bound: WrittenBinding | undefined): Promise<void> {
    const { leaf } = work;
    const { processor, body, file, name, at } = leaf;
    const entry = findEntry(body, 'params');
    const refuse = (place: At, message: string, fix: string): void =>
      this.#faults.add(place, { code: 'PARAMS_INVALID', message, path: [name, 'params'], fix });
    if (processor === undefined) {
      if (entry !== undefined) file.variables.expand(entry.value);
      return;
    }
    if (processor.params === undefined) {
      if (entry !== undefined) refuse(entry.at, `processor '${processor.name}' has no parameters`, 'Leave `params` out.');
      return;
    }
    const overridden = bound !== undefined && bound.file !== file;
    if (entry !== undefined && bound !== undefined && !overridden)
      return refuse(bound.at, `step '${name}' has \`params\` and \`bind: { params }\``, 'Leave one of them out.');
    const source = bound ?? (entry && { value: entry.value, file });
    const filled = source?.file.variables.expand(source.value);
    if (source !== undefined && filled === undefined) return;
    const { property } = processor.params;
    const text = textOf(filled);
    if (filled !== undefined && text !== undefined) {
      const value = this.#bindings.text(text, filled.at, source?.file.folder ?? file.folder) as AnyBinding | undefined;
      if (value !== undefined) work.bind[property] = value;
      return;
    }
    const value = await readParams(name, processor.params, filled, entry?.at ?? at, this.#faults);
    if (value !== undefined && source !== undefined) work.bind[property] = value;
  }

  #refuseUnbound({ leaf, bind, excused }: Work): void {
    const { processor, name, at, written } = leaf;
    const bound = find(written, 'bind');
    const isTold = bound?.kind === 'list' || (bound?.kind === 'scalar' && bound.value !== null); // what it was to bind nobody knows
    if (processor === undefined || isTold) return;
    for (const port of [...processor.inputs, ...processor.outputs]) {
      if (port.optional || port.binding !== undefined || bind[port.property] !== undefined || excused.has(port.property)) continue;
      const output = `${name}.${port.name}`;
      if (port.kind === 'output' && (this.#read.has(output) || this.#bindings.meant.has(output))) continue;
      const fix =
        port.kind === 'input'
          ? this.#howToBind(leaf, port)
          : `Bind it: { ${port.name}: collection }, or link an input to it: { from: ${name}.${port.name} }.`;
      this.#faults.add(at, {
        code: 'PORT_UNBOUND',
        message: `step '${name}': Processor '${processor.name}' ${port.kind} port '${port.name}' is not bound`,
        where: [port.where],
        path: [name, port.name],
        fix,
      });
    }
  }

  #howToBind(leaf: Leaf, port: InputSpec): string {
    const before = sourceOfPlainList(leaf, this.#collected);
    const outputs = before?.processor?.outputs ?? [];
    const fitting = outputs.filter(({ schema }) => schema === undefined || port.schema === undefined || schema === port.schema);
    const [first] = fitting;
    const why =
      before === undefined
        ? ''
        : outputs.length === 0
          ? ` ('${before.name}' before it has no output.)`
          : first === undefined
            ? ` ('${before.name}' before it gives rows of another schema.)`
            : '';
    if (before === undefined || first === undefined)
      return `Bind it: { ${port.name}: collection }, or link it: { ${port.name}: { from: Step.port } }.${why}`;
    return `Bind it: { ${port.name}: { from: ${before.name}.${first.name} } }, or to a collection or file.`;
  }

  /* ── the draft ── */

  #add(draft: WorkflowDraft, items: readonly Item[]): void {
    for (const item of items) {
      if (item.kind === 'step') draft.add(this.#draft(item));
      else {
        const first = draft.size;
        this.#add(draft, item.items);
        draft.group(item.name, first);
      }
    }
  }

  #draft(leaf: Leaf): StepDraft {
    const { bind, after, conditions } = this.#works.get(leaf) ?? { bind: {}, after: new Set<string>(), conditions: [] };
    const around = blocksAround(leaf);
    const tags = [leaf, ...around].flatMap(({ body, file }) => [
      ...itemsOf(find(body, 'tags')).flatMap((tag) => textOf(tag) ?? []),
      ...file.tags,
    ]);
    return {
      name: leaf.name,
      processor: leaf.processor ?? unknownProcessor(leaf),
      bind,
      after: this.#after(bind, conditions, after),
      tags: [...new Set([...tags, ...itemsOf(find(this.#collected.node, 'tags')).flatMap((tag) => textOf(tag) ?? [])])],
      behaviour: this.#behaviour(leaf),
      where: whereOf(leaf.at),
      alone: true,
      ...(leaf.detail === undefined ? {} : { detail: leaf.detail }),
    };
  }

  /** A step that is linked to another comes after it anyway, and may read its stream; one whose rows are counted must have ended. */
  #after(bind: Work['bind'], conditions: readonly Condition[], after: ReadonlySet<string>): string[] {
    const linked = new Set(Object.values(bind).flatMap((value) => (isBinding(value) && value.kind === 'link' ? [value.step] : [])));
    const counted = new Set(conditions.flatMap(({ counts }) => counts?.leaf.name ?? []));
    return [...after].filter((name) => this.#collected.byName.has(name) && (!linked.has(name) || counted.has(name)));
  }

  #behaviour(leaf: Leaf): StepBehaviour {
    const bodies = [leaf, ...blocksAround(leaf)].map(({ body }) => body);
    const nearest = (key: string): unknown => {
      const node = bodies.map((body) => find(body, key)).find((one) => one !== undefined);
      return node === undefined ? undefined : toValue(node);
    };
    const former = textOf(find(leaf.body, 'skipError'));
    const onError =
      textOf(find(leaf.body, 'onError')) ?? (former === undefined ? nearest('onError') : former === 'enforce' ? 'stop' : 'skip');
    const behaviour = {
      onError,
      timeout: nearest('timeout'),
      retry: nearest('retry') as Retry | undefined,
      keep: nearest('keep'),
      when: allOf(this.#works.get(leaf)?.conditions ?? []),
    };
    return Object.fromEntries(Object.entries(behaviour).filter(([, value]) => value !== undefined));
  }

  #finish(draft: WorkflowDraft, name: string): WorkflowSpec {
    const { node, file } = this.#collected;
    const facts = { title: textOf(find(node, 'title')), description: textOf(find(node, 'description')) };
    const variables = Object.fromEntries(file.variables.values());
    let spec: WorkflowSpec | undefined;
    try {
      spec = draft.finish({ ...(Object.fromEntries(Object.entries(facts).filter(([, text]) => text !== undefined)) as object), variables });
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      this.#takeOver(error.faults);
    }
    if (spec !== undefined && this.#faults.count === 0) return spec;
    throw new DefinitionError(`Definition of workflow '${name}'`, this.#faults.sorted());
  }

  /** What the draft finds, it finds too: but for cycles and conflicts, the file was asked already. */
  #takeOver(found: readonly Fault[]): void {
    const ours = new Set(['PORT_UNBOUND', 'PORT_UNKNOWN', 'STEP_UNKNOWN', 'DUPLICATE_NAME', 'BINDING_INVALID', 'DEFINITION_INVALID']);
    const others = found.filter(({ code }) => !ours.has(code));
    for (const fault of others.length > 0 || this.#faults.count > 0 ? others : found)
      this.#faults.push(...placed(fault, [...this.#works.values()]));
  }
}

/** In the place of a processor that is not known: it has no ports. */
function unknownProcessor({ called, at }: Leaf): ProcessorSpec {
  return { class: UnknownProcessor, name: called, tags: [], inputs: [], outputs: [], hasAction: false, where: whereOf(at) };
}
class UnknownProcessor {}
