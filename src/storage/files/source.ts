import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { MillraceError, toError } from '../../errors.js';

const chunkBytes = 128 * 1024;

export interface SourceOptions {
  readonly gzip: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of a file, unzipped. A chunk is valid until the next one is asked for.
 *
 * @throws MillraceError `FILE_UNREADABLE` where the system refuses.
 * @throws the signal's reason when it is aborted, and zlib's error (its code begins with `Z_`) where the gzip data is not sound.
 */
export async function* openBytes(path: string, { gzip, signal }: SourceOptions): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const chunk of gzip ? unzipped(path) : plain(path)) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } catch (error) {
    if (isGzipFault(error) || !isSystemError(error)) throw error;
    throw new MillraceError('FILE_UNREADABLE', `File '${path}' cannot be read: ${describeRefusal(error)}.`, { cause: error });
  }
}

/** Whether an error is zlib's word that the data is not sound. */
export function isGzipFault(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}

async function* plain(path: string): AsyncGenerator<Uint8Array, void, void> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function* unzipped(path: string): AsyncGenerator<Uint8Array, void, void> {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const closed = new Promise<void>((done) => file.once('close', done));
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  const moved = pipeline(file, gunzip).catch(() => undefined); // a failure destroys gunzip, whose iteration throws it
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
    // zlib takes no bytes at all for a sound file
    if (file.bytesRead === 0) throw Object.assign(new Error('unexpected end of file'), { code: 'Z_BUF_ERROR' });
  } finally {
    gunzip.destroy();
    await Promise.all([moved, closed]);
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** What the system says, in words. */
export function describeRefusal(error: unknown): string {
  const { code, message } = toError(error) as NodeJS.ErrnoException;
  return (code === undefined ? undefined : refusals[code]) ?? message;
}

const refusals: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'this process has too many files open',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it would be larger than the system allows',
  EROFS: 'the file system is read-only',
};
