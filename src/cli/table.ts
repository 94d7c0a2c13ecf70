import type { Output } from './output.js';

export interface ColumnSpec {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const gap = '  ';
/** No column of a narrow terminal is narrower, unless its content is. */
const least = 6;
const frame = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
];

/** Rows under a header, without rules; on a terminal columns are narrowed, and cells cut, so that each row is one line. */
export async function printTable(out: Output, columns: readonly ColumnSpec[], rows: readonly (readonly string[])[]): Promise<void> {
  const { default: Table } = await import('cli-table3');
  const lines = [columns.map(({ title }) => title), ...rows].map((row) => row.map(toLine));
  const natural = columns.map((_, index) => Math.max(...lines.map((row) => widthOf(row[index] ?? ''))));
  const table = new Table({
    colWidths: fitWidths(natural, out.width),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: { ...Object.fromEntries(frame.map((name) => [name, ''])), middle: gap },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...lines);
  const [head = '', ...body] = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  out.line(out.colors.bold(head));
  for (const line of body) out.line(line);
}

/** The widths that are available in all: the widest columns give first. */
export function fitWidths(natural: readonly number[], available: number | undefined): number[] {
  const widths = natural.map((width) => Math.max(width, 1));
  if (available === undefined) return widths;
  let over = widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1) - available;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= least) break;
    widths[widths.indexOf(widest)] = widest - 1;
    over--;
  }
  return widths;
}

/** What would break a line, or command a terminal, as an escape that shows. */
function toLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what this is for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const json = JSON.stringify(character).slice(1, -1);
    return json === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : json;
  });
}

/** Characters that take two columns of a terminal. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;

function widthOf(text: string): number {
  return [...text].length + (text.match(wide)?.length ?? 0);
}
