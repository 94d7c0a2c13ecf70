import { dirname, resolve } from 'node:path';
import { suggestName } from '../../errors.js';
import type { ProcessorSpec } from '../../metadata/spec.js';
import { columnsOf } from '../../validation/columns.js';
import { commandSpec } from '../command.js';
import type { FileScope, Block, Item, Leaf } from './item.js';
import { formerComponents, formerFamily } from './former.js';
import { commandStep, groupStep, processorStep, root as rootShape, workflowStep } from './keys.js';
import type { LoadedFile, LoadedFiles } from './load-files.js';
import { describeNode, find, findEntry, itemsOf, textOf, toValue, type MapNode, type Node } from './node.js';
import { ShapeReader } from './read-shape.js';
import { regroup } from './regroup.js';
import type { ObjectShape } from './shape.js';
import { whereOf, type At, type Faults } from './source.js';
import { refuseTimezone } from './dates.js';
import { Variables, type Surroundings } from './variables.js';
import { readWritten, type WrittenStep } from './written-step.js';

/** Steps of a workflow, those of workflows within included. */
const mostSteps = 20_000;

export interface CollectOptions {
  readonly files: LoadedFiles;
  readonly processors: ReadonlyMap<string, ProcessorSpec>;
  readonly around: Surroundings;
  /** Of the run, or else of the loader: in place of what files declare. */
  readonly variables: ReadonlyMap<string, unknown>;
  readonly faults: Faults;
}

/** A file, and what its texts are filled with. */
export interface Opened {
  readonly loaded: LoadedFile;
  readonly file: FileScope;
  /** With its keys checked. */
  readonly node: MapNode;
  readonly timezone: string;
  /** In place of the variables that it declares. */
  readonly given: ReadonlyMap<string, unknown>;
}

/** What a file says, name by name: its steps with their processors, and those of the files that it names. */
export interface Collected extends Opened {
  readonly items: readonly Item[];
  readonly byName: ReadonlyMap<string, Item>;
  /** The files of workflows within. */
  readonly within: readonly Opened[];
}

