import { describe, expect, it } from 'vitest';
import { isShown, parseUnits } from './blocks.js';

const fence = '```';

describe('the blocks of a page', () => {
  it('are compiled each alone, one that continues with the one before it', () => {
    const page = [
      '# Title',
      '',
      `${fence}ts`,
      'const a = 1;',
      fence,
      'More.',
      '<!-- continues -->',
      '',
      `${fence}ts`,
      'a + 1;',
      fence,
      `${fence}ts`,
      'b;',
      fence,
    ].join('\n');
    expect(parseUnits('page.md', page)).toMatchObject([
      { line: 4, file: 'block-4.ts', text: 'const a = 1;\na + 1;', lines: [4, 10] },
      { line: 13, file: 'block-13.ts', text: 'b;', lines: [13] },
    ]);
  });

  it('take a set-up that readers do not see, a name, and whether to run', () => {
    const page = [
      '<!-- setup',
      "import { a } from './a.js';",
      '-->',
      '<!-- file: src/b.ts -->',
      '<!-- run -->',
      `${fence}ts`,
      'a();',
      fence,
    ].join('\n');
    expect(parseUnits('page.md', page)).toMatchObject([
      { file: 'src/b.ts', run: 0, text: "import { a } from './a.js';\na();", lines: [undefined, 7] },
    ]);
  });

  it('take marks from just above only', () => {
    const page = [
      '<!-- run -->',
      'A sentence.',
      `${fence}sh`,
      'rm -r .',
      fence,
      '<!-- run: 2 -->',
      `${fence}sh`,
      'millrace run',
      fence,
    ].join('\n');
    expect(parseUnits('page.md', page)).toMatchObject([{ language: 'sh', text: 'millrace run', run: 2 }]);
  });

  it('carry what they print', () => {
    const page = ['<!-- run -->', `${fence}sh`, 'date', fence, '<!-- output -->', `${fence}text`, 'Monday', fence].join('\n');
    expect(parseUnits('page.md', page)).toMatchObject([{ run: 0, output: 'Monday' }]);
  });

  it('may be indented and hold other fences', () => {
    const page = [`- x`, `  ${fence}ts`, '  if (a) {', '    b();', '  }', `  ${fence}`, '````ts', 'const t = `', fence, '`;', '````'].join(
      '\n',
    );
    expect(parseUnits('page.md', page).map(({ text }) => text)).toEqual(['if (a) {\n  b();\n}', `const t = \`\n${fence}\n\`;`]);
  });

  it('must be closed', () => expect(() => parseUnits('page.md', `${fence}ts\na`)).toThrow('page.md:1'));
});

describe('shown output', () => {
  it('is compared line by line, with … for anything', () => {
    expect(isShown('a\nb  c', 'a\nb  c\n')).toBe(true);
    expect(isShown('a … s', 'a 0.8 s')).toBe(true);
    expect(isShown('…   b   …', '17 b  x')).toBe(true);
    expect(isShown('a\n…\nd', 'a\nb\nc\nd')).toBe(true);
    expect(isShown('a\n…', 'a')).toBe(true);
    expect(isShown('a (1)', 'a 1')).toBe(false);
    expect(isShown('a', 'a\nb')).toBe(false);
    expect(isShown('a …', 'a b\nc')).toBe(false);
  });
});
