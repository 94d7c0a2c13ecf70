import type { Column, Row } from '../../types.js';
import { CsvRows } from './csv-rows.js';
import type { FileFormat } from './format.js';
import { JsonRows, NdjsonRows } from './json-rows.js';
import { openBytes } from './source.js';
import { TextWindow, type RowParser } from './window.js';

export interface ReadFileOptions {
  readonly format: FileFormat;
  readonly gzip: boolean;
  /** What cells (and, for dates, JSON strings) are converted to; without it cells stay text. */
  readonly columns?: readonly Column[] | undefined;
  /** Rows in a batch; default 1,000. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The rows of a file, streamed in batches; the memory that it takes does not grow with the file. Each iteration opens the file anew. Rows
 * before a mistake are given before the mistake is thrown.
 *
 * @throws MillraceError `FILE_UNREADABLE` where the system refuses, `FILE_MALFORMED` with `file:line:column` (both from 1; characters) for bad
 *   UTF-8, gzip, CSV or JSON; the signal's reason when it is aborted.
 */
export function readFile(path: string, options: ReadFileOptions): AsyncIterable<readonly Row[]> {
  return { [Symbol.asyncIterator]: () => parseRows(openBytes(path, options), path, options) };
}

/** What `readFile` does with the bytes of a file, which may come in any pieces. */
export async function* parseRows(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  options: ReadFileOptions,
): AsyncGenerator<readonly Row[], void, void> {
  const { batchSize = 1000, columns = [], format, signal } = options;
  const window = new TextWindow(chunks, path);
  const rows = openParser[format](window, columns);
  try {
    for (;;) {
      const batch: Row[] = [];
      const outcome = await takeRows(rows, window, batch, batchSize).catch((error: unknown) => ({ error }));
      signal?.throwIfAborted();
      if (batch.length > 0) yield batch;
      if (outcome === 'done') return;
      if (outcome !== 'more') throw outcome.error;
    }
  } finally {
    await window.close();
  }
}

/** Fills a batch, or takes what there is. */
async function takeRows(rows: RowParser, window: TextWindow, batch: Row[], size: number): Promise<'more' | 'done'> {
  while (batch.length < size) {
    const row = rows.next();
    if (row !== undefined) batch.push(row);
    else if (window.ended) return 'done';
    else await window.fill();
  }
  return 'more';
}

const openParser: Readonly<Record<FileFormat, (window: TextWindow, columns: readonly Column[]) => RowParser>> = {
  csv: (window, columns) => new CsvRows(window, ',', columns),
  tsv: (window, columns) => new CsvRows(window, '\t', columns),
  json: (window, columns) => new JsonRows(window, columns),
  ndjson: (window, columns) => new NdjsonRows(window, columns),
};
