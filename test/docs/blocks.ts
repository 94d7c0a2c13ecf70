/**
 * The code blocks of a page, and what the page says of each in HTML comments just above it, which readers do not see:
 *
 * - `<!-- setup … -->` holds code that goes before the block (imports, `declare const app: App`);
 * - `<!-- continues -->` adds the block to the one before it, so that a page may build a program piece by piece;
 * - `<!-- file: data/prices.csv -->` saves the block, of whatever language, under that name in the page's folder;
 * - `<!-- run -->` runs it there, `<!-- run: 2 -->` expects exit code 2; a `*.test.ts` is run by vitest;
 * - `<!-- output -->` on the block after it says what it prints, `…` standing for anything.
 *
 * Every `ts` block is compiled, whether it is run or not.
 */
export interface Block {
  readonly page: string;
  /** Of the first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  readonly setup?: string;
  readonly continues: boolean;
  readonly file?: string;
  /** The exit code that is expected of a block that is run. */
  readonly run?: number;
  readonly output: boolean;
}

/** A program or script: a block with those that continue it. */
export interface Unit {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  /** Relative to the page's folder. */
  readonly file: string;
  /** Whether the page named the file. */
  readonly named: boolean;
  readonly text: string;
  /** By line of `text` from 0, the line of the page; undefined for a set-up that readers do not see. */
  readonly lines: readonly (number | undefined)[];
  readonly run?: number;
  readonly output?: string;
}

const MARK = /^<!--\s*(setup|continues|file|run|output)\b:?([\s\S]*?)-->\s*$/;

function parseBlocks(page: string, markdown: string): readonly Block[] {
  const lines = markdown.split(/\r?\n/);
  const blocks: Block[] = [];
  let marks = new Map<string, string>();
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (line.startsWith('<!--')) {
      let comment = line;
      while (!comment.includes('-->') && index + 1 < lines.length) comment += `\n${lines[++index] ?? ''}`;
      const [, name, value] = MARK.exec(comment) ?? [];
      if (name !== undefined) marks.set(name, (value ?? '').replace(/^[ \t]*\n?/, '').trimEnd());
      continue;
    }
    const fence = /^(\s*)(`{3,})(\w*)/.exec(line);
    if (fence === null) {
      if (line.trim() !== '') marks = new Map();
      continue;
    }
    const [, indent = '', ticks = '', language = ''] = fence;
    const start = index + 1;
    while (++index < lines.length && lines[index]?.trim() !== ticks);
    if (index === lines.length) throw new Error(`${page}:${start}: the block is never closed`);
    const text = lines.slice(start, index).map((one) => (one.startsWith(indent) ? one.slice(indent.length) : one));
    blocks.push(markedBlock({ page, line: start + 1, language, text: text.join('\n') }, marks));
    marks = new Map();
  }
  return blocks;
}

function markedBlock(block: Pick<Block, 'page' | 'line' | 'language' | 'text'>, marks: ReadonlyMap<string, string>): Block {
  const setup = marks.get('setup');
  const file = marks.get('file');
  const run = marks.get('run');
  return {
    ...block,
    continues: marks.has('continues'),
    output: marks.has('output'),
    ...(setup !== undefined && { setup }),
    ...(file !== undefined && { file }),
    ...(run !== undefined && { run: Number(run) }),
  };
}

/** The programs, scripts and files of a page, in order. */
export function parseUnits(page: string, markdown: string): readonly Unit[] {
  const units: Unit[] = [];
  for (const block of parseBlocks(page, markdown)) {
    const last = units.at(-1);
    if (block.output || block.continues) {
      if (last === undefined) throw new Error(`${page}:${block.line}: there is no block before it`);
      units[units.length - 1] = block.output ? { ...last, output: block.text } : continued(last, block);
    } else if (block.language === 'ts' || block.file !== undefined || block.run !== undefined) {
      units.push(started(block, `block-${block.line}.${block.language}`));
    }
  }
  return units;
}

function started(block: Block, name: string): Unit {
  const { page, line, language, file } = block;
  return {
    page,
    line,
    language,
    file: file ?? name,
    named: file !== undefined,
    ...added(block),
    ...(block.run !== undefined && { run: block.run }),
  };
}

function continued(unit: Unit, block: Block): Unit {
  const { text, lines } = added(block);
  return { ...unit, text: `${unit.text}\n${text}`, lines: [...unit.lines, ...lines], ...(block.run !== undefined && { run: block.run }) };
}

function added({ setup, text, line }: Block): Pick<Unit, 'text' | 'lines'> {
  const before = setup === undefined ? [] : setup.split('\n');
  const own = text.split('\n');
  return { text: [...before, ...own].join('\n'), lines: [...before.map(() => undefined), ...own.map((_, index) => line + index)] };
}

/** Whether what was printed is what the page shows: `…` stands for anything with the blanks around it, alone on a line for any number of lines. */
export function isShown(shown: string, printed: string): boolean {
  const lines = shown.trimEnd().split('\n');
  const patterns = lines.map((line) =>
    line.trim() === '…' ? '(?:.*\\n)*?' : `${line.trimEnd().split(/ *… */).map(quoted).join('.*')}[ \\t]*\\n`,
  );
  return new RegExp(`^${patterns.join('')}$`).test(`${printed.trimEnd()}\n`);
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
