import { suggestName } from '../../errors.js';
import { dateNames, type DateName, type DateWriter } from './dates.js';
import { describeNode, fromValue, textOf, toValue, type ListNode, type MapNode, type Node, type ScalarNode } from './node.js';
import type { At, Faults } from './source.js';
import { parseTemplate, type Part } from './template.js';

/** What texts of a definition are filled with, besides the variables of its file. */
export interface Surroundings {
  readonly now: Date;
  readonly dates: DateWriter | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `{run:…}` says in the actions on events. */
  readonly run?: Readonly<Record<string, string>>;
}

/** Values are not looked at again for braces: only what a file says is. */
type Values = ReadonlyMap<string, unknown>;

const unresolved: unique symbol = Symbol('unresolved');
/** Variables that stand in each other, one in the next. */
const deepest = 64;
/** Characters of all texts that variables are filled into, a value counted as 64: variables that double each other reach it soon. */
const room = 1 << 24;
const shorter = 'Give some of the variables values of their own.';
/** Not the names of variables. */
const taken: readonly string[] = [...dateNames, 'env', 'run'];

/** The variables of one file: its own, and those in their place. */
export class Variables {
  readonly #at: At;
  readonly #declared: ReadonlyMap<string, { readonly at: At; readonly value: Node }>;
  readonly #given: Values;
  readonly #timezone: string;
  readonly #around: Surroundings;
  readonly #faults: Faults;
  readonly #known = new Map<string, Node | typeof unresolved>();
  readonly #open: string[] = [];
  /** What was filled in so far. */
  #filled = 0;

  constructor(
    file: { readonly at: At; readonly variables: MapNode | undefined; readonly timezone: string },
    given: Values,
    around: Surroundings,
    faults: Faults,
  ) {
    const entries = file.variables?.entries ?? [];
    this.#at = file.at;
    for (const { key, at } of entries) {
      if (taken.includes(key))
        faults.invalid(at, `'${key}' is no name for a variable: {${key}} has a meaning of its own`, 'Choose another name.');
      else if (!/^[A-Za-z_][\w.-]*$/.test(key))
        faults.invalid(at, `'${key}' is no name for a variable`, "Begin with a letter, and go on with letters, digits, '_', '-' and '.'.");
    }
    this.#declared = new Map(entries.map((entry) => [entry.key, entry]));
    this.#given = new Map([...given].filter(([, value]) => value !== undefined));
    this.#timezone = file.timezone;
    this.#around = around;
    this.#faults = faults;
  }

