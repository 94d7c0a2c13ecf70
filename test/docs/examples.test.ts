import ts from 'typescript';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkPackage, root } from '../package/pack.js';
import { isShown, parseUnits, type Unit } from './blocks.js';

const pages = ['README.md', ...markdownIn('docs'), ...markdownIn('samples')].filter((page) => existsSync(join(root, page)));
const units = pages.flatMap((page) => parseUnits(page, readFileSync(join(root, page), 'utf8')));
const programs = units.filter(({ language }) => language === 'ts');

describe('the examples of the documentation', () => {
  let dir: string;
  let faults: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-docs-')));
    write(join(dir, 'package.json'), '{ "type": "module" }');
    write(join(dir, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['.'] }));
    linkPackage(dir);
    for (const unit of units) if (unit.named || unit.language === 'ts') write(pathOf(unit), `${unit.text}\n`);
    faults = compile();
  }, 120_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it.each(pages)('%s compiles', (page) => expect(faults.get(page) ?? []).toEqual([]));

  // In order: a page's later commands see what its earlier ones did.
  it.each(units.filter(({ run }) => run !== undefined).map((unit) => [`${unit.page}:${unit.line}`, unit] as const))(
    '%s runs',
    (_, unit) => {
      const { status, stdout, stderr } = execute(unit);
      expect({ status, ...(status !== unit.run && { stdout, stderr }) }).toEqual({ status: unit.run });
      if (unit.output !== undefined && !isShown(unit.output, stdout)) expect(stdout).toBe(unit.output);
    },
    60_000,
  );

  function pathOf({ page, file }: Unit): string {
    return join(folderOf(page), file);
  }
  function folderOf(page: string): string {
    return join(dir, page.replace(/[.]md$/, ''));
  }
  function emittedOf(unit: Unit): string {
    return pathOf(unit)
      .replace(dir, join(dir, '.emitted'))
      .replace(/[.]ts$/, '.js');
  }

  /** Compiles every program of every page at once, against the sources; answers the faults by page, at the page's own lines. */
  function compile(): ReadonlyMap<string, readonly string[]> {
    const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
    const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
    const byPath = new Map(programs.map((unit) => [pathOf(unit), unit]));
    const program = ts.createProgram([...byPath.keys()], { ...options, noEmit: false, rootDir: '/', outDir: join(dir, '.emitted') });
    const found = new Map<string, string[]>();
    for (const [path, unit] of byPath) {
      const file = program.getSourceFile(path);
      for (const diagnostic of [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]) {
        const { line } = ts.getLineAndCharacterOfPosition(
          diagnostic.file ?? ({ getLineStarts: () => [0] } as never),
          diagnostic.start ?? 0,
        );
        const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
        found.set(unit.page, [...(found.get(unit.page) ?? []), `${unit.page}:${unit.lines[line] ?? `${unit.line} (set-up)`} ${text}`]);
      }
      program.emit(file, (_, javascript) => write(emittedOf(unit), javascript));
    }
    return found;
  }

  function execute(unit: Unit): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    const cwd = folderOf(unit.page);
    mkdirSync(cwd, { recursive: true });
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|NODE_OPTIONS$|NODE_V8_COVERAGE$|VITEST|FORCE_COLOR$)/.test(name),
    );
    const env = { ...Object.fromEntries(inherited), NO_COLOR: '1', PATH: `${join(dir, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` };
    const options = { cwd, env, encoding: 'utf8', timeout: 50_000 } as const;
    // `npx millrace` of a reader's project is the `millrace` of this one.
    if (unit.language === 'sh') return spawnSync('sh', ['-c', `npx() { "$@"; }\nset -e\n${unit.text}`], options);
    if (!unit.file.endsWith('.test.ts')) return spawnSync(process.execPath, [emittedOf(unit)], options);
    return spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', cwd, unit.file], options);
  }
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function markdownIn(folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .sort();
}
