import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MillraceError, toError } from '../../errors.js';
import type { Column, Row } from '../../types.js';
import { makeFolders, removeFolders } from '../make-folders.js';
import { copyExisting } from './append.js';
import { CsvRecords } from './csv-records.js';
import { createEncoder, CsvEncoder, type Encoder } from './encode.js';
import type { FileFormat } from './format.js';
import { readFile } from './read.js';
import { ByteSink, type FileIdentity } from './sink.js';
import { describeRefusal, openBytes } from './source.js';
import { resolveTarget, temporaryName } from './temporary.js';
import { TextWindow } from './window.js';

export { publishFile, sweepTemporary, temporaryName } from './temporary.js';

export interface FileWriterOptions {
  readonly format: FileFormat;
  readonly gzip: boolean;
  /** The columns that come first in CSV and TSV, in their order; a header is written for them even if there are no rows. */
  readonly columns?: readonly Column[] | undefined;
  /** `append`: the new file has the rows of the old one first. */
  readonly mode: 'replace' | 'append';
  /** Unique among the writers of this process; goes into the temporary name. */
  readonly id: string;
}

/** A file in the making, beside the one that it takes the place of. */
export interface FileWriter {
  /** Where it is built: `temporaryName(target, id)`. */
  readonly temporary: string;
  /** Where it belongs, symbolic links followed. */
  readonly target: string;
  /** Resolves when more may come (back-pressure). */
  write(rows: readonly Row[]): Promise<void>;
  /** Completes the temporary file, flushed to the disk, ready to be renamed. */
  finish(): Promise<void>;
  /** Removes the temporary file and the folders made for it; never throws for what is gone. */
  abort(): Promise<void>;
}

/** Rows that are made into text at a time. */
const pieceRows = 500;

/**
 * Begins a file. Missing folders are made; permissions and owner are those of the file that is there, if any.
 *
 * @throws MillraceError `FILE_UNWRITABLE` where the system refuses; `FILE_MALFORMED` or `FILE_UNREADABLE` for a file that cannot be appended to.
 */
export async function openFileWriter(path: string, options: FileWriterOptions): Promise<FileWriter> {
  const target = resolveTarget(path);
  const temporary = temporaryName(target, options.id);
  return guarded(target, async () => {
    const existing = await identify(target);
    const made = makeFolders(dirname(target));
    const open = () => ByteSink.create(temporary, options.gzip, existing);
    let sink: ByteSink | undefined;
    try {
      sink = await open();
      const goesOn = options.mode === 'append' && existing !== undefined && existing.size > 0;
      const encoder = goesOn ? await copyExisting({ path: target, ...options }, sink) : undefined;
      return new TargetWriter({
        temporary,
        target,
        made,
        existing,
        open,
        sink,
        encoder: encoder ?? createEncoder(options.format, options.columns),
        options,
      });
    } catch (error) {
      await sink?.remove();
      removeFolders(dirname(target), made);
      throw error;
    }
  });
}

interface Opened {
  readonly temporary: string;
  readonly target: string;
  /** The uppermost folder that was made. */
  readonly made: string | undefined;
  /** What was there when this began. */
  readonly existing: Existence | undefined;
  /** Makes the temporary file (again). */
  readonly open: () => Promise<ByteSink>;
  readonly sink: ByteSink;
  readonly encoder: Encoder;
  readonly options: FileWriterOptions;
}

class TargetWriter implements FileWriter {
  readonly temporary: string;
  readonly target: string;
  readonly #opened: Opened;
  #sink: ByteSink;
  /** What was asked for last; each waits for the one before. */
  #last: Promise<void> = Promise.resolve();
  #finished: Promise<void> | undefined;
  #rows = 0;
  #aborted = false;

  constructor(opened: Opened) {
    this.temporary = opened.temporary;
    this.target = opened.target;
    this.#opened = opened;
    this.#sink = opened.sink;
  }

