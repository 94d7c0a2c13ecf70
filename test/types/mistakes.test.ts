import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const project = at('../../tsconfig.json');
/** Programs in which every marked line, and no other, must be refused. */
const files = ['./mistakes.test-d.ts', './decorators.test-d.ts'].map(at);
const marker = /^\s*\/\/ @ts-expect-error .*$/;

interface Source {
  /** The same program without its markers, line for line. */
  readonly text: string;
  /** Lines that have a marker above them, from 1. */
  readonly marked: readonly number[];
}

function withoutMarkers(file: string): Source {
  const lines = readFileSync(file, 'utf8').split('\n');
  return {
    text: lines.map((line) => (marker.test(line) ? '' : line)).join('\n'),
    marked: lines.flatMap((line, index) => (marker.test(line) ? index + 2 : [])),
  };
}

const sources = new Map(files.map((file) => [file, withoutMarkers(file)]));
let program: ts.Program;

beforeAll(() => {
  const { config } = ts.readConfigFile(project, (path) => ts.sys.readFile(path)) as { config: object };
  const { options } = ts.parseJsonConfigFileContent({ ...config, files, include: [] }, ts.sys, at('../..'));
  const host = ts.createCompilerHost(options);
  const readFile = host.readFile.bind(host);
  host.readFile = (path) => sources.get(path)?.text ?? readFile(path);
  program = ts.createProgram(files, options, host);
}, 60_000);

/** The line of the first character of each error's statement, from 1. */
function refusedLines(file: string): number[] {
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is not in the program`);
  const errors = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return [...new Set(errors.map(({ start = 0 }) => source.getLineAndCharacterOfPosition(start).line + 1))].sort((a, b) => a - b);
}

describe.each(files.map((file) => [file.split('/').at(-1), file] as const))('%s', (_, file) => {
  it('has mistakes in it', () => {
    expect(sources.get(file)?.marked.length).toBeGreaterThan(10);
  });

  it('is refused at each marked line, and nowhere else', { timeout: 60_000 }, () => {
    expect(refusedLines(file)).toEqual(sources.get(file)?.marked);
  });
});
