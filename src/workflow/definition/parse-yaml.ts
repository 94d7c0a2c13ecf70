import type { Document, ErrorCode as YamlCode, Node as YamlNode } from 'yaml';
import { refuseInexact } from './exact-number.js';
import type { Entry, Node, ScalarNode } from './node.js';
import type { At, Faults, Source } from './source.js';
import { toMap, TreeBudget } from './tree.js';

type Yaml = typeof import('yaml');

/** YAML 1.2. */
export async function parseYaml(source: Source, faults: Faults): Promise<Node | undefined> {
  const yaml = await import('yaml');
  // Keys are compared here: the parser's own way takes the square of their number. A `%YAML 1.1` makes no `yes` a true.
  const document = yaml.parseDocument(source.text, {
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
    schema: 'core',
    resolveKnownTags: false,
  });
  const error = document.errors[0]; // what comes after it may be its consequence
  if (error !== undefined) {
    const opened = openedBefore(yaml, document, error.pos[0]);
    const code = opened !== undefined && error.code === 'BAD_INDENT' ? 'MISSING_CHAR' : error.code;
    const [message, fix] = problems[code] ?? [`this is no YAML: ${error.message}`, 'Put text with such a character in quotes.'];
    const where = opened === undefined ? [] : [source.where(opened)];
    faults.add({ source, offset: error.pos[0] }, { code: 'DEFINITION_INVALID', message, where, fix });
    return undefined;
  }
  for (const { code, message, pos } of document.warnings)
    faults.invalid({ source, offset: pos[0] }, message, code === 'BAD_DIRECTIVE' ? 'Take the line away.' : 'Take the tag away.');
  if (document.contents === null)
    return faults.invalid({ source, offset: 0 }, `'${source.path}' is empty`, 'Give it a `name` and `steps`.');
  const budget = new TreeBudget(faults);
  const root = new YamlTree(yaml, source, document, faults, budget).toNode(document.contents, 0);
  return budget.spent ? undefined : root;
}

class YamlTree {
  readonly #yaml: Yaml;
  readonly #source: Source;
  readonly #targets: ReadonlyMap<unknown, YamlNode>;
  readonly #faults: Faults;
  readonly #budget: TreeBudget;

  constructor(yaml: Yaml, source: Source, document: Document, faults: Faults, budget: TreeBudget) {
    this.#yaml = yaml;
    this.#source = source;
    this.#targets = targetsOf(yaml, document);
    this.#faults = faults;
    this.#budget = budget;
  }

  toNode(node: unknown, depth: number, fallback = 0): Node | undefined {
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml;
    if (isAlias(node)) return this.#alias(node, depth);
    const [start = fallback, end = fallback] = (node as { readonly range?: readonly number[] | null } | null)?.range ?? [];
    const at: At = { source: this.#source, offset: start };
    if (!this.#budget.take(at, depth)) return undefined;
    if (isSeq(node)) return { kind: 'list', at, items: node.items.flatMap((item) => this.toNode(item, depth + 1, start) ?? []) };
    if (isMap(node)) return this.#map(node.items, at, depth);
    if (isScalar(node)) return this.#scalar(node.value, node.source, at, end);
    return { kind: 'scalar', at, end, value: null, text: '' };
  }

  #alias(alias: InstanceType<Yaml['Alias']>, depth: number): Node | undefined {
    const at: At = { source: this.#source, offset: alias.range?.[0] ?? 0 };
    if (!this.#budget.take(at, depth)) return undefined;
    const target = this.#targets.get(alias);
    if (target !== undefined) return this.toNode(target, depth + 1);
    return this.#faults.invalid(
      at,
      `'*${alias.source}' stands for nothing: no '&${alias.source}' comes before it`,
      `Write &${alias.source} before the value that is meant.`,
    );
  }

  #map(pairs: readonly { readonly key: unknown; readonly value: unknown }[], at: At, depth: number): Node {
    const entries = pairs.flatMap(({ key, value }): Entry[] => {
      const name = this.toNode(key, depth + 1, at.offset);
      if (name === undefined) return [];
      const wrong = name.kind !== 'scalar' ? 'a key is text' : name.text === '<<' ? "'<<' does not merge maps here" : undefined;
      if (wrong !== undefined)
        this.#faults.invalid(name.at, wrong, name.kind === 'scalar' ? 'Write the keys themselves.' : 'Write each key as a plain name.');
      if (wrong !== undefined || name.kind !== 'scalar') return [];
      const inner = this.toNode(value, depth + 1, name.end);
      return inner === undefined ? [] : [{ key: name.text, at: name.at, value: inner }];
    });
    return toMap(at, entries, this.#faults);
  }

  #scalar(value: unknown, written: string | undefined, at: At, end: number): ScalarNode | undefined {
    const text = written ?? (typeof value === 'string' ? value : '');
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return refuseInexact({ kind: 'scalar', at, end, value, text }, this.#faults);
    return { kind: 'scalar', at, end, value: typeof value === 'bigint' ? Number(value) : text, text };
  }
}

/** Where text in quotes, or a flow map or list, begins that has no end before an error. */
function openedBefore(yaml: Yaml, document: Document, offset: number): number | undefined {
  let opened: number | undefined;
  yaml.visit(document, {
    Node(_, node) {
      const quoted = yaml.isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE');
      const flow = yaml.isCollection(node) && node.flow === true;
      const [start, , end] = node.range ?? [];
      if ((quoted || flow) && start !== undefined && end !== undefined && start < offset && end >= offset) opened = start;
    },
  });
  return opened;
}

/** What each alias stands for, found in one pass. */
function targetsOf(yaml: Yaml, document: Document): ReadonlyMap<unknown, YamlNode> {
  const anchors = new Map<string, YamlNode>();
  const targets = new Map<unknown, YamlNode>();
  yaml.visit(document, {
    Node(_, node) {
      if (yaml.isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

const problems: Partial<Record<YamlCode, readonly [message: string, fix: string]>> = {
  TAB_AS_INDENT: ['YAML is not indented by tabs', 'Indent by spaces.'],
  MULTIPLE_DOCS: ['a second document begins here', "Take the '---' away: a file has one definition."],
  BAD_ALIAS: ['this alias has no name', 'Write *name, and &name before it.'],
  MISSING_CHAR: ['a character is missing, or this text has no end', 'Close the quotes, brackets and braces that are open.'],
  RESOURCE_EXHAUSTION: ['maps and lists are nested too deep', 'Write it flatter.'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a map begins in the middle of a line, or a line is indented too far',
    "Indent the lines of a map alike; put text that has a ': ' in it in quotes.",
  ],
  MULTILINE_IMPLICIT_KEY: ['a key stands on one line', "Write 'key: value', the next key on a line of its own, indented alike."],
};
