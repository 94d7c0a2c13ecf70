import { CsvEncoder, JsonEncoder, NdjsonEncoder, type Encoder } from './encode.js';
import type { FileFormat } from './format.js';
import { CsvRows } from './csv-rows.js';
import { JsonRows } from './json-rows.js';
import type { ByteSink } from './sink.js';
import { openBytes } from './source.js';
import { TextWindow } from './window.js';

/** A file that rows are added to. */
export interface Existing {
  readonly path: string;
  readonly format: FileFormat;
  readonly gzip: boolean;
}

/**
 * Copies what a file has into the sink.
 *
 * @returns an encoder that goes on where the file stops; undefined where it has not even a header, so that a new one may take its place.
 * @throws MillraceError `FILE_MALFORMED` where the new rows could not be told from what the file has.
 */
export async function copyExisting(file: Existing, sink: ByteSink): Promise<Encoder | undefined> {
  if (file.format === 'json') return copyJson(file, sink);
  if (file.format === 'ndjson') {
    await copyText(file, sink, '\n');
    return new NdjsonEncoder();
  }
  return copyCsv(file, file.format === 'csv' ? ',' : '\t', sink);
}

async function copyCsv(file: Existing, separator: ',' | '\t', sink: ByteSink): Promise<Encoder | undefined> {
  const { header, lineEnd } = await surveyCsv(file, separator);
  if (header === undefined) return undefined;
  await copyText(file, sink, lineEnd);
  return new CsvEncoder({ separator, existing: { path: file.path, header, lineEnd } });
}

/** Reads the whole file, since rows after a quote that is never closed would be part of a cell. */
async function surveyCsv(
  file: Existing,
  separator: ',' | '\t',
): Promise<{ readonly header: readonly string[] | undefined; readonly lineEnd: string }> {
  const window = new TextWindow(openBytes(file.path, file), file.path);
  const rows = new CsvRows(window, separator, []);
  let lineEnd: string | undefined;
  try {
    for (;;) {
      const row = rows.next();
      if (rows.header !== undefined) lineEnd ??= breakBefore(window);
      if (row !== undefined) continue;
      if (window.ended) return { header: rows.header, lineEnd: lineEnd ?? '\n' };
      await window.fill();
    }
  } finally {
    await window.close();
  }
}

function breakBefore({ bytes, start }: TextWindow): string | undefined {
  const [before, last] = [bytes[start - 2], bytes[start - 1]];
  if (last === 0x0a) return before === 0x0d ? '\r\n' : '\n';
  return last === 0x0d ? '\r' : undefined;
}

/** Copies the file as it is; its last line gets the end that it may lack. */
async function copyText(file: Existing, sink: ByteSink, lineEnd: string): Promise<void> {
  let last: number | undefined;
  for await (const chunk of openBytes(file.path, file)) {
    await sink.write(chunk);
    last = chunk.at(-1) ?? last;
  }
  if (last !== undefined && last !== 0x0a && last !== 0x0d) await sink.write(lineEnd);
}

/** Copies each row as it stands: one object becomes the first of an array. */
async function copyJson(file: Existing, sink: ByteSink): Promise<Encoder> {
  const encoder = new JsonEncoder();
  const window = new TextWindow(openBytes(file.path, file), file.path);
  const rows = new JsonRows(window, []);
  try {
    for (let texts: string[] = []; ; texts = []) {
      for (let text = rows.nextText(); text !== undefined; text = rows.nextText()) texts.push(text);
      await sink.write(encoder.encodeTexts(texts));
      if (window.ended) return encoder;
      await window.fill();
    }
  } finally {
    await window.close();
  }
}
