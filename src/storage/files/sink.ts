import { open, rm, type FileHandle } from 'node:fs/promises';
import { createGzip, type Gzip } from 'node:zlib';

/** What the file has that a new one takes the place of. */
export interface FileIdentity {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Bytes that go into a new file, zipped if so wished, each piece awaited: no more than one is held. */
export class ByteSink {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #gzip: Gzip | undefined;
  /** The zipped bytes on their way into the file. */
  readonly #moving: Promise<void> | undefined;

  private constructor(path: string, handle: FileHandle, gzip: Gzip | undefined) {
    this.#path = path;
    this.#handle = handle;
    this.#gzip = gzip;
    this.#moving = gzip === undefined ? undefined : this.#move(gzip);
    this.#moving?.catch(() => undefined); // met by the next write, or by finish
    gzip?.on('error', () => undefined); // the same
  }

  /** Makes the file; there must be none. */
  static async create(path: string, gzip: boolean, like?: FileIdentity): Promise<ByteSink> {
    const handle = await open(path, 'wx');
    const sink = new ByteSink(path, handle, gzip ? createGzip() : undefined);
    try {
      if (like !== undefined) await sink.#resemble(like);
      return sink;
    } catch (error) {
      await sink.remove();
      throw error;
    }
  }

  async write(bytes: string | Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const gzip = this.#gzip;
    if (gzip === undefined) await this.#put(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    // copied, since the piece may be a view of a buffer that is used again, and zlib comes to it later
    else if (!gzip.write(Buffer.from(bytes))) await Promise.race([new Promise((done) => gzip.once('drain', done)), this.#moving]);
  }

  /** All is in the file, and on the disk if it is to stay. */
  async finish(durable: boolean): Promise<void> {
    this.#gzip?.end();
    await this.#moving;
    if (durable) await this.#handle.sync();
    await this.#handle.close();
  }

  /** Removes the file. */
  async remove(): Promise<void> {
    this.#gzip?.destroy();
    await this.#moving?.catch(() => undefined); // it was destroyed
    await this.#handle.close().catch(() => undefined); // closed already
    await rm(this.#path, { force: true });
  }

  async #move(gzip: Gzip): Promise<void> {
    for await (const chunk of gzip as AsyncIterable<Uint8Array>) await this.#put(chunk);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += (await this.#handle.write(bytes, at)).bytesWritten;
  }

  async #resemble({ mode, uid, gid }: FileIdentity): Promise<void> {
    await this.#handle.chown(uid, gid).catch(() => undefined); // only root may give files away
    await this.#handle.chmod(mode & 0o7777);
  }
}
