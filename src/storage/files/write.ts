import { rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MillraceError, toError } from '../../errors.js';
import type { Column, Row } from '../../types.js';
import { makeFolders } from '../folder.js';
import { copyExisting } from './append.js';
import { CsvRecords } from './csv-records.js';
import { createEncoder, CsvEncoder, type Encoder } from './encode.js';
import type { FileFormat } from './format.js';
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
        open,
        sink,
        encoder: encoder ?? createEncoder(options.format, options.columns),
        options,
      });
    } catch (error) {
      await sink?.remove();
      await removeFolders(dirname(target), made);
      throw error;
    }
  });
}

interface Opened {
  readonly temporary: string;
  readonly target: string;
  /** The uppermost folder that was made. */
  readonly made: string | undefined;
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
  #aborted = false;

  constructor(opened: Opened) {
    this.temporary = opened.temporary;
    this.target = opened.target;
    this.#opened = opened;
    this.#sink = opened.sink;
  }

  write(rows: readonly Row[]): Promise<void> {
    return this.#then(async () => {
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
    await removeFolders(dirname(this.target), this.#opened.made);
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

async function identify(target: string): Promise<(FileIdentity & { readonly size: number }) | undefined> {
  try {
    const found = await stat(target);
    if (found.isFile()) return found;
    throw new MillraceError('FILE_UNWRITABLE', `File '${target}' cannot be written: it is no regular file.`);
  } catch (error) {
    if ((toError(error) as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The folders that were made, from the innermost outwards; one that holds something else stays, and those around it. */
async function removeFolders(folder: string, uppermost: string | undefined): Promise<void> {
  if (uppermost === undefined) return;
  try {
    await rmdir(folder);
  } catch {
    return; // not empty, or gone
  }
  if (folder !== uppermost) await removeFolders(dirname(folder), uppermost);
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
