import { build } from 'esbuild';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Input } from '../../src/decorators/input.js';
import { Processor } from '../../src/decorators/processor.js';
import * as here from '../../src/metadata/registry.js';
import { getProcessorSpec } from '../../src/metadata/registry.js';
import type { Class, Reader } from '../../src/types.js';
import { refusal } from './refusal.js';

/** Another copy of Millrace and of reflect-metadata in this process, in one chunk as a package has it. */
interface Copy {
  readonly Input: typeof Input;
  readonly Processor: typeof Processor;
  readonly getProcessorSpec: typeof getProcessorSpec;
}

const root = fileURLToPath(new URL('../../src/', import.meta.url));
let folder: string;
let copy: Copy;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-copy-'));
  const outfile = join(folder, 'chunk.mjs');
  const reflect = dirname(createRequire(import.meta.url).resolve('reflect-metadata'));
  await cp(reflect, join(folder, 'node_modules', 'reflect-metadata'), { recursive: true });
  const contents = `export * from './decorators/input.js'; export * from './decorators/processor.js'; export * from './metadata/registry.js';`;
  await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
  copy = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as Copy;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

class Row {}

describe('two copies of Millrace in one process', () => {
  it('are two', () => {
    expect(copy.getProcessorSpec).not.toBe(here.getProcessorSpec);
  });

  it('read what the other has written, and point into the class', () => {
    @copy.Processor({ title: 'There' })
    class There {
      @copy.Input({ schema: Row }) readonly raw!: Reader<Row>;
    }
    @Processor({ title: 'Here' })
    class Here extends There {
      @Input({ schema: Row }) readonly more!: Reader<Row>;
    }
    for (const one of [here, copy]) {
      expect(one.getProcessorSpec(There)).toMatchObject({ title: 'There', inputs: [{ property: 'raw', schema: Row }] });
      expect(one.getProcessorSpec(Here)).toMatchObject({ title: 'Here', inputs: [{ property: 'raw' }, { property: 'more' }] });
    }
    for (const { where } of getProcessorSpec(Here).inputs) expect(where).toMatch(/^test\/decorators\/copies\.test\.ts:\d+$/);
  });

  it('name decorators as users write them, also when minified', () => {
    expect(() => {
      copy.Input()(Row as never, 'static' as never);
    }).toThrow('@Input() on static Row.static (');
  });

  it('of different shape say so', () => {
    class Old {}
    Object.defineProperty(Old, Symbol.for('millrace.class.0'), { value: {} });
    expect(refusal(() => getProcessorSpec(Old as Class)).message).toBe(
      'Old is not a processor: it was decorated by another version of Millrace: install one version only.',
    );
  });

  it('put nothing anywhere but on the class', () => {
    const before = [...Reflect.ownKeys(globalThis), ...Reflect.ownKeys(Reflect)];
    @Processor()
    class Quiet {}
    expect([...Reflect.ownKeys(globalThis), ...Reflect.ownKeys(Reflect)]).toEqual(before);
    expect(Object.keys(Quiet)).toEqual([]);
    expect(Object.getOwnPropertySymbols(Quiet)).toHaveLength(1);
  });
});
