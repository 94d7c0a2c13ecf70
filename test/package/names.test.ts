import ts from 'typescript';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './pack.js';

const entries = { millrace: 'src/index.ts', 'millrace/testing': 'src/testing/index.ts' } as const;

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config,
  ts.sys,
  root,
);
const program = ts.createProgram(
  Object.values(entries).map((path) => join(root, path)),
  options,
);
const checker = program.getTypeChecker();

const kinds: readonly (readonly [ts.SymbolFlags, string])[] = [
  [ts.SymbolFlags.Class, 'class'],
  [ts.SymbolFlags.Function, 'function'],
  [ts.SymbolFlags.Variable, 'const'],
  [ts.SymbolFlags.Interface, 'interface'],
  [ts.SymbolFlags.TypeAlias, 'type'],
];

interface Name {
  readonly name: string;
  readonly kind: string;
  readonly isValue: boolean;
  readonly documented: boolean;
}

function namesOf(path: string): readonly Name[] {
  const file = program.getSourceFile(join(root, path));
  const symbol = file && checker.getSymbolAtLocation(file);
  if (symbol === undefined) throw new Error(`${path} exports nothing`);
  return checker.getExportsOfModule(symbol).map((exported) => {
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const kind = kinds.filter(([flag]) => target.flags & flag).map(([, word]) => word);
    const isValue = (target.flags & ts.SymbolFlags.Value) !== 0;
    return { name: exported.name, kind: kind.join(' and '), isValue, documented: target.getDocumentationComment(checker).length > 0 };
  });
}

describe.each(Object.entries(entries))('the public names of %s', (specifier, path) => {
  const names = namesOf(path);

  it('are these: adding one is a decision, taking one away a breaking change', async () => {
    const lines = names.map(({ name, kind }) => `${name}: ${kind}`).sort();
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`${specifier.replace('/', '-')}.names.txt`);
  });

  it('are at run time what the types say', async () => {
    const loaded = (await import(specifier)) as object;
    const values = names.filter(({ isValue }) => isValue).map(({ name }) => name);
    expect(Object.keys(loaded).sort()).toEqual(values.sort());
  });

  it('each say in a sentence what they are', () => {
    expect(names.filter(({ documented }) => !documented).map(({ name }) => name)).toEqual([]);
  });
});
