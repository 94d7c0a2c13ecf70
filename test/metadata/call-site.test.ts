import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { callSite, findUserFrame } from '../../src/metadata/call-site.js';

const cwd = process.cwd();

function wrapped(): string {
  return inner();
  function inner(): string {
    return callSite(wrapped)();
  }
}

describe('callSite', () => {
  it('answers the line that called the function, however deep the question is put', () => {
    const lines = readFileSync(fileURLToPath(import.meta.url), 'utf8').split('\n');
    const line = lines.findIndex((text) => text.includes('expect(' + 'wrapped())')) + 1;
    expect(wrapped()).toBe(`test/metadata/call-site.test.ts:${line}`);
  });

  it('answers the same again', () => {
    const where = (() => {
      function callee() {
        return callSite(callee);
      }
      return callee();
    })();
    expect(where()).toBe(where());
  });

  it('leaves the stack limit of the process as it was', () => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 3;
    wrapped();
    const after = Error.stackTraceLimit;
    Error.stackTraceLimit = limit;
    expect(after).toBe(3);
  });

  it('works where the host turned stacks off', () => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    const place = wrapped();
    Error.stackTraceLimit = limit;
    expect(place).toMatch(/^test\/metadata\/call-site\.test\.ts:\d+$/);
  });
});

describe('findUserFrame', () => {
  const stack = (...frames: string[]) => ['Error', ...frames.map((frame) => `    at ${frame}`)].join('\n');

  it.each([
    ['a path below the working directory', [`${cwd}/src/a.ts:3:5`], 'src/a.ts:3'],
    ['a file URL', [`file://${cwd}/src/with%20space.ts:3:5`], 'src/with space.ts:3'],
    ['a file URL with a query', [`file://${cwd}/src/a.ts?t=1:3:5`], 'src/a.ts:3'],
    ['a path elsewhere', ['Foo.bar [as baz] (/other/a.ts:30:5)'], '/other/a.ts:30'],
    ['a neighbour whose name begins as the working directory does', [`${cwd}-2/a.ts:3:5`], `${cwd}-2/a.ts:3`],
    ['brackets and blanks in a path', ['new Foo (/other/a (b) c/d.ts:3:5)'], '/other/a (b) c/d.ts:3'],
    ['an async frame', ['async /other/a.ts:3:5'], '/other/a.ts:3'],
    ['a Windows path', ['Foo (C:\\work\\a.ts:3:5)'], 'C:\\work\\a.ts:3'],
    ['internals of Node first', ['ModuleJob.run (node:internal/modules/esm/module_job:3:25)', '/other/a.ts:3:5'], '/other/a.ts:3'],
    ['code made from text first', ['eval (eval at make (/x/y.ts:1:2), <anonymous>:23:5)', '/other/a.ts:3:5'], '/other/a.ts:3'],
    [
      'helpers of a compiler first',
      [
        '__decorate (/other/a.js:1:1)',
        'Object.__decorate (/other/a.js:1:1)',
        '__decorateClass (/other/a.js:1:1)',
        '_ts_decorate (/other/a.js:1:1)',
        '/other/a.ts:3:5',
      ],
      '/other/a.ts:3',
    ],
    [
      'helpers in packages first',
      [
        'DecorateProperty (/x/node_modules/reflect-metadata/Reflect.js:561:33)',
        'x (/x/node_modules/tslib/tslib.es6.mjs:3:1)',
        '/other/a.ts:3:5',
      ],
      '/other/a.ts:3',
    ],
    ["a package's factory first", ['make (/x/node_modules/shop/make.js:9:1)', '/other/a.ts:3:5'], '/other/a.ts:3'],
    [
      'packages only',
      ['node:internal/a:1:1', '/x/node_modules/tslib/tslib.js:1:1', '/x/node_modules/shop/a.js:9:1'],
      '/x/node_modules/shop/a.js:9',
    ],
    ['no frame at all', [], '(unknown place)'],
  ])('%s', (_, frames, expected) => {
    expect(findUserFrame(stack(...frames))).toBe(expected);
  });

  it('says so where a foreign prepareStackTrace answers with no text', () => {
    expect(findUserFrame([{}])).toBe('(unknown place)');
  });
});
