import { MillraceError } from '../../errors.js';
import type { Row } from '../../types.js';
import { isGzipFault } from './source.js';
import { checkUtf8 } from './utf8.js';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Takes rows from a window. */
export interface RowParser {
  /**
   * @returns undefined when the window has to be filled before there is a row, or, where it has ended, when there is none.
   * @throws MillraceError `FILE_MALFORMED`.
   */
  next(): Row | undefined;
}

/** A row that is longer is a mistake, like a quote that is never closed: it is not to fill the memory. */
const longestRow = 256 * 1024 * 1024;

/**
 * The part of a text file that is being parsed: `bytes` from `start` on. A parser takes whole rows from it, moving `start`, and where a row
 * has no end yet it calls `fill` and begins that row again. Each `fill` at least doubles what the row has, so that even a very long one is
 * looked at a few times only.
 *
 * ```
 *   bytes:  …taken rows…│a row without end yet│        (`ended`: no more will come)
 *                     start
 * ```
 *
 * What stands in `bytes` is sound UTF-8. A fault of the file itself (a foreign byte, broken gzip) is thrown by the `fill` that would go past
 * it, after everything before it has been parsed.
 */
export class TextWindow {
  /** Sound text; a new object after each `fill`. */
  bytes: Buffer = Buffer.alloc(0);
  /** Where the first row begins that was not taken. */
  start = 0;
  /** Nothing follows `bytes`. */
  ended = false;

