import { createRequire } from 'node:module';
import type { Node as JsonNode, ParseError } from 'jsonc-parser';
import { refuseInexact } from './exact-number.js';
import type { Node } from './node.js';
import type { At, Faults, Source } from './source.js';
import { toMap, TreeBudget } from './tree.js';

type JsonParser = typeof import('jsonc-parser');
/** Its modules are not what Node's `import` expects. */
const require = createRequire(import.meta.url);

/** JSON as the standard has it: no comments, no commas at the end. */
export async function parseJson(source: Source, faults: Faults): Promise<Node | undefined> {
  const { parseTree, printParseErrorCode } = require('jsonc-parser') as JsonParser;
  const errors: ParseError[] = [];
  const root = parseTree(source.text, errors, { disallowComments: true, allowTrailingComma: false });
  const [error] = errors; // what comes after it may be its consequence
  if (error !== undefined || root === undefined) {
    const offset = error?.offset ?? 0;
    const code = error === undefined ? 'ValueExpected' : printParseErrorCode(error.error);
    const [message, fix] = problems[code] ?? ['this is no JSON', 'Write keys and text in double quotes, and commas between.'];
    faults.invalid({ source, offset }, message, fix);
    return undefined;
  }
  const budget = new TreeBudget(faults);
  const made = toNode(root, 0);
  return budget.spent ? undefined : made;

  function toNode(node: JsonNode, depth: number): Node | undefined {
    const at: At = { source, offset: node.offset };
    if (!budget.take(at, depth)) return undefined;
    const { children = [] } = node;
    if (node.type === 'array') return { kind: 'list', at, items: children.flatMap((child) => toNode(child, depth + 1) ?? []) };
    if (node.type !== 'object') {
      const value = node.value as string | number | boolean | null;
      const end = node.offset + node.length;
      const text = typeof value === 'string' ? value : source.text.slice(node.offset, end);
      return refuseInexact({ kind: 'scalar', at, end, value, text }, faults);
    }
    const entries = children.flatMap(({ children: [key, value] = [] }) => {
      const inner = value && toNode(value, depth + 1);
      return key === undefined || inner === undefined
        ? []
        : [{ key: key.value as string, at: { source, offset: key.offset }, value: inner }];
    });
    return toMap(at, entries, faults);
  }
}

const problems: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  InvalidSymbol: ['this is no JSON value', 'Write text in double quotes.'],
  InvalidNumberFormat: ['this is no JSON number', 'Write it like 12.5.'],
  PropertyNameExpected: ['a key in double quotes is expected', 'Write a key, or take the comma before it away.'],
  ValueExpected: ['a value is expected', 'Write a value, or take the comma before it away.'],
  ColonExpected: ["a ':' is expected", "Write a ':' between key and value."],
  CommaExpected: ["a ',' is expected", "Write a ',' between two values."],
  CloseBraceExpected: ["a '}' is expected", "Close the map with a '}'."],
  CloseBracketExpected: ["a ']' is expected", "Close the list with a ']'."],
  EndOfFileExpected: ['the definition has ended before', 'Take what follows away.'],
  InvalidCommentToken: ['JSON has no comments', 'Take it away, or write the definition in YAML.'],
  UnexpectedEndOfComment: ['JSON has no comments', 'Take it away, or write the definition in YAML.'],
  UnexpectedEndOfString: ['this text has no end', 'Close it with a double quote on the same line; a line break is written \\n.'],
  UnexpectedEndOfNumber: ['this number has no end', 'Write it like 12.5.'],
  InvalidUnicode: ['this is no escaped character', 'Write it like \\u00e9.'],
  InvalidEscapeCharacter: ['this is no escaped character', 'Write a backslash as \\\\.'],
  InvalidCharacter: ['this character stands in no text', 'Escape it: a tab is \\t.'],
};