/** Finds every step of a definition; what is wrong with their names and keys is told. */
export class Collector {
  readonly #options: CollectOptions;
  readonly #faults: Faults;
  readonly #byName = new Map<string, Item>();
  readonly #within: Opened[] = [];
  readonly #shapes = new Map<ProcessorSpec, ObjectShape>();
  /** There are too many of them, and that is told. */
  #isTold = false;

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#faults = options.faults;
  }

  collect(loaded: LoadedFile): Collected | undefined {
    const opened = this.#open(loaded, '', this.#options.variables);
    if (opened === undefined) return undefined;
    const items = this.#steps(opened.node, opened.file, undefined);
    return this.#isTold ? undefined : { ...opened, items, byName: this.#byName, within: this.#within };
  }

  #open(loaded: LoadedFile, prefix: string, given: ReadonlyMap<string, unknown>): Opened | undefined {
    const { node, path } = loaded;
    const faults = this.#faults;
    const checked = new ShapeReader(faults, undefined).object(node, withoutEvents, 'definition');
    if (checked === undefined) return undefined;
    const timezone = this.#timezone(find(checked, 'timezone'));
    const declared = find(checked, 'variables');
    const variables = new Variables(
      { at: node.at, variables: declared?.kind === 'map' ? declared : undefined, timezone },
      given,
      this.#options.around,
      faults,
    );
    variables.values(); // an unknown name is a fault where no step asks for it, too
    const tags = itemsOf(find(checked, 'tags')).flatMap((tag) => textOf(tag) ?? []);
    const file = { folder: dirname(path), prefix, variables, reader: new ShapeReader(faults, variables), tags, numbered: new Map() };
    return { loaded, file, node: checked, timezone, given };
  }

  #timezone(node: Node | undefined): string {
    const name = textOf(node);
    if (node === undefined || name === undefined) return 'UTC';
    const known = refuseTimezone(name);
    if (known === undefined) return name;
    this.#faults.invalid(node.at, `'${name}' is no time zone`, suggestName(name, known));
    return 'UTC';
  }

  /** The items below `steps`. */
  #steps(owner: MapNode, file: FileScope, parent: Block | undefined): Item[] {
    const entry = findEntry(owner, 'steps');
    if (entry === undefined) return [];
    if (entry.value.kind !== 'list') {
      this.#faults.invalid(
        entry.value.at,
        `'steps' is ${describeNode(entry.value)}, and a list is expected`,
        'Write each step on a line that begins with a dash.',
      );
      return [];
    }
    const written = regroup(
      entry.value.items.flatMap((node, index) => readWritten(node, parent?.kind === 'group' ? undefined : index + 1, this.#faults) ?? []),
      this.#faults,
    );
    if (written.length === 0 && entry.value.items.length === 0)
      this.#faults.invalid(
        entry.value.at,
        parent === undefined ? 'the workflow has no step' : `group '${parent.name}' has no step`,
        'Add one.',
      );
    const items: Item[] = parent?.items ?? [];
    for (const step of written) {
      if (this.#isFull(step.at)) break;
      const item = this.#item(step, file, parent, items.at(-1));
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  /** Whether there are as many steps as one workflow may have: files that name each other twice are doubled by each level. */
  #isFull(at: At): boolean {
    if (this.#byName.size < mostSteps) return false;
    if (!this.#isTold)
      this.#faults.invalid(at, `the workflow has more than ${mostSteps.toLocaleString('en')} steps`, 'Cut it into several.');
    this.#isTold = true;
    return true;
  }

  #item(step: WrittenStep, file: FileScope, parent: Block | undefined, previous: Item | undefined): Item | undefined {
    if (step.key === 'group') return this.#group(step, file, parent, previous);
    if (step.key === 'workflow') return this.#workflow(step, file, parent, previous);
    const shape = step.key === 'command' ? commandStep : this.#shapeOf(step.key);
    const body = file.reader.object(step.body, shape, step.key) ?? { ...step.body, entries: [] };
    const name = this.#name(body, step.key === 'command' ? 'command' : step.key, file, parent);
    const processor = step.key === 'command' ? this.#command(body, file, name, step.at) : this.#processor(step);
    const detail = step.key === 'command' ? { detail: JSON.stringify(['command', 'args', 'cwd'].map((key) => valueAt(body, key))) } : {};
    this.#refuseBoth(body);
    const leaf = this.#take({
      kind: 'step',
      file,
      name,
      at: step.at,
      body,
      written: step.body,
      parent,
      previous,
      processor,
      called: step.key,
      ...detail,
    });
    if (step.number !== undefined) file.numbered.set(step.number, leaf);
    return leaf;
  }

  /** What a step of a processor may say; where its ports and parameters stand in place of keys, it is told where they belong. */
  #shapeOf(key: string): ObjectShape {
    const processor = this.#options.processors.get(key);
    if (processor === undefined) return processorStep;
    let shape = this.#shapes.get(processor);
    if (shape === undefined) {
      const ports = [...processor.inputs, ...processor.outputs].map(({ name }) => [name, `Write \`bind: { ${name}: … }\`.`]);
      const params = processor.params === undefined ? [] : columnsOf(processor.params.schema);
      const former = Object.fromEntries([...ports, ...params.map(({ name }) => [name, `Write \`params: { ${name}: … }\`.`])]) as object;
      this.#shapes.set(processor, (shape = { ...processorStep, former: { ...processorStep.former, ...former } }));
    }
    return shape;
  }

  #refuseBoth(body: MapNode): void {
    const former = findEntry(body, 'skipError');
    if (former !== undefined && find(body, 'onError') !== undefined)
      this.#faults.invalid(former.at, '`skipError` and `onError` say the same', 'Leave `skipError` out.');
  }

  #group(step: WrittenStep, file: FileScope, parent: Block | undefined, previous: Item | undefined): Item | undefined {
    const body = step.former ? step.body : file.reader.object(step.body, groupStep, 'group');
    if (body === undefined) return undefined;
    const group: Block = {
      kind: 'group',
      file,
      outer: file,
      name: this.#name(body, 'group', file, parent),
      at: step.at,
      body,
      written: step.body,
      parent,
      previous,
      items: [],
      overrides: new Map(),
    };
    this.#take(group);
    if (!step.former) this.#steps(body, file, group);
    for (const member of step.members) {
      const item = this.#item(member, file, group, group.items.at(-1));
      if (item !== undefined) group.items.push(item);
    }
    return group;
  }

  #workflow(step: WrittenStep, file: FileScope, parent: Block | undefined, previous: Item | undefined): Item | undefined {
    const body = file.reader.object(step.body, workflowStep, 'workflow');
    const path = find(body, 'path');
    const loaded = this.#options.files.named(path);
    if (body === undefined || loaded === undefined) return undefined; // told when it was loaded
    const own = textOf(find(loaded.node, 'name')) ?? 'workflow';
    const name = this.#name(body, own, file, parent);
    const variables = find(body, 'variables');
    const given = new Map([
      ...(variables?.kind === 'map' ? variables.entries.map(({ key, value }) => [key, toValue(value)] as const) : []),
      ...this.#options.variables,
    ]);
    const opened = this.#open(loaded, `${name}/`, given);
    const binds = find(body, 'bind');
    const overrides = new Map(
      (binds?.kind === 'map' ? binds.entries : []).flatMap(({ key, value }) => (value.kind === 'map' ? [[key, value] as const] : [])),
    );
    const block: Block = {
      kind: 'workflow',
      file: opened?.file ?? file,
      outer: file,
      name,
      at: step.at,
      body,
      written: step.body,
      parent,
      previous,
      items: [],
      overrides,
    };
    this.#take(block);
    if (opened === undefined) return block;
    this.#within.push(opened);
    this.#steps(opened.node, opened.file, block);
    if (overrides.size === 0) return block;
    const inner = new Set(block.items.flatMap(namesBelow).map((one) => one.slice(name.length + 1)));
    for (const entry of binds?.kind === 'map' ? binds.entries : []) {
      if (!inner.has(entry.key))
        this.#faults.add(entry.at, {
          code: 'STEP_UNKNOWN',
          message: `workflow '${name}' has no step '${entry.key}'`,
          path: [name, entry.key],
          fix: suggestName(entry.key, inner),
        });
    }
    return block;
  }

  #name(body: MapNode, fallback: string, file: FileScope, parent: Block | undefined): string {
    const node = find(body, 'name');
    const written = textOf(node) ?? fallback;
    if (written.includes('/'))
      this.#faults.invalid(
        (node ?? body).at,
        `'${written}' is no name for a step: a '/' stands between a group and its steps`,
        node === undefined ? 'Give it a `name` without one.' : "Leave the '/' out.",
      );
    return `${parent === undefined ? file.prefix : `${parent.name}/`}${written}`;
  }

  #take(item: Leaf): Leaf;
  #take(item: Block): Block;
  #take(item: Item): Item {
    const twin = this.#byName.get(item.name);
    if (twin === undefined) this.#byName.set(item.name, item);
    else {
      const message = `two steps are named '${item.name}'`;
      this.#faults.add(item.at, {
        code: 'DUPLICATE_NAME',
        message,
        where: [whereOf(twin.at)],
        path: [item.name],
        fix: 'Give one of them a `name` of its own.',
      });
    }
    return item;
  }

  #processor({ key, at }: WrittenStep): ProcessorSpec | undefined {
    const { processors } = this.#options;
    const found = processors.get(key);
    if (found !== undefined) return found;
    const remedy = Object.hasOwn(formerComponents, key) ? formerComponents[key] : undefined;
    const known = [...processors.keys(), 'command', 'group', 'workflow'];
    this.#faults.add(at, {
      code: 'PROCESSOR_UNKNOWN',
      message: `no processor is named '${key}'`,
      path: [key],
      fix: remedy ?? (formerFamily.test(key) ? 'Write a class with @Processor that does it.' : suggestName(key, known)),
    });
    return undefined;
  }

  #command(body: MapNode, file: FileScope, name: string, at: At): ProcessorSpec | undefined {
    const command = textOf(find(body, 'command'));
    if (command === undefined) return undefined; // told with its keys
    const args = itemsOf(find(body, 'args')).map((arg) => String(toValue(arg)));
    const env = find(body, 'env');
    const given = env?.kind === 'map' ? { env: toValue(env) as Record<string, string> } : {};
    return commandSpec({ command, args, cwd: resolveFolder(file, textOf(find(body, 'cwd'))), ...given }, name, whereOf(at));
  }
}

function namesBelow(item: Item): string[] {
  return item.kind === 'step' ? [item.name] : item.items.flatMap(namesBelow);
}

function valueAt(body: MapNode, key: string): unknown {
  const node = find(body, key);
  return node === undefined ? null : toValue(node);
}

export function resolveFolder(file: FileScope, folder: string | undefined): string {
  return folder === undefined ? file.folder : resolve(file.folder, folder);
}

/** Events are read when something happens. */
const withoutEvents: ObjectShape = { ...rootShape, keys: { ...rootShape.keys, events: { shape: { kind: 'any' }, description: '' } } };
