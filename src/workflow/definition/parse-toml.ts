import { toError } from '../../errors.js';
import type { AST } from 'toml-eslint-parser';
import { refuseInexact } from './exact-number.js';
import type { Entry, Node, ScalarNode } from './node.js';
import type { At, Faults, Source } from './source.js';
import { toMap, TreeBudget } from './tree.js';

/** TOML 1.0. */
export async function parseToml(source: Source, faults: Faults): Promise<Node | undefined> {
  const { parseTOML } = await import('toml-eslint-parser');
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(source.text, { tomlVersion: '1.0' });
  } catch (thrown) {
    const { index = 0 } = thrown as { readonly index?: number };
    faults.invalid(
      { source, offset: index },
      `this is no TOML: ${toError(thrown).message}`,
      'Write it as TOML 1.0 does: one key = value a line, text in double quotes.',
    );
    return undefined;
  }
  return new TomlTree(source, faults).root(program.body[0]);
}

/** A table while it is filled: TOML says of one table in several places. */
interface Table {
  readonly at: At;
  readonly entries: Map<string, { readonly at: At; value: Table | Table[] | Node }>;
}

class TomlTree {
  readonly #source: Source;
  readonly #faults: Faults;
  readonly #budget: TreeBudget;

  constructor(source: Source, faults: Faults) {
    this.#source = source;
    this.#faults = faults;
    this.#budget = new TreeBudget(faults);
  }

  root({ body }: AST.TOMLTopLevelTable): Node | undefined {
    const root: Table = { at: { source: this.#source, offset: 0 }, entries: new Map() };
    for (const part of body) {
      if (part.type === 'TOMLKeyValue') this.#assign(root, part);
      else {
        const table = this.#open(root, part);
        for (const pair of part.body) this.#assign(table, pair);
      }
    }
    const made = this.#toNode(root, 0);
    return this.#budget.spent ? undefined : made;
  }

  /** The table that `[a.b]` or `[[a.b]]` begins. */
  #open(root: Table, { key, kind, range }: AST.TOMLTable): Table {
    const names = key.keys;
    const at = this.#at(range[0]);
    const parent = names.slice(0, -1).reduce((table, name) => this.#step(table, name), root);
    const last = names.at(-1);
    if (last === undefined) return root;
    const name = keyText(last);
    const before = parent.entries.get(name)?.value;
    if (kind !== 'array') return this.#step(parent, last);
    const table: Table = { at, entries: new Map() };
    if (Array.isArray(before)) before.push(table);
    else parent.entries.set(name, { at: this.#at(last.range[0]), value: [table] });
    return table;
  }

  /** The table below a name, made where there is none; of a list of tables the last. */
  #step(table: Table, key: AST.TOMLBare | AST.TOMLQuoted): Table {
    const name = keyText(key);
    const before = table.entries.get(name)?.value;
    if (Array.isArray(before)) return before.at(-1) ?? table;
    if (before !== undefined && 'entries' in before && before.entries instanceof Map) return before as Table;
    const made: Table = { at: this.#at(key.range[0]), entries: new Map() };
    table.entries.set(name, { at: made.at, value: made });
    return made;
  }

  #assign(table: Table, { key, value }: AST.TOMLKeyValue): void {
    const owner = key.keys.slice(0, -1).reduce((one, name) => this.#step(one, name), table);
    const last = key.keys.at(-1);
    if (last === undefined) return;
    owner.entries.set(keyText(last), { at: this.#at(last.range[0]), value: this.#content(value, 1) });
  }

  #content(node: AST.TOMLContentNode, depth: number): Node | Table {
    const at = this.#at(node.range[0]);
    if (node.type === 'TOMLInlineTable') {
      const table: Table = { at, entries: new Map() };
      for (const pair of node.body) this.#assign(table, pair);
      return table;
    }
    if (node.type === 'TOMLArray') {
      if (depth > 64) return nothing(at);
      return {
        kind: 'list',
        at,
        items: node.elements.map((element) => this.#toNode(this.#content(element, depth + 1), depth + 1) ?? nothing(at)),
      };
    }
    const [start, end] = node.range;
    const text = typeof node.value === 'string' ? node.value : this.#source.text.slice(start, end);
    // a time without a day is no moment: it is text
    const value = node.kind === 'local-time' ? text : node.value;
    return refuseInexact({ kind: 'scalar', at, end, value, text }, this.#faults);
  }

  #toNode(value: Table | Table[] | Node, depth: number): Node | undefined {
    if (Array.isArray(value)) {
      const at = value[0]?.at ?? this.#at(0);
      return this.#budget.take(at, depth)
        ? { kind: 'list', at, items: value.flatMap((table) => this.#toNode(table, depth + 1) ?? []) }
        : undefined;
    }
    if ('kind' in value) return this.#budget.take(value.at, depth) ? value : undefined;
    if (!this.#budget.take(value.at, depth)) return undefined;
    const entries = [...value.entries].flatMap(([key, entry]): Entry[] => {
      const inner = this.#toNode(entry.value, depth + 1);
      return inner === undefined ? [] : [{ key, at: entry.at, value: inner }];
    });
    return toMap(value.at, entries, this.#faults);
  }

  #at(offset: number): At {
    return { source: this.#source, offset };
  }
}

function keyText(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === 'TOMLBare' ? key.name : key.value;
}

function nothing(at: At): ScalarNode {
  return { kind: 'scalar', at, end: at.offset, value: null, text: '' };
}
