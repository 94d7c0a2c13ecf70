import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../package/pack.js';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap(([, name]) => (name === undefined ? [] : [name]));

describe('error codes', () => {
  const codes = all(read('src/errors.ts'), /^ {2}\| '([A-Z_]+)'$/gm);
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const source = sources
    .filter((path) => path !== 'errors.ts')
    .map((path) => read(join('src', path)))
    .join('\n');

  it('have each a place in docs/errors.md, and no other has', () => {
    expect(all(read('docs/errors.md'), /^(?:\||#+)\s*`([A-Z_]+)`/gm).sort()).toEqual([...codes].sort());
  });

  it('are used, every one', () => {
    const text = source + read('src/errors.ts').replace(/^ {2}\| '[A-Z_]+'$/gm, '');
    expect(codes.filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });

  it('are known to the compiler wherever an error is made', () => {
    const made = new Set(all(source, /(?:(?:Error|fault\w*|misuse\w*)\(\s*|\{ code: )'([A-Z]+(?:_[A-Z]+)+)'(?=,)/g));
    expect([...made].filter((code) => !codes.includes(code))).toEqual([]);
  });
});

const cloned = existsSync(join(root, '.git'));

describe.skipIf(!cloned)('tracked files', () => {
  const listed = cloned ? execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0') : [];
  const tracked = listed.filter((path) => path !== '' && existsSync(join(root, path)));
  const texts = tracked.filter((path) => /[.](ts|js|cjs|mjs|json|md|ya?ml|csv|txt)$|^[.]|LICENSE/.test(path));

  it('name no place of one machine and no registry', () => {
    // Written so that this file does not name them either.
    const places = ['work', 'home', 'root', 'Users', 'tmp/bash'].map((top) => `/${top}${top.includes('/') ? '' : '/'}`);
    const pattern = new RegExp(`(?<![\\w.$}~*-])(${places.join('|')})|registry\\.npmjs|localhost:\\d{4}`);
    expect(texts.flatMap((path) => matches(path, pattern))).toEqual([]);
  });

  it('link to what is there', () => {
    const pages = texts.filter((path) => path.endsWith('.md'));
    const dead = pages.flatMap((page) =>
      all(read(page).replace(/```[\s\S]*?```/g, ''), /\]\(([^)\s]+)\)/g)
        .filter((link) => !leads(page, link))
        .map((link) => `${page}: ${link}`),
    );
    expect(dead).toEqual([]);
  });
});

function matches(path: string, pattern: RegExp): readonly string[] {
  return read(path)
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : []));
}

/** Whether a link of a page leads to a file and, there, to a heading. Links to other sites are not asked. */
function leads(page: string, link: string): boolean {
  if (/^\w+:/.test(link)) return true;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return false;
  if (anchor === undefined || !target.endsWith('.md')) return true;
  const headings = all(read(target), /^#+\s+(.+)$/gm).map((heading) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
  return headings.includes(anchor);
}
