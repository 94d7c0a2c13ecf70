import { MillraceError, suggestName } from '../../errors.js';
import type { Column, Row } from '../../types.js';
import type { FileFormat } from './format.js';
import { toCellText, toJsonText } from './plain-value.js';

/** Makes the text of a file of rows, piece by piece. */
export interface Encoder {
  encode(rows: readonly Row[]): string;
  /** What comes last. */
  end(): string;
}

/** A JSON array, a row a line. */
export class JsonEncoder implements Encoder {
  #any = false;

  encode(rows: readonly Row[]): string {
    return this.encodeTexts(rows.map((row) => toJsonText(row) ?? 'null'));
  }

  /** Rows that are JSON text already. */
  encodeTexts(texts: readonly string[]): string {
    if (texts.length === 0) return '';
    const before = this.#any ? ',\n' : '[\n';
    this.#any = true;
    return before + texts.join(',\n');
  }

  end(): string {
    return this.#any ? '\n]\n' : '[]\n';
  }
}

/** A row a line, as JSON. */
export class NdjsonEncoder implements Encoder {
  encode(rows: readonly Row[]): string {
    let text = '';
    for (const row of rows) text += `${toJsonText(row) ?? 'null'}\n`;
    return text;
  }

  end(): string {
    return '';
  }
}

export interface CsvEncoderOptions {
  readonly separator: ',' | '\t';
  readonly columns?: readonly Column[] | undefined;
  /** The header of the file that rows are added to: no column can be new. */
  readonly existing?: { readonly path: string; readonly header: readonly string[]; readonly lineEnd: string } | undefined;
}

/**
 * CSV (RFC 4180): the columns that are declared, then the others as they are first seen. Where one is first seen after the header was given out, the rows
 * from there on are wider: `widened` then says that all is to be written once more, with `header` at its top.
 */
export class CsvEncoder implements Encoder {
  readonly #options: CsvEncoderOptions;
  readonly #format: CellFormat;
  readonly #columns: Set<string>;
  /** Columns in the header that was given out; -1 before. */
  #width = -1;
  /** Rows without any property that came before there was a column. */
  #early = 0;

  constructor(options: CsvEncoderOptions) {
    this.#options = options;
    this.#format = new CellFormat(options.separator, options.existing?.lineEnd ?? '\n');
    this.#columns = new Set(options.existing?.header ?? options.columns?.map((column) => column.name));
    if (options.existing !== undefined) this.#width = this.#columns.size;
  }

  get widened(): boolean {
    return this.#width !== -1 && this.#width !== this.#columns.size;
  }

  /** The columns as a line. */
  header(): string {
    return this.#format.line([...this.#columns]);
  }

  /** A record that was written when there were fewer columns. */
  widen(cells: readonly string[]): string {
    return this.#format.line([...cells, ...Array<string>(this.#columns.size - cells.length).fill('')]);
  }

  encode(rows: readonly Row[]): string {
    for (const row of rows) for (const name of Object.keys(row)) if (!this.#columns.has(name)) this.#add(name, row);
    if (this.#columns.size === 0) this.#early += rows.length;
    let text = this.#begin();
    for (const row of rows) text += this.#line(row as Record<string, unknown>);
    return text;
  }

  end(): string {
    return this.#begin();
  }

  #begin(): string {
    if (this.#width !== -1 || this.#columns.size === 0) return '';
    this.#width = this.#columns.size;
    return this.header() + this.widen([]).repeat(this.#early);
  }

  #line(row: Record<string, unknown>): string {
    if (this.#columns.size === 0) return '';
    const cells: string[] = [];
    for (const name of this.#columns) cells.push(Object.hasOwn(row, name) ? toCellText(row[name]) : '');
    return this.#format.line(cells);
  }

  #add(name: string, row: object): void {
    const value = (row as Record<string, unknown>)[name];
    if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return;
    const { existing } = this.#options;
    if (name === '')
      throw new MillraceError(
        'FILE_UNWRITABLE',
        `A row has a property without a name, which the header of CSV cannot hold. Name it, or write JSON.`,
      );
    if (existing !== undefined) {
      const about = `File '${existing.path}' cannot be appended to: a row has '${name}', and the file has no such column.`;
      throw new MillraceError('FILE_UNWRITABLE', `${about} ${suggestName(name, existing.header)}`);
    }
    this.#columns.add(name);
  }
}

/** Cells as lines; what a reader would take for something else, or trim, goes into quotes. */
class CellFormat {
  readonly #separator: string;
  readonly #lineEnd: string;
  readonly #delicate: RegExp;

  constructor(separator: ',' | '\t', lineEnd: string) {
    this.#separator = separator;
    this.#lineEnd = lineEnd;
    this.#delicate = separator === ',' ? /[",\r\n]|^\s|\s$/ : /["\t\r\n]|^\s|\s$/;
  }

  line(cells: readonly string[]): string {
    let text = this.#cell(cells[0] ?? '');
    for (let index = 1; index < cells.length; index++) text += this.#separator + this.#cell(cells[index] ?? '');
    return (text === '' ? '""' : text) + this.#lineEnd; // a line of nothing would be passed over
  }

  #cell(text: string): string {
    return this.#delicate.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }
}

export function createEncoder(format: FileFormat, columns: readonly Column[] | undefined): Encoder {
  if (format === 'json') return new JsonEncoder();
  return format === 'ndjson' ? new NdjsonEncoder() : new CsvEncoder({ separator: format === 'csv' ? ',' : '\t', columns });
}
