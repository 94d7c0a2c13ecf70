import { isBinding, link, type AnyBinding } from '../../binding/binding.js';
import { DefinitionError, nearestName, suggestName, type Fault } from '../../errors.js';
import type { InputSpec, ProcessorSpec } from '../../metadata/spec.js';
import type { Retry } from '../../types.js';
import { placeOf, toBinding } from '../places.js';
import { WorkflowDraft, type StepDraft } from '../draft.js';
import type { StepBehaviour, WorkflowSpec } from '../spec.js';
import type { Collected } from './collect.js';
import { findItem, leavesOf, namesIn, type Block, type Item, type Leaf, type WrittenBinding } from './item.js';
import { find, findEntry, itemsOf, textOf, toValue } from './node.js';
import { BindingReader, type OutputRef } from './read-binding.js';
import { readParams } from './read-params.js';
import { allOf, readConditions, type Condition } from './read-when.js';
import { whereOf, type At, type Faults } from './source.js';

/** A step while it is put together. */
interface Work {
  readonly leaf: Leaf;
  /** By property. */
  readonly bind: Record<string, unknown>;
  /** Properties whose binding is at fault: nothing more is said of them. */
  readonly excused: Set<string>;
  /** Where the file says what a port is bound to, by property. */
  readonly places: Map<string, At>;
  readonly after: Set<string>;
  /** Written in the file, or made for a plain list. */
  linked: boolean;
  conditions: readonly Condition[];
}

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
    for (const work of this.#works.values()) this.#order(work);
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
    const { processor, name, at } = leaf;
    if (processor === undefined) return;
    for (const port of [...processor.inputs, ...processor.outputs]) {
      if (port.optional || port.binding !== undefined || bind[port.property] !== undefined || excused.has(port.property)) continue;
      if (port.kind === 'output' && this.#read.has(`${name}.${port.name}`)) continue;
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

  /* ── order ── */

  #order(work: Work): void {
    const { leaf, after } = work;
    this.#linkPlain(work);
    const depends = find(leaf.body, 'depends');
    if (depends !== undefined) for (const item of this.#dependsOf(leaf)) after.add(item.name);
    const chained = depends === undefined && !work.linked ? leaf.previous : undefined;
    if (chained !== undefined) after.add(chained.name);
    else this.#orderByBlocks(work, depends === undefined && !work.linked);
  }

  /** The first of a group comes after what the group comes after. */
  #orderByBlocks({ leaf, after }: Work, chain: boolean): void {
    for (const block of blocksAround(leaf)) {
      if (find(block.body, 'depends') !== undefined) {
        for (const item of this.#dependsOf(block)) after.add(item.name);
        return;
      }
      if (block.previous !== undefined) {
        if (chain) after.add(block.previous.name);
        return;
      }
    }
  }

  #dependsOf(item: Item): Item[] {
    const file = outerFile(item);
    return itemsOf(find(item.body, 'depends')).flatMap((node) => {
      const name = textOf(node) ?? '';
      const found = findItem(this.#collected.byName, file, item.parent, name) ?? byNumber(name, file);
      if (found !== undefined) return [found];
      this.#faults.add(node.at, {
        code: 'STEP_UNKNOWN',
        message: `'${item.name}' depends on '${name}', but there is no such step`,
        path: [item.name, name],
        fix: suggestName(name, namesIn(this.#collected.byName, file, item.parent)),
      });
      return [];
    });
  }

  /** A step passes its result to the next one, where each has one port to do so. */
  #linkPlain(work: Work): void {
    const { leaf, bind, excused } = work;
    const needed = (leaf.processor?.inputs ?? []).filter(({ optional }) => !optional);
    const [input] = needed;
    if (
      input === undefined ||
      needed.length > 1 ||
      input.binding !== undefined ||
      bind[input.property] !== undefined ||
      excused.has(input.property)
    )
      return;
    const before = sourceOfPlainList(leaf, this.#collected);
    if (before === undefined) return;
    if (before.processor === undefined) {
      excused.add(input.property);
      return;
    }
    const [output] = before.processor.outputs;
    if (output === undefined || before.processor.outputs.length > 1 || output.schema !== input.schema) return;
    bind[input.property] = link(before.name, output.name);
    this.#read.add(`${before.name}.${output.name}`);
    work.linked = true;
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
    for (const fault of others.length > 0 || this.#faults.count > 0 ? others : found) this.#faults.push(...this.#placed(fault));
  }

  /** Where a fault of several steps stands in the file. */
  #placed(fault: Fault): [Fault, At | undefined] {
    if (fault.code === 'BINDING_CONFLICT') {
      const places = this.#conflicting(fault.path ?? []);
      return [{ ...fault, where: places.map(whereOf) }, places[0]];
    }
    const leaves = [...this.#works.keys()].filter(({ at }) => fault.where.includes(whereOf(at)));
    const where = fault.code === 'WORKFLOW_CYCLE' ? [...fault.where.slice(-1), ...fault.where.slice(0, -1)] : fault.where;
    return [{ ...fault, where }, leaves[0]?.at];
  }

  /** Where the steps of these names bind the one place that all of them write; a port's own default has no line. */
  #conflicting(names: readonly string[]): At[] {
    const writers = [...this.#works.values()].filter(({ leaf }) => names.includes(leaf.name));
    const written = writers.map(({ leaf: { processor }, bind }) =>
      (processor?.outputs ?? []).flatMap(({ property, binding }) => {
        const key = placeOf(toBinding(bind[property] ?? binding), property, (store) => store)?.key;
        return key === undefined ? [] : [{ key, property }];
      }),
    );
    const shared = written[0]?.find(({ key }) => written.every((places) => places.some((one) => one.key === key)))?.key;
    return writers.map(({ leaf, places }, index) => {
      const property = written[index]?.find(({ key }) => key === shared)?.property;
      return places.get(property ?? '') ?? leaf.at;
    });
  }
}

/** What a file binds, and in its place what a file around it does; by port. */
function writtenBindings(leaf: Leaf): Map<string, WrittenBinding> {
  const bind = find(leaf.body, 'bind');
  const own = (bind?.kind === 'map' ? bind.entries : []).map(({ key, at, value }): [string, WrittenBinding] => [
    key,
    { at, value, file: leaf.file, from: leaf.parent },
  ]);
  const all = new Map(own);
  for (const block of blocksAround(leaf)) {
    const override = block.overrides.get(leaf.name.slice(block.name.length + 1));
    for (const { key, at, value } of override?.entries ?? []) all.set(key, { at, value, file: outerFile(block), from: block.parent });
  }
  return all;
}

/** From the innermost out. */
function blocksAround({ parent }: Item): Block[] {
  const blocks: Block[] = [];
  for (let block = parent; block !== undefined; block = block.parent) blocks.push(block);
  return blocks;
}

/** The file that an item's own keys stand in: that of a workflow within is the one around it. */
function outerFile(item: Item): Leaf['file'] {
  return item.kind === 'workflow' ? item.outer : item.file;
}

/** The step whose result a step reads where nothing else is said: the one before it, or the one that it depends on. */
function sourceOfPlainList(leaf: Leaf, { byName }: Collected): Leaf | undefined {
  const depends = find(leaf.body, 'depends');
  if (depends !== undefined) {
    const [only, second] = itemsOf(depends).map((node) => textOf(node) ?? '');
    const item =
      only === undefined || second !== undefined
        ? undefined
        : (findItem(byName, leaf.file, leaf.parent, only) ?? byNumber(only, leaf.file));
    return item === leaf ? undefined : lastOf(item);
  }
  for (let item: Item = leaf; ; item = item.parent) {
    if (item.previous !== undefined) return lastOf(item.previous);
    if (item.parent === undefined || item.parent.kind === 'workflow' || find(item.parent.body, 'depends') !== undefined) return undefined;
  }
}

function lastOf(item: Item | undefined): Leaf | undefined {
  if (item === undefined || item.kind === 'step') return item;
  return item.kind === 'group' ? lastOf(item.items.at(-1)) : undefined;
}

/** As flowtask counts: `Import_2` is the second step of the file, if it is an Import; so is `2`. */
function byNumber(name: string, { numbered }: Leaf['file']): Item | undefined {
  const [, called, digits] = /^(?:(.+)_)?(\d+)$/.exec(name) ?? [];
  const item = digits === undefined ? undefined : numbered.get(Number(digits));
  return item?.kind === 'step' && (called === undefined || item.called === called) ? item : undefined;
}

/** In the place of a processor that is not known: it has no ports. */
function unknownProcessor({ called, at }: Leaf): ProcessorSpec {
  return { class: UnknownProcessor, name: called, tags: [], inputs: [], outputs: [], hasAction: false, where: whereOf(at) };
}
class UnknownProcessor {}
