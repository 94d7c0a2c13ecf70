// Makes dist/: JavaScript bundled with shared chunks by esbuild, declarations by tsc. Run by `npm run build` and before packing.
//   --out DIR    somewhere else than dist
//   --no-types   JavaScript only, in a fraction of a second
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('.', import.meta.url));
const { values: options } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'dist') }, 'no-types': { type: 'boolean', default: false } },
});
const out = resolve(options.out);

rmSync(out, { recursive: true, force: true });
await bundle().catch(() => fail('esbuild found errors'));
makeExecutable(join(out, 'cli/main.js'));
if (!options['no-types']) declare();

async function bundle() {
  const { warnings } = await build({
    absWorkingDir: root,
    entryPoints: ['src/index.ts', 'src/testing/index.ts', 'src/cli/main.ts'],
    outbase: 'src',
    outdir: out,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    legalComments: 'none',
    minifyWhitespace: true, // the tarball is to stay small; names are kept, for people who debug
    chunkNames: 'chunk/[name]-[hash]',
    logLevel: 'warning',
  });
  // Such as an import that is dropped because package.json says that no file has side effects.
  if (warnings.length > 0) fail('esbuild has warnings');
}

function makeExecutable(path) {
  if (!readFileSync(path, 'utf8').startsWith('#!/usr/bin/env node\n')) fail('src/cli/main.ts does not begin with #!/usr/bin/env node');
  chmodSync(path, 0o755);
}

function declare() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', out], { stdio: 'inherit' });
  if (status !== 0) fail('tsc found errors');
  keepPublicDeclarations();
}

/** Declarations that no public entry leads to are of no use to anyone, and half of the tarball. */
function keepPublicDeclarations() {
  const reached = new Set();
  const reach = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/['"](\.{1,2}\/[^'"]+)\.js['"]/g))
      reach(join(dirname(file), `${path}.d.ts`));
  };
  for (const entry of ['index', 'testing/index']) reach(join(out, `${entry}.d.ts`));
  for (const file of readdirSync(out, { recursive: true }).map((name) => join(out, name))) {
    if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
  }
}

function fail(reason) {
  console.error(`build: ${reason}`);
  process.exit(1);
}
