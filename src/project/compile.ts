// The only door to @oxc-node/core, which compiles a project's TypeScript as it is loaded.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

let compiling: Promise<unknown> | undefined;

/**
 * From here on `import` compiles TypeScript: as the project's `tsconfig.json` says, but with decorators, and with fields that are set by assignment. (Where
 * fields are defined, this compiler calls the decorators of `'Release Date'!: string` without the property's name.) The first project of a
 * process decides for all of it.
 *
 * @param folder - of the project; its nearest `tsconfig.json` is taken.
 */
export function compileTypeScript(folder: string): Promise<unknown> {
  return (compiling ??= register(folder));
}

async function register(folder: string): Promise<void> {
  const { setTsconfigPath } = await import('@oxc-node/core');
  setTsconfigPath(writeConfig(findBase(folder)));
  // @ts-expect-error -- it is loaded for what it does, and declares nothing
  await import('@oxc-node/core/register');
}

/** The compiler reads its options from a file, until the process ends. */
function writeConfig(base: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tsconfig-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const own = { useDefineForClassFields: false, experimentalDecorators: true };
  const config =
    base === undefined
      ? { compilerOptions: { target: 'es2022', module: 'nodenext', emitDecoratorMetadata: true, ...own } }
      : { extends: base, compilerOptions: own };
  const path = join(folder, 'tsconfig.json');
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** What the compiler would have taken: what its environment names, else the nearest. */
function findBase(folder: string): string | undefined {
  const named = process.env['TS_NODE_PROJECT'] ?? process.env['OXC_TSCONFIG_PATH'] ?? '';
  return named === '' ? findUp(folder) : resolve(named);
}

function findUp(folder: string): string | undefined {
  const path = join(folder, 'tsconfig.json');
  if (existsSync(path)) return path;
  return dirname(folder) === folder ? undefined : findUp(dirname(folder));
}
