import { resolve } from 'node:path';
import { collection, file as fileBinding, link, parseBinding, refuseCollectionName } from '../../binding/binding.js';
import { MillraceError, nearestName, suggestName } from '../../errors.js';
import type { InputSpec, OutputSpec } from '../../metadata/spec.js';
import { parseFileTarget, unknownFormat } from '../../storage/files/format.js';
import type { Class } from '../../types.js';
import { columnsOf } from '../../validation/columns.js';
import { findItem, namesIn, type Item, type Leaf, type WrittenBinding } from './item.js';
import { bindings } from './keys.js';
import { describeNode, find, textOf, toValue, type MapNode, type Node } from './node.js';
import { spelled } from './read-shape.js';
import type { At, Faults } from './source.js';
import { toTyped } from './typed.js';

/** An output that something reads. */
export interface OutputRef {
  readonly leaf: Leaf;
  /** Undefined where the step's processor is not known. */
  readonly port: OutputSpec | undefined;
}

/** Reads what ports are bound to. */
export class BindingReader {
  /** Outputs, as `step.port`, that a link may mean which names none: it is told, and they are not said to be unbound. */
  readonly meant = new Set<string>();
  readonly #items: ReadonlyMap<string, Item>;
  readonly #faults: Faults;

  constructor(items: ReadonlyMap<string, Item>, faults: Faults) {
    this.#items = items;
    this.#faults = faults;
  }

  /** The binding as `bind` of a step takes it; undefined where it is at fault, which is told. `onLink` hears of a link. */
  read(written: WrittenBinding, port: InputSpec | OutputSpec, onLink: (output: OutputRef) => void): unknown {
    const isLink = written.value.kind === 'map' && find(written.value, 'from') !== undefined;
    const filled = isLink ? written.value : written.file.variables.expand(written.value);
    const node = filled === undefined || filled === written.value ? filled : spelled(filled);
    if (node === undefined) return undefined;
    if (node.kind === 'map') return this.#map(written, node, port, onLink);
    if (node.kind === 'list')
      return port.kind === 'input'
        ? this.#rows(node.items, port.schema)
        : this.#refuse(node, port, 'an output takes a collection or a file');
    if (typeof node.value !== 'string' || node.value.trim() === '')
      return this.#refuse(node, port, 'a collection, a file, rows or a link is expected');
    return this.text(node.value, node.at, written.file.folder);
  }

