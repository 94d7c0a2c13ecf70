import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/errors.js';
import { findConfig, getConfig, loadProject } from '../../src/project/config.js';

let dir: string;
beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-config-')));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const full = join(dir, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

describe('loadProject', () => {
  it('loads ts', async () => {
    const path = write('a/millrace.config.ts', `const x: number = 1; export default { name: 'x', x }`);
    await expect(loadProject(path)).rejects.toThrow('as its default export, not a project');
  });
  it('loads mjs', async () => {
    const path = write('b/millrace.config.mjs', `import { defineProject } from 'millrace'; export default defineProject({ name: 'x' })`);
    const { project } = await loadProject(path);
    expect(project.name).toBe('x');
  });
});
