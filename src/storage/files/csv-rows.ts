import { describeValue } from '../../errors.js';
import type { Column, Row } from '../../types.js';
import { cellConverter } from './convert.js';
import { CsvRecords } from './csv-records.js';
import type { RowParser, TextWindow } from './window.js';

/** The rows of CSV or TSV: the first record is the header, and every other one has as many cells. */
export class CsvRows implements RowParser {
  readonly #window: TextWindow;
  readonly #records: CsvRecords;
  readonly #columns: readonly Column[];
  #header: readonly string[] | undefined;
  #put: readonly PutCell[] = [];

  constructor(window: TextWindow, separator: ',' | '\t', columns: readonly Column[]) {
    this.#window = window;
    this.#records = new CsvRecords(window, separator);
    this.#columns = columns;
  }

  /** The names of the columns; undefined until the first record has been read. */
  get header(): readonly string[] | undefined {
    return this.#header;
  }

  next(): Row | undefined {
    if (this.#header === undefined) this.#readHeader();
    const cells = this.#records.next();
    if (cells === undefined) return undefined;
    const put = this.#put;
    if (cells.length !== put.length) throw this.#wrongWidth(cells.length);
    const row: Record<string, unknown> = {};
    for (let index = 0; index < put.length; index++) put[index]?.(row, cells[index] ?? '');
    return row;
  }

  #readHeader(): void {
    const names = this.#records.next();
    if (names === undefined) return;
    const known = new Map<string, number>();
    names.forEach((name, index) => {
      const column = index + 1;
      const before = known.get(name);
      if (name === '') throw this.#fault(index, `column ${column} has no name in the header`, 'Name it, or take the column out.');
      if (before !== undefined)
        throw this.#fault(
          index,
          `the header names ${describeValue(name)} twice, in columns ${before} and ${column}`,
          'Rename one of them.',
        );
      known.set(name, column);
    });
    this.#header = names;
    const declared = new Map(this.#columns.map((column) => [column.name, column]));
    this.#put = names.map((name) => putCell(name, cellConverter(declared.get(name))));
  }

  #wrongWidth(width: number): Error {
    const expected = this.#put.length;
    const cells = `${width} cell${width === 1 ? '' : 's'}`;
    const fix =
      width > expected
        ? 'Put a cell that has a separator or a line break in it into quotes.'
        : 'Add the missing cells, if only their separators.';
    return this.#fault(Math.min(width, expected), `the row has ${cells}, its header has ${expected}`, fix);
  }

  #fault(cell: number, what: string, fix: string): Error {
    return this.#window.faultAt(this.#records.offsetOf(cell), what, fix);
  }
}

type PutCell = (row: Record<string, unknown>, cell: string) => void;

function putCell(name: string, convert: ((text: string) => unknown) | undefined): PutCell {
  if (name === '__proto__') return (row, cell) => define(row, name, convert === undefined ? cell : convert(cell));
  if (convert === undefined) {
    return (row, cell) => {
      row[name] = cell;
    };
  }
  return (row, cell) => {
    const value = convert(cell);
    if (value !== undefined) row[name] = value;
  };
}

/** As a property of the row's own, where an assignment would change what the row inherits from. */
function define(row: object, name: string, value: unknown): void {
  if (value !== undefined) Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
}
