import type { Column, Row } from '../../types.js';
import { toDate } from './convert.js';
import { describeByte, JsonMistake, scanJson, skipSpace, unfinished } from './json-scan.js';
import type { RowParser, TextWindow } from './window.js';

const [openBrace, openBracket, closeBracket, comma, lineFeed] = [0x7b, 0x5b, 0x5d, 0x2c, 0x0a];

/**
 * The rows of a JSON file, one by one: an array of objects, or one object.
 *
 * ```
 *   begin ─ [ ─▸ first ─ {…} ─▸ between ◂──┐
 *     │            └─ ] ─┐       │ ,       │
 *     │                  ▼   ] ──┤     {…} │
 *     └──── {…} ─────▸ after ◂───┘  element ┘
 * ```
 */
export class JsonRows implements RowParser {
  readonly #window: TextWindow;
  readonly #finish: (row: object) => Row;
  #at: 'begin' | 'first' | 'element' | 'between' | 'after' = 'begin';

  constructor(window: TextWindow, columns: readonly Column[]) {
    this.#window = window;
    this.#finish = dateConverter(columns);
  }

  next(): Row | undefined {
    const text = this.nextText();
    return text === undefined ? undefined : this.#finish(JSON.parse(text) as object);
  }

  /** The next row as it stands in the file. */
  nextText(): string | undefined {
    const window = this.#window;
    for (;;) {
      const { bytes } = window;
      const start = (window.start = skipSpace(bytes, window.start));
      const byte = bytes[start];
      if (byte === undefined) return this.#end();
      if (this.#at === 'after') throw this.#notOver(byte);
      if (this.#at === 'begin' && byte === openBrace) return this.#object('after');
      if (this.#at === 'element' || (this.#at === 'first' && byte !== closeBracket)) return this.#object('between');
      this.#step(byte);
      window.start = start + 1;
    }
  }

  #step(byte: number): void {
    if (this.#at === 'begin') {
      if (byte !== openBracket) throw this.#expected('an array of objects, or one object');
      this.#at = 'first';
    } else if (byte === closeBracket) this.#at = 'after';
    else if (byte === comma) this.#at = 'element';
    else throw this.#expected("',' or ']'");
  }

  #object(then: 'between' | 'after'): string | undefined {
    const { bytes, start, ended } = this.#window;
    if (bytes[start] !== openBrace) throw this.#expected('an object');
    const end = scanned(this.#window, bytes);
    if (end === unfinished) {
      if (ended) throw this.#window.faultAt(bytes.length, 'the file is truncated: it ends in the middle of an object');
      return undefined;
    }
    this.#window.start = end;
    this.#at = then;
    return bytes.toString('utf8', start, end);
  }

  #end(): undefined {
    const { bytes, ended } = this.#window;
    if (!ended || this.#at === 'after') return undefined;
    if (this.#at === 'begin')
      throw this.#window.faultAt(
        bytes.length,
        'the file is empty: expected an array of objects, or one object',
        "No rows are written '[]'.",
      );
    throw this.#window.faultAt(bytes.length, 'the file is truncated: its array is not closed');
  }

  #expected(what: string): Error {
    const { bytes, start } = this.#window;
    return this.#window.faultAt(start, `expected ${what}, found ${describeByte(bytes, start)}`);
  }

  #notOver(byte: number): Error {
    const { bytes, start } = this.#window;
    const fix = byte === openBrace ? 'One object a line is NDJSON: name the file .ndjson, or bind it with ?format=ndjson.' : '';
    return this.#window.faultAt(start, `expected the end of the file, found ${describeByte(bytes, start)}`, fix);
  }
}

/** The rows of an NDJSON file: an object a line; blank lines are passed over. */
export class NdjsonRows implements RowParser {
  readonly #window: TextWindow;
  readonly #finish: (row: object) => Row;

  constructor(window: TextWindow, columns: readonly Column[]) {
    this.#window = window;
    this.#finish = dateConverter(columns);
  }

  next(): Row | undefined {
    const window = this.#window;
    for (;;) {
      const { bytes, start } = window;
      if (start === bytes.length) return undefined;
      const feed = bytes.indexOf(lineFeed, start);
      if (feed === -1 && !window.ended) return undefined;
      const end = feed === -1 ? bytes.length : feed;
      const from = skipSpace(bytes, start);
      if (from < end) return this.#finish(this.#parse(bytes, from, end));
      window.start = Math.min(end + 1, bytes.length);
    }
  }

  #parse(bytes: Buffer, from: number, end: number): object {
    if (bytes[from] !== openBrace) throw this.#window.faultAt(from, `expected an object, found ${describeByte(bytes, from)}`);
    let row: object;
    try {
      row = JSON.parse(bytes.toString('utf8', from, end)) as object;
    } catch {
      throw this.#mistake(bytes, from, end); // the engine's error is not kept: it does not tell where, and quotes the row, secrets and all
    }
    this.#window.start = Math.min(end + 1, bytes.length);
    return row;
  }

  #mistake(bytes: Buffer, from: number, end: number): Error {
    const window = this.#window;
    window.start = from;
    const over = scanned(window, bytes.subarray(0, end));
    if (over !== unfinished) {
      const at = skipSpace(bytes, over);
      return window.faultAt(at, `expected the end of the line, found ${describeByte(bytes, at)}`, 'Write one object a line.');
    }
    if (end === bytes.length) return window.faultAt(end, 'the file is truncated: it ends in the middle of an object');
    return window.faultAt(
      end,
      'the line ends in the middle of an object',
      'Write one object a line; one that spans lines is JSON: name the file .json.',
    );
  }
}

/** Where the value ends that begins at the window's start. */
function scanned(window: TextWindow, bytes: Uint8Array): number {
  try {
    return scanJson(bytes, window.start);
  } catch (error) {
    if (error instanceof JsonMistake) throw window.faultAt(error.offset, error.message);
    throw error;
  }
}

/** Makes Dates of strings where a column says so: JSON has no dates of its own. */
function dateConverter(columns: readonly Column[]): (row: object) => Row {
  const names = columns.filter((column) => column.type === 'date').map((column) => column.name);
  if (names.length === 0) return (row) => row;
  return (row) => {
    for (const name of names) {
      const value = Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined;
      if (typeof value === 'string') (row as Record<string, unknown>)[name] = toDate(value);
    }
    return row;
  };
}
