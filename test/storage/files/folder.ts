import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll } from 'vitest';
import type { Row } from '../../../src/types.js';
import { formatOf } from '../../../src/storage/files/format.js';
import { parseRows, readFile, type ReadFileOptions } from '../../../src/storage/files/read.js';

/** A new folder that goes when the tests of this file are over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-files-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function put(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, name.endsWith('.gz') && typeof content === 'string' ? gzipSync(content) : content);
  return path;
}

/** Every row of a file, its format told by its name. */
export async function rowsOf(path: string, options: Partial<ReadFileOptions> = {}): Promise<Row[]> {
  const { format = 'csv', gzip } = formatOf(path);
  return flatten(readFile(path, { format, gzip, ...options }));
}

/** What comes of bytes that arrive in pieces of the given sizes, in turn: the rows, and the message of the mistake if there is one. */
export async function parsed(
  bytes: Uint8Array,
  sizes: readonly number[],
  options: Omit<ReadFileOptions, 'gzip'>,
): Promise<{ rows: Row[]; error?: string }> {
  const rows: Row[] = [];
  try {
    for await (const batch of parseRows(pieces(bytes, sizes), 'f', { gzip: false, ...options })) rows.push(...batch);
    return { rows };
  } catch (error) {
    return { rows, error: (error as Error).message };
  }
}

export async function visible(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort();
}

async function flatten(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

/** Each in a buffer that is used again, as a file's are. */
async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.max(...sizes));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const piece = bytes.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
    await Promise.resolve();
    at += piece.length;
  }
}