  /** `prices`, `prices@warehouse`, `file:prices.csv`. */
  text(text: string, at: At, folder: string): unknown {
    const binding = parseBinding(text, folder);
    if (binding.kind === 'file') return this.#checkFile(text.slice('file:'.length), at, folder) ? binding : undefined;
    const problem = binding.kind === 'collection' ? refuseCollectionName(binding.name) : undefined;
    if (problem === undefined) return binding;
    this.#faults.add(at, {
      code: 'BINDING_INVALID',
      message: problem,
      fix: "Write a collection ('prices', 'prices@store') or a file ('file:prices.csv').",
    });
    return undefined;
  }

  /** The output that 'Step.port' means. */
  output(node: Node | undefined, { file, from }: Pick<WrittenBinding, 'file' | 'from'>): OutputRef | undefined {
    const text = textOf(node);
    if (node === undefined || text === undefined) return undefined;
    const dot = text.lastIndexOf('.');
    const [step, portName] = dot < 0 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)];
    const item = findItem(this.#items, file, from, step) ?? (portName === undefined ? undefined : findItem(this.#items, file, from, text));
    if (item === undefined) {
      const known = namesIn(this.#items, file, from);
      this.#mean(findItem(this.#items, file, from, nearestName(step, known) ?? ''));
      this.#faults.add(node.at, {
        code: 'STEP_UNKNOWN',
        message: `'${text}': there is no step '${step}'`,
        path: [step],
        fix: suggestName(step, known),
      });
      return undefined;
    }
    if (item.kind !== 'step') {
      const inner = item.items.map(({ name }) => name.slice(file.prefix.length));
      this.#faults.add(node.at, {
        code: 'STEP_UNKNOWN',
        message: `'${text}': '${step}' is a ${item.kind === 'group' ? 'group' : 'workflow'}, and a step is expected`,
        path: [step],
        fix: inner.length === 0 ? 'Name a step.' : `Name one of its steps, like '${inner.at(-1) ?? ''}.${portName ?? 'port'}'.`,
      });
      return undefined;
    }
    if (item.processor === undefined) return { leaf: item, port: undefined };
    const outputs = item.processor.outputs.map(({ name }) => name);
    const port = item.processor.outputs.find(({ name }) => name === portName);
    if (port !== undefined) return { leaf: item, port };
    this.#mean(item);
    const what =
      portName === undefined || item.name.endsWith(text)
        ? `'${text}' names a step and no output of it`
        : `'${text}': step '${step}' has no output '${portName}'`;
    const first = outputs[0];
    const fix =
      portName === undefined && first !== undefined
        ? `Write '${text}.${first}'${outputs.length > 1 ? `, or another of: ${outputs.slice(1).join(', ')}` : ''}.`
        : suggestName(portName ?? '', outputs);
    this.#faults.add(node.at, { code: 'PORT_UNKNOWN', message: what, path: [item.name, portName ?? ''], fix });
    return undefined;
  }

  #mean(item: Item | undefined): void {
    if (item?.kind === 'step') for (const { name } of item.processor?.outputs ?? []) this.meant.add(`${item.name}.${name}`);
  }

  #map(written: WrittenBinding, node: MapNode, port: InputSpec | OutputSpec, onLink: (output: OutputRef) => void): unknown {
    const { file } = written;
    const kind = (['from', 'collection', 'file'] as const).find((key) => find(node, key) !== undefined);
    if (kind === undefined) return this.#row(node, port);
    const read = file.reader.object(node, bindings[kind], port.name);
    if (read === undefined || node.entries.length !== read.entries.length) return undefined;
    if (kind === 'from') return this.#link(written, read, port, onLink);
    const { [kind]: named, ...options } = toValue(read) as Record<string, unknown>;
    this.#checkOptions(read, port, kind, options);
    if (kind === 'collection') {
      const checked = this.text(String(named), node.at, file.folder);
      return checked === undefined ? undefined : collection(String(named), options);
    }
    const path = String(named);
    if (!this.#checkFile(path, node.at, file.folder, options['format'] !== undefined)) return undefined;
    return fileBinding(path.startsWith('//') ? path : resolve(file.folder, path), options);
  }

  /** Options of the other kind of port would do nothing, and an upsert has a key. */
  #checkOptions(
    node: MapNode,
    port: InputSpec | OutputSpec,
    kind: 'collection' | 'file',
    options: Readonly<Record<string, unknown>>,
  ): void {
    const foreign = port.kind === 'input' ? ['mode', 'key', 'overwrite'] : ['filter', 'sort', 'projection', 'skip', 'limit', 'pipeline'];
    for (const { key, at } of node.entries) {
      if (!foreign.includes(key)) continue;
      const message = `${port.kind} '${port.name}' takes no '${key}'`;
      const fix = `Leave it out: it says how a collection or file is ${port.kind === 'input' ? 'written' : 'read'}.`;
      this.#faults.add(at, { code: 'BINDING_INVALID', message, path: [port.name], fix });
    }
    if (port.kind === 'input' || kind === 'file' || (options['mode'] ?? port.mode) !== 'upsert') return;
    if ((options['key'] ?? port.key) !== undefined) return;
    const message = `output '${port.name}': mode 'upsert' needs a key`;
    const fix = 'Give `key`: the properties that identify a row.';
    this.#faults.add(find(node, 'mode')?.at ?? node.at, { code: 'BINDING_INVALID', message, path: [port.name], fix });
  }

  #link(written: WrittenBinding, node: MapNode, port: InputSpec | OutputSpec, onLink: (output: OutputRef) => void): unknown {
    const from = find(node, 'from');
    if (port.kind === 'output') return this.#refuse(node, port, 'a link leads from an output to an input');
    const output = this.output(from, written);
    if (output === undefined) return undefined;
    onLink(output);
    if (output.port === undefined) return undefined;
    const { schema } = output.port;
    if (schema !== undefined && port.schema !== undefined && schema !== port.schema) {
      const at = from?.at ?? node.at;
      const message = `input '${port.name}' takes rows of ${port.schema.name}, and '${textOf(from) ?? ''}' gives rows of ${schema.name}`;
      this.#faults.add(at, {
        code: 'BINDING_INVALID',
        message,
        path: [port.name],
        fix: 'Link an output of the same schema, or put a step between that makes one of the other.',
      });
      return undefined;
    }
    return link(output.leaf.name, output.port.name);
  }

  #rows(items: readonly Node[], schema: Class | undefined): unknown {
    const rows = items.map((item) => {
      if (item.kind === 'map') return toTyped(item, schema).value;
      this.#faults.add(item.at, {
        code: 'BINDING_INVALID',
        message: `a row is a map, and this is ${describeNode(item)}`,
        fix: 'Write each row as { name: value, … }.',
      });
      return undefined;
    });
    return rows.includes(undefined) ? undefined : rows;
  }

  /** One row, where it can be nothing else. */
  #row(node: MapNode, port: InputSpec | OutputSpec): unknown {
    const properties = port.schema === undefined ? undefined : new Set(columnsOf(port.schema).map(({ name }) => name));
    const keys = Object.keys(bindings);
    const mistyped = node.entries.find(
      ({ key }) => properties?.has(key) !== true && (properties !== undefined || nearestName(key, keys) !== undefined),
    );
    if (port.kind === 'input' && mistyped === undefined && node.entries.length > 0) return [toTyped(node, port.schema).value];
    const { key, at } = mistyped ?? node.entries[0] ?? { key: '', at: node.at };
    const message = `${port.kind} '${port.name}' is bound to ${describeNode(node)}: that is neither a link, a collection, a file nor a row`;
    this.#faults.add(at, { code: 'BINDING_INVALID', message, path: [port.name], fix: suggestName(key, keys) });
    return undefined;
  }

  #refuse(node: Node, port: InputSpec | OutputSpec, why: string): undefined {
    this.#faults.add(node.at, {
      code: 'BINDING_INVALID',
      message: `${port.kind} '${port.name}' cannot be bound to ${describeNode(node)}: ${why}`,
      path: [port.name],
      fix:
        port.kind === 'input'
          ? "Write a collection ('prices'), a file ('file:prices.csv'), { from: Step.port } or a list of rows."
          : "Write a collection ('prices') or a file ('file:prices.csv').",
    });
    return undefined;
  }

  #checkFile(target: string, at: At, folder: string, hasFormat = false): boolean {
    try {
      const { path, format } = parseFileTarget(target, folder);
      if (format !== undefined || hasFormat) return true;
      const { code, message, fix } = unknownFormat(path);
      this.#faults.add(at, { code, message, fix });
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.#faults.add(at, { code: error.code, message: error.message, fix: "Write 'file:' and a path, like 'file:data/prices.csv'." });
    }
    return false;
  }
}
