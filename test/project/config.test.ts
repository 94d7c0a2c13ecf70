import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/errors.js';
import { findConfig, getConfig, loadProject } from '../../src/project/config.js';
import { Folder } from '../cli/kit.js';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder.remove());

const define = `import { defineProject } from 'millrace'; export default defineProject({ name: 'shop' });`;

async function refusal(work: () => unknown): Promise<MillraceError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('findConfig', () => {
  it('takes the nearest folder, and in it TypeScript first', () => {
    folder.write({ 'a/millrace.config.js': '', 'a/b/c/x.txt': '', 'a/b/millrace.config.mjs': '', 'a/b/millrace.config.ts': '' });
    expect(findConfig(folder.at('a/b/c'))).toBe(folder.at('a/b/millrace.config.ts'));
    expect(findConfig(folder.at('a'))).toBe(folder.at('a/millrace.config.js'));
    expect(findConfig(folder.path)).toBeUndefined();
  });
});

describe('getConfig', () => {
  it('takes a file or a folder that is named', () => {
    folder.write({ 'named/other.ts': '', 'named/millrace.config.mts': '' });
    expect(getConfig(folder.path, 'named/other.ts')).toBe(folder.at('named/other.ts'));
    expect(getConfig(folder.path, 'named')).toBe(folder.at('named/millrace.config.mts'));
  });

  it('says where it has looked, and what to do', async () => {
    const { code, message } = await refusal(() => getConfig(folder.path));
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toBe(
      `there is no millrace.config.ts (nor one in .mts, .js or .mjs) in ${folder.path} or a folder above it. Make a project with 'millrace init', or name the file with --config.`,
    );
  });

  it('suggests the nearest name for a file that is not there', async () => {
    folder.write({ 'near/config.ts': '' });
    expect((await refusal(() => getConfig(folder.path, 'near/confg.ts'))).message).toBe(
      `the config file ${folder.at('near/confg.ts')} does not exist. Did you mean 'config.ts'?`,
    );
    expect((await refusal(() => getConfig(folder.path, 'far/confg.ts'))).message).toContain('There are none.');
    expect((await refusal(() => getConfig(folder.path, 'near'))).message).toContain('has no millrace.config.ts');
  });
});

describe('loadProject', () => {
  it.each([
    ['an ES module', define],
    ['a promise', `import { defineProject } from 'millrace'; export default Promise.resolve(defineProject({ name: 'shop' }));`],
    [
      'a module compiled to CommonJS',
      `import { defineProject } from 'millrace'; export default { default: defineProject({ name: 'shop' }) };`,
    ],
  ])('loads the default export of %s', async (name, text) => {
    const path = folder.write({ [`${name}/millrace.config.mjs`]: text }).at(name, 'millrace.config.mjs');
    const loaded = await loadProject(path);
    expect(loaded).toMatchObject({ path, project: { name: 'shop' } });
  });

  it.each([
    [
      'no default export',
      'export const a = 1;',
      'has no default export: write `export default defineProject({ name: …, processors: [ … ] });`',
    ],
    [
      'a project by another name',
      `import { defineProject } from 'millrace'; export const shop = defineProject({ name: 'shop' });`,
      "exports its project as 'shop': make it the default export",
    ],
    ['something else', `export default { name: 'shop' };`, 'has {"name":"shop"} as its default export, not a project'],
    ['a text thrown', `throw 'a string';`, 'cannot be loaded: it threw "a string", which is not an Error'],
    ['an error thrown', `throw new RangeError('too far');`, 'cannot be loaded: it threw RangeError: too far'],
  ])('refuses %s', async (name, text, message) => {
    const path = folder.write({ [`${name}/millrace.config.mjs`]: text }).at(name, 'millrace.config.mjs');
    const error = await refusal(() => loadProject(path));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(`${path} ${message}`);
  });

  it("passes on Millrace's own errors as they are", async () => {
    const text = `import { defineProject } from 'millrace'; export default defineProject({});`;
    const path = folder.write({ 'unnamed.mjs': text }).at('unnamed.mjs');
    expect((await refusal(() => loadProject(path))).message).toContain('defineProject: a name is expected');
  });

  it('keeps what was thrown as the cause', async () => {
    const path = folder.write({ 'cause.mjs': `throw new RangeError('too far');` }).at('cause.mjs');
    expect((await refusal(() => loadProject(path))).cause).toMatchObject({ name: 'RangeError', message: 'too far' });
  });
});