  readonly #path: string;
  readonly #longest: number;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #store: Buffer = Buffer.alloc(0);
  /** Bytes in the store; those at the end may be half a character, and then are not in `bytes`. */
  #filled = 0;
  #begun = false;
  #fault: MillraceError | undefined;
  /** The line and column of the byte `#counted` of `bytes`. */
  #place: Place = { line: 1, column: 1, afterReturn: false };
  #counted = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, path: string, longest = longestRow) {
    this.#path = path;
    this.#longest = longest;
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Gets more bytes, or finds out that there are none; not to be called once `ended`. */
  async fill(): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault;
    this.#drop();
    if (this.#filled > this.#longest) {
      throw this.faultAt(
        this.start,
        `the row that begins here has more than ${this.#longest} bytes`,
        'Is a quote or a bracket never closed?',
      );
    }
    const wanted = this.#begun ? this.#filled * 2 : 4;
    let stopped: Stopped | undefined;
    do stopped = await this.#append();
    while (stopped === undefined && this.#filled < wanted);
    if (!this.#begun) this.#begin();
    this.#check(stopped);
  }

  /** The error of a mistake at a byte of `bytes`. */
  faultAt(offset: number, what: string, fix = '', cause?: unknown): MillraceError {
    const { line, column } = advance(this.#place, this.bytes, this.#counted, offset);
    const where = `${this.#path}:${line}:${column}`;
    const message = `${where}: ${what}.${fix === '' ? '' : ` ${fix}`}`;
    return new MillraceError('FILE_MALFORMED', message, cause === undefined ? { where: [where] } : { where: [where], cause });
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Forgets the rows that were taken. */
  #drop(): void {
    this.#place = advance(this.#place, this.bytes, this.#counted, this.start);
    this.#store.copyWithin(0, this.start, this.#filled);
    this.#filled -= this.start;
    this.bytes = this.#store.subarray(0, this.bytes.length - this.start);
    this.start = this.#counted = 0;
  }

  /** @returns why there was nothing to add. */
  async #append(): Promise<Stopped | undefined> {
    try {
      const { done, value } = (await this.#chunks.next()) as IteratorResult<Uint8Array, void>;
      if (done === true) return {};
      if (this.#filled + value.length > this.#store.length) this.#grow(this.#filled + value.length);
      this.#store.set(value, this.#filled);
      this.#filled += value.length;
      return undefined;
    } catch (error) {
      if (isGzipFault(error)) return { failure: error };
      throw error;
    }
  }

  #grow(least: number): void {
    const store = Buffer.allocUnsafeSlow(Math.max(least, this.#store.length * 2));
    this.#store.copy(store, 0, 0, this.#filled);
    this.#store = store;
  }

  /** Passes over a byte order mark, and refuses what is plainly something else than text. */
  #begin(): void {
    this.#begun = true;
    const first = this.#store.subarray(0, Math.min(4, this.#filled)).toString('latin1');
    if (first.startsWith('\xef\xbb\xbf')) this.start = this.#counted = 3;
    const foreign = foreigners.find(([mark]) => first.startsWith(mark));
    if (foreign !== undefined) throw this.faultAt(0, foreign[1], foreign[2]);
  }

  /** Moves the end of `bytes` to where sound text ends. */
  #check(stopped: Stopped | undefined): void {
    const { end, bad } = checkUtf8(this.#store, Math.max(this.bytes.length, this.start), this.#filled);
    this.bytes = this.#store.subarray(0, end);
    if (bad) this.#fault = this.#foreignByte(end);
    else if (stopped?.failure !== undefined) this.#fault = this.faultAt(end, ...describeGzip(stopped.failure), stopped.failure);
    else if (stopped !== undefined && end < this.#filled)
      this.#fault = this.faultAt(end, 'the file is truncated: it ends in the middle of a character');
    this.ended = stopped !== undefined && this.#fault === undefined;
  }

  #foreignByte(at: number): MillraceError {
    const hex = (this.#store[at] ?? 0).toString(16).toUpperCase().padStart(2, '0');
    return this.faultAt(
      at,
      `the byte 0x${hex} is not UTF-8`,
      `Convert the file, for instance with: iconv -f ISO-8859-1 -t UTF-8 (or -f WINDOWS-1252).`,
    );
  }
}

/** That no more bytes come, and whether the gzip data is why. */
interface Stopped {
  readonly failure?: Error & { readonly code: string };
}

interface Place {
  readonly line: number;
  readonly column: number;
  /** A line feed that follows belongs to the carriage return. */
  readonly afterReturn: boolean;
}

/** The place after the bytes from `from` to `to`: a line ends with LF, CRLF or CR, and columns are characters (code points). */
function advance(place: Place, bytes: Buffer, from: number, to: number): Place {
  let { line, column, afterReturn } = place;
  let at = from;
  if (!afterReturn && bytes.subarray(from, to).indexOf(carriageReturn) === -1) {
    // whole lines natively: this is done to every byte of every file
    for (let end = bytes.indexOf(lineFeed, at); end !== -1 && end < to; end = bytes.indexOf(lineFeed, at)) {
      line++;
      column = 1;
      at = end + 1;
    }
  }
  for (; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === lineFeed || byte === carriageReturn) {
      if (byte === carriageReturn || !afterReturn) line++;
      column = 1;
    } else if ((byte & 0xc0) !== 0x80) column++; // the other bytes of a character go on with it
    afterReturn = byte === carriageReturn;
  }
  return { line, column, afterReturn };
}

function describeGzip({ code, message }: { readonly code: string; readonly message: string }): [what: string, fix: string] {
  if (code === 'Z_BUF_ERROR') return ['the gzip data is truncated: it ends too early', 'Fetch or make the file again.'];
  if (message.includes('incorrect header check'))
    return ['the file is not gzip data, though its name ends in .gz', 'Take .gz off its name, or compress it.'];
  return [`the gzip data is corrupt (${message})`, 'Fetch or make the file again.'];
}

/** How files begin that are no UTF-8 text, what they are, what to do. */
const foreigners: readonly (readonly [mark: string, what: string, fix: string])[] = [
  ['\xff\xfe', 'the file is UTF-16, not UTF-8', 'Convert it, for instance with: iconv -f UTF-16 -t UTF-8.'],
  ['\xfe\xff', 'the file is UTF-16, not UTF-8', 'Convert it, for instance with: iconv -f UTF-16 -t UTF-8.'],
  ['\x1f\x8b', 'the file is gzip data, though its name does not end in .gz', 'Add .gz to its name.'],
  ['PK\x03\x04', 'the file is a zip archive or a spreadsheet, not text', 'Export it as CSV.'],
];
