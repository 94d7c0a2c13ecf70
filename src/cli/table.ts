import type { Output } from './output.js';

export interface ColumnSpec {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const gap = '  ';
/** No column of a narrow terminal is narrower, unless its content is. */
const least = 6;
/** Lines written at a time. */
const chunk = 1000;

/** Rows under a header, without rules; on a terminal columns are narrowed, and cells cut, so that each row is one line. */
export async function printTable(out: Output, columns: readonly ColumnSpec[], rows: readonly (readonly string[])[]): Promise<void> {
  const [head = [], ...body] = [columns.map(({ title }) => title), ...rows].map((row) => row.map(toLine));
  const widths = fitWidths(naturalWidths([head, ...body], columns.length), out.width);
  const toText = (row: readonly string[]): string =>
    columns
      .map(({ align }, index) => fitCell(row[index] ?? '', widths[index] ?? 0, align))
      .join(gap)
      .trimEnd();
  out.line(out.colors.bold(toText(head)));
  for (let at = 0; at < body.length && !out.isClosed; at += chunk) {
    const lines = body.slice(at, at + chunk).map((row) => `${toText(row)}\n`);
    await out.write(lines.join(''));
  }
}

function naturalWidths(rows: readonly (readonly string[])[], count: number): number[] {
  const widths = new Array<number>(count).fill(0);
  for (const row of rows) for (let at = 0; at < count; at++) widths[at] = Math.max(widths[at] ?? 0, widthOf(row[at] ?? ''));
  return widths;
}

function fitCell(text: string, width: number, align: ColumnSpec['align']): string {
  const cut = widthOf(text) <= width ? text : cutTo(text, width);
  const padding = ' '.repeat(Math.max(width - widthOf(cut), 0));
  return align === 'right' ? padding + cut : cut + padding;
}

/** What fits, with an ellipsis that says there is more. */
function cutTo(text: string, width: number): string {
  let cut = '';
  let left = width - 1;
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    cut += character;
  }
  return `${cut}…`;
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

/** Characters that take none: what is set on the one before, or joins two. */
const narrow = /[\p{Mn}\p{Me}\u200b-\u200d\ufe0e\ufe0f]/gu;

function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  return [...text].length + (text.match(wide)?.length ?? 0) - (text.match(narrow)?.length ?? 0);
}
