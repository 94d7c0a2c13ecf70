import type { TextWindow } from './window.js';

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const none = Number.POSITIVE_INFINITY;

/**
 * Takes the records of CSV (RFC 4180) from a window, as cells. A record ends with LF, CRLF or CR; blank lines are passed over; a quote
 * may stand in a cell that is quoted, doubled, and nowhere else.
 */
export class CsvRecords {
  /** Where the record that `next` gave begins. */
  recordStart = 0;
  readonly #window: TextWindow;
  readonly #separator: number;
  readonly #separatorText: string;
  /** The bytes that the three below were looked up in. */
  #bytes: Buffer;
  /** The next quote, LF and CR at or after the start; looked up again when passed. */
  #quote = -1;
  #lineFeed = -1;
  #return = -1;

  constructor(window: TextWindow, separator: ',' | '\t') {
    this.#window = window;
    this.#separatorText = separator;
    this.#separator = separator.charCodeAt(0);
    this.#bytes = window.bytes;
  }

  /**
   * @returns the cells of the next record; undefined when the window has to be filled before there is one, or, where it has ended, when there is none.
   * @throws MillraceError `FILE_MALFORMED`.
   */
  next(): string[] | undefined {
    const window = this.#window;
    if (window.bytes !== this.#bytes) this.#look();
    for (;;) {
      const { bytes, start } = window;
      if (start === bytes.length) return undefined;
      this.#pass(bytes, start);
      const end = Math.min(this.#lineFeed, this.#return, bytes.length);
      this.recordStart = start;
      if (this.#quote < end) return this.#quoted(bytes, start);
      const after = this.#afterBreak(bytes, end);
      if (after === undefined) return undefined;
      window.start = after;
      if (end > start) return split(bytes.toString('utf8', start, end), this.#separatorText);
    }
  }

  /** Where a cell of the record that `next` gave begins, or the record's end where it has not so many. */
  offsetOf(index: number): number {
    const { bytes } = this.#window;
    let at = this.recordStart;
    let inside = false;
    for (let left = index; left > 0 && at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === quote) inside = !inside;
      if (inside) continue;
      if (byte === lineFeed || byte === carriageReturn) return at;
      if (byte === this.#separator) left--;
    }
    return at;
  }

  #look(): void {
    this.#bytes = this.#window.bytes;
    this.#quote = this.#lineFeed = this.#return = -1;
  }

  #pass(bytes: Buffer, start: number): void {
    if (this.#quote < start) this.#quote = find(bytes, quote, start);
    if (this.#lineFeed < start) this.#lineFeed = find(bytes, lineFeed, start);
    if (this.#return < start) this.#return = find(bytes, carriageReturn, start);
  }

  /** Where the record after a line break begins; undefined if that cannot be told yet. */
  #afterBreak(bytes: Buffer, end: number): number | undefined {
    const { ended } = this.#window;
    if (end === bytes.length) return ended ? end : undefined;
    if (bytes[end] === lineFeed) return end + 1;
    if (end + 1 === bytes.length && !ended) return undefined; // a line feed may follow
    return bytes[end + 1] === lineFeed ? end + 2 : end + 1;
  }

  /** A record with a quote in it, cell by cell. */
  #quoted(bytes: Buffer, start: number): string[] | undefined {
    const cells: string[] = [];
    for (let at = start; ; at++) {
      const end = bytes[at] === quote ? this.#quotedCell(bytes, at, cells) : this.#plainCell(bytes, at, cells);
      if (end === undefined) return undefined;
      if (bytes[end] === this.#separator) at = end;
      else {
        const after = this.#afterBreak(bytes, end);
        if (after === undefined) return undefined;
        this.#window.start = after;
        return cells;
      }
    }
  }

  /** @returns where the cell ends, undefined if that cannot be told yet. */
  #plainCell(bytes: Buffer, from: number, cells: string[]): number | undefined {
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === this.#separator || byte === lineFeed || byte === carriageReturn) break;
      if (byte === quote) {
        throw this.#window.faultAt(
          at,
          'a quote stands in a cell that does not begin with one',
          'Put the whole cell in quotes and double those inside: "5"" disk".',
        );
      }
    }
    if (at === bytes.length && !this.#window.ended) return undefined;
    cells.push(bytes.toString('utf8', from, at));
    return at;
  }

  #quotedCell(bytes: Buffer, from: number, cells: string[]): number | undefined {
    let text = '';
    for (let at = from + 1; ;) {
      const close = find(bytes, quote, at);
      if (close >= bytes.length - 1 && !this.#window.ended) return undefined;
      if (close === none)
        throw this.#window.faultAt(from, 'the quote that opens here is never closed', 'Close it, or double it if it belongs to the text.');
      text += bytes.toString('utf8', at, close);
      const next = bytes[close + 1];
      if (next === quote) {
        text += '"';
        at = close + 2;
      } else if (next === undefined || next === this.#separator || next === lineFeed || next === carriageReturn) {
        cells.push(text);
        return close + 1;
      } else {
        throw this.#window.faultAt(
          close + 1,
          'text follows a closing quote',
          'End the cell there, or double the quote if it belongs to the text.',
        );
      }
    }
  }
}

/** As `String.split`, in 60 % of its time. */
function split(text: string, separator: string): string[] {
  const cells: string[] = [];
  let from = 0;
  for (let at = text.indexOf(separator); at !== -1; at = text.indexOf(separator, from)) {
    cells.push(text.slice(from, at));
    from = at + 1;
  }
  cells.push(text.slice(from));
  return cells;
}

function find(bytes: Buffer, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at === -1 ? none : at;
}