  write(rows: readonly Row[]): Promise<void> {
    return this.#then(async () => {
      this.#rows += rows.length;
      for (let at = 0; at < rows.length && !this.#aborted; at += pieceRows) {
        await this.#sink.write(this.#opened.encoder.encode(rows.slice(at, at + pieceRows)));
      }
    });
  }

  finish(): Promise<void> {
    this.#finished ??= this.#then(async () => {
      const { encoder } = this.#opened;
      await this.#sink.write(encoder.end());
      const again = encoder instanceof CsvEncoder && encoder.widened;
      await this.#sink.finish(!again);
      if (again) await this.#widen(encoder);
      if (this.#opened.options.mode === 'append' && !isSame(this.#opened.existing, await identify(this.target))) await this.#addAnew();
    });
    return this.#finished;
  }

  async abort(): Promise<void> {
    this.#aborted = true;
    await this.#last.catch(() => undefined); // whoever asked for it has the error
    await this.#remove();
  }

  /** After what was asked for before; what fails leaves nothing behind, and fails all that follows. */
  #then(step: () => Promise<void>): Promise<void> {
    const next = this.#last.then(() =>
      guarded(this.target, async () => {
        try {
          await step();
        } catch (error) {
          await this.#remove();
          throw error;
        }
      }),
    );
    next.catch(() => undefined); // also given to the caller
    this.#last = next;
    return next;
  }

  async #remove(): Promise<void> {
    await this.#sink.remove();
    removeFolders(dirname(this.target), this.#opened.made);
  }

  /**
   * Adds the rows to what the target holds now, since others have published to it in the meantime. The rows are read through an open
   * handle when their name is gone already, as below.
   */
  async #addAnew(): Promise<void> {
    const { format, gzip, columns } = this.#opened.options;
    const batches = readFile(this.temporary, { format, gzip });
    let others = -this.#rows;
    for await (const { length } of batches) others += length;
    const rows = batches[Symbol.asyncIterator]();
    try {
      let next = await rows.next();
      await this.#sink.remove();
      this.#sink = await this.#opened.open();
      const encoder = (await copyExisting({ path: this.target, format, gzip }, this.#sink)) ?? createEncoder(format, columns);
      for (; next.done !== true; next = await rows.next()) {
        await this.#sink.write(encoder.encode(next.value.slice(Math.max(0, others))));
        others -= next.value.length;
      }
      await this.#sink.write(encoder.end());
      await this.#sink.finish(true);
    } finally {
      await rows.return?.();
    }
  }

  /**
   * Writes all once more, since there are more columns than at first. The narrow file is read through its open handle when its name is
   * gone already, so that only one name has to be cleaned up after a crash.
   */
  async #widen(encoder: CsvEncoder): Promise<void> {
    const { gzip, format } = this.#opened.options;
    const window = new TextWindow(openBytes(this.temporary, { gzip }), this.temporary);
    try {
      await window.fill();
      await this.#sink.remove();
      this.#sink = await this.#opened.open();
      await rewrite(new CsvRecords(window, format === 'tsv' ? '\t' : ','), window, encoder, this.#sink);
      await this.#sink.finish(true);
    } finally {
      await window.close();
    }
  }
}

async function rewrite(records: CsvRecords, window: TextWindow, encoder: CsvEncoder, sink: ByteSink): Promise<void> {
  let text = encoder.header();
  let isHeader = true;
  for (;;) {
    for (let cells = records.next(); cells !== undefined; cells = records.next()) {
      if (!isHeader) text += encoder.widen(cells);
      isHeader = false;
    }
    await sink.write(text);
    if (window.ended) return;
    text = '';
    await window.fill();
  }
}

interface Existence extends FileIdentity {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

function isSame(before: Existence | undefined, now: Existence | undefined): boolean {
  return before?.ino === now?.ino && before?.size === now?.size && before?.mtimeMs === now?.mtimeMs;
}

async function identify(target: string): Promise<Existence | undefined> {
  try {
    const found = await stat(target);
    if (found.isFile()) return found;
    throw new MillraceError('FILE_UNWRITABLE', `File '${target}' cannot be written: it is no regular file.`);
  } catch (error) {
    if ((toError(error) as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Says what the system refused in words. */
async function guarded<T>(target: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new MillraceError('FILE_UNWRITABLE', `File '${target}' cannot be written: ${describeRefusal(cause)}.`, { cause });
  }
}