  /** Every value by name. */
  values(): ReadonlyMap<string, unknown> {
    const names = new Set([...this.#declared.keys(), ...this.#given.keys()]);
    return new Map([...names].map((name) => [name, this.find(name)]));
  }

  has(name: string): boolean {
    return this.#given.has(name) || this.#declared.has(name);
  }

  get names(): readonly string[] {
    return [...new Set([...this.#declared.keys(), ...this.#given.keys()])];
  }

  /** The variables that a node is filled with, and those that these are. */
  namesIn(node: Node, found = new Set<string>()): ReadonlySet<string> {
    if (node.kind === 'list') for (const item of node.items) this.namesIn(item, found);
    if (node.kind === 'map') for (const { value } of node.entries) this.namesIn(value, found);
    for (const part of parseTemplate(textOf(node) ?? '')) {
      if (part.kind !== 'reference' || found.has(part.name)) continue;
      found.add(part.name);
      const declared = this.#declared.get(part.name);
      if (declared !== undefined) this.namesIn(declared.value, found);
    }
    return found;
  }

  /** The value of a variable; undefined where it has none, or is at fault. */
  find(name: string): unknown {
    const node = this.#value(name);
    return node === undefined || node === unresolved ? undefined : toValue(node);
  }

  /** A node with every reference in its texts replaced; undefined where one is at fault, which is told. */
  expand(node: Node): Node | undefined {
    if (node.kind === 'scalar') return this.#scalar(node);
    const refused = new Set<Node>();
    const keep = (inner: Node): Node => {
      const expanded = this.expand(inner);
      if (expanded === undefined) refused.add(inner);
      return expanded ?? inner;
    };
    const made: ListNode | MapNode =
      node.kind === 'list'
        ? { ...node, items: node.items.map(keep) }
        : { ...node, entries: node.entries.map((entry) => ({ ...entry, value: keep(entry.value) })) };
    return refused.size === 0 ? made : undefined;
  }

  #scalar(node: ScalarNode): Node | undefined {
    if (typeof node.value !== 'string' || !node.value.includes('{')) return node;
    const parts = parseTemplate(node.value);
    const [only] = parts;
    if (parts.length === 1 && only?.kind === 'reference') {
      const value = this.#reference(node, only);
      return value === undefined || !this.#take(64 * sizeOf(value), node.at) ? undefined : moved(value, node);
    }
    let text: string | undefined = '';
    for (const part of parts) {
      const piece = this.#text(node, part);
      text = text === undefined || piece === undefined ? undefined : text + piece;
      if (!this.#take(piece?.length ?? 0, node.at)) return undefined;
    }
    return text === undefined ? undefined : { ...node, value: text, text };
  }

  #text(node: ScalarNode, part: Part): string | undefined {
    if (part.kind === 'text') return part.text;
    const at = placeOf(node, part.written);
    if (part.kind === 'mistake') return this.#faults.invalid(at, part.message, "Write {name} for a variable, and '{{' for a brace.");
    const value = this.#reference(node, part);
    if (value === undefined) return undefined;
    if (value.kind === 'scalar' && value.value !== null) return value.text;
    return this.#faults.invalid(
      at,
      `'${part.written}' is ${describeNode(value)}, which cannot stand within a text`,
      `Write "${part.written}" alone, or make it a text or a number.`,
    );
  }

  #reference(node: ScalarNode, { name, argument, written }: Part & { readonly kind: 'reference' }): Node | undefined {
    const at = placeOf(node, written);
    if (argument !== undefined || isDate(name)) return this.#special(node, at, name, argument);
    const value = this.#value(name);
    if (value === unresolved) return undefined; // told where it is declared
    if (value !== undefined) return value;
    if (name === 'env' || name === 'run')
      return this.#faults.invalid(at, `'{${name}}' names nothing`, name === 'env' ? 'Write {env:NAME}.' : 'Write {run:id}, in an action.');
    return this.#unknown(
      at,
      `variable '${name}'`,
      name,
      [...this.names, ...dateNames],
      'Declare it under `variables`, or give it when the workflow is loaded.',
    );
  }

  #special(node: ScalarNode, at: At, name: string, argument: string | undefined): Node | undefined {
    const { environment, run, dates, now } = this.#around;
    if (isDate(name)) {
      try {
        return fromValue(dates?.write(name, argument, now, this.#timezone) ?? '', at, node.end);
      } catch (thrown) {
        const said = thrown instanceof Error ? thrown.message : String(thrown);
        return this.#faults.invalid(
          at,
          `'${argument ?? ''}' is no format of a date: ${said}`,
          "Write it with Unicode's letters, like {today:yyyy-MM-dd}; text of its own stands in single quotes.",
        );
      }
    }
    if (name === 'env' && argument?.trim() === '')
      return this.#faults.invalid(at, `'{env:}' names nothing`, 'Write {env:NAME}, the name of a variable of the environment.');
    if (name === 'env') {
      const value = environment[argument ?? ''];
      if (value !== undefined) return fromValue(value, at, node.end);
      return this.#unknown(
        at,
        `environment variable '${argument ?? ''}'`,
        argument ?? '',
        Object.keys(environment),
        'Set it where the workflow runs.',
        true,
      );
    }
    if (name === 'run' && run !== undefined) {
      const value = Object.hasOwn(run, argument ?? '') ? run[argument ?? ''] : undefined;
      if (value !== undefined) return fromValue(value, at, node.end);
      return this.#unknown(at, `'{run:${argument ?? ''}}'`, argument ?? '', Object.keys(run), '');
    }
    if (name === 'run')
      return this.#faults.invalid(at, "'{run:…}' is known to the actions on events alone", 'Leave it out, or write it below `events`.');
    return this.#faults.invalid(
      at,
      `'{${name}:…}' has no meaning`,
      `Formats follow ${dateNames.map((one) => `{${one}:…}`).join(', ')}; {env:NAME} is a variable of the environment.`,
    );
  }

  #unknown(at: At, what: string, name: string, known: readonly string[], remedy: string, nearestOnly = false): undefined {
    const suggestion = suggestName(name, known);
    const shown = nearestOnly && !suggestion.startsWith('Did') ? '' : `${suggestion} `;
    return this.#faults.invalid(at, `${what} is not known`, `${shown}${remedy}`.trim());
  }

  /** False where variables make more of the definition than it may be: told once. */
  #take(size: number, at: At): boolean {
    const before = this.#filled;
    this.#filled += size;
    if (this.#filled <= room) return true;
    if (before <= room) this.#faults.invalid(at, 'variables that stand in each other make the definition too large', shorter);
    return false;
  }

  /** Variables may stand in variables. */
  #value(name: string): Node | typeof unresolved | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const declared = this.#declared.get(name);
    if (this.#given.has(name)) {
      const value = fromValue(this.#given.get(name), this.#at, this.#at.offset);
      this.#known.set(name, value);
      return value;
    }
    if (declared === undefined) return undefined;
    if (this.#open.includes(name)) {
      const path = [...this.#open.slice(this.#open.indexOf(name)), name];
      this.#faults.add(declared.at, {
        code: 'DEFINITION_INVALID',
        message: `variables stand in each other: ${path.join(' -> ')}`,
        path,
        fix: 'Give one of them a value of its own.',
      });
      return unresolved;
    }
    if (this.#open.length >= deepest) {
      this.#faults.invalid(declared.at, `variables stand in each other more than ${String(deepest)} deep`, shorter);
      return unresolved;
    }
    this.#open.push(name);
    const value = this.expand(declared.value) ?? unresolved;
    this.#open.pop();
    this.#known.set(name, value);
    return value;
  }
}

/** How many values there are in it. */
function sizeOf(node: Node): number {
  if (node.kind === 'scalar') return 1;
  const inner = node.kind === 'list' ? node.items : node.entries.map(({ value }) => value);
  return inner.reduce((size, one) => size + sizeOf(one), 1);
}

function isDate(name: string): name is DateName {
  return (dateNames as readonly string[]).includes(name);
}

/** A value where a text stood: what is wrong with it is wrong there. */
function moved(value: Node, { at, end }: ScalarNode): Node {
  if (value.kind === 'scalar') return { ...value, at, end };
  if (value.kind === 'list') return { ...value, at, items: value.items.map((item) => moved(item, { at, end } as ScalarNode)) };
  return { ...value, at, entries: value.entries.map((entry) => ({ ...entry, at, value: moved(entry.value, { at, end } as ScalarNode) })) };
}

/** Where in the file a part of a text stands: at its first mention, or where the text begins. */
function placeOf({ at, end }: ScalarNode, written: string): At {
  const found = at.source.text.slice(at.offset, end).indexOf(written);
  return found < 0 ? at : { ...at, offset: at.offset + found };
}
