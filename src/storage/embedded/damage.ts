import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * What can be told of a database file before lmdb maps it: lmdb trusts its pages, and a page that is not there ends the process.
 *
 * ```
 *  meta page   header (24) magic u32 version u32 address u64 map size u64 free db (48) main db (48) last page u64 transaction u64
 *  page        number u64 transaction u64 pad u16 flags u16 lower u16 upper u16, then u16 offsets of its nodes
 *  node        u16 u16 (data size; with flags: child page) flags u16 key size u16, key, data
 * ```
 */
const header = 24;
const magic = 0xbeefc0de;
const dataVersion = 2;
const branch = 0x01;
const leaf = 0x02;
const bigData = 0x01;
const subDatabase = 0x02;
const none = 0xffffffffffffffffn;

interface Tree {
  readonly root: bigint;
}
interface Meta {
  readonly pageSize: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
  readonly trees: readonly Tree[];
}

/** What is wrong with a database file; undefined where nothing is seen to be. A file that is empty or not there is a new database. */
export function findDamage(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return inspectSteady(file);
  } finally {
    closeSync(file);
  }
}

/** Another process may write meanwhile: a fault counts where it is there twice in the same transaction. */
function inspectSteady(file: number): string | undefined {
  for (let before: bigint | undefined; ;) {
    const { fault, transaction } = inspect(file, fstatSync(file).size);
    if (fault === undefined || transaction === undefined || transaction === before) return fault;
    before = transaction;
  }
}

interface Finding {
  readonly fault: string | undefined;
  readonly transaction?: bigint;
}

function inspect(file: number, size: number): Finding {
  if (size === 0) return { fault: undefined };
  const first = readMeta(file, 0);
  if (typeof first === 'string') return { fault: first };
  const { pageSize } = first;
  if (size < 2 * pageSize) return { fault: `it ends after ${size} bytes, within its first pages` };
  const others = [pageSize / 2, pageSize].map((offset) => readMeta(file, offset)).filter((meta) => typeof meta !== 'string');
  const latest = [first, ...others].reduce((best, meta) => (meta.transaction > best.transaction ? meta : best));
  const walker = new Walker(file, pageSize, BigInt(Math.floor(size / pageSize)));
  // Pages at the end may be free, and then need not be in the file: only if some are missing is every page that is in use looked for.
  const whole = (latest.lastPage + 1n) * BigInt(pageSize) <= BigInt(size);
  for (const { root } of latest.trees) {
    const fault = walker.check(root, whole ? 1 : Infinity);
    if (fault !== undefined) return { fault, transaction: latest.transaction };
  }
  return { fault: undefined };
}

function readMeta(file: number, offset: number): Meta | string {
  const bytes = Buffer.alloc(header + 144);
  if (readSync(file, bytes, 0, bytes.length, offset) < bytes.length) return 'it is too short for a database';
  if (bytes.readUInt32LE(header) !== magic) return 'it does not begin as a database does';
  if ((bytes.readUInt32LE(header + 4) & 0xffff) !== dataVersion)
    return `its format is version ${bytes.readUInt32LE(header + 4) & 0xffff}, and this release reads ${dataVersion}`;
  const free = header + 24;
  const pageSize = bytes.readUInt32LE(free);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return `its page size, ${pageSize}, is none`;
  return {
    pageSize,
    lastPage: bytes.readBigUInt64LE(free + 96),
    transaction: bytes.readBigUInt64LE(free + 104),
    trees: [0, 48].map((at) => ({ root: bytes.readBigUInt64LE(free + at + 40) })),
  };
}

class Walker {
  readonly #file: number;
  readonly #pageSize: number;
  readonly #pages: bigint;

  constructor(file: number, pageSize: number, pages: bigint) {
    this.#file = file;
    this.#pageSize = pageSize;
    this.#pages = pages;
  }

  /** The first fault of a tree, looking at so many levels of it (and at the top of every tree inside). */
  check(root: bigint, levels: number): string | undefined {
    if (root === none || levels === 0) return undefined;
    if (root >= this.#pages) return `page ${root} is missing: the file ends after page ${this.#pages - 1n}`;
    const page = Buffer.alloc(this.#pageSize);
    readSync(this.#file, page, 0, page.length, Number(root) * this.#pageSize);
    const flags = page.readUInt16LE(18);
    const nodes = page.readUInt16LE(20) / 2; // the end of their offsets, counted from the header's
    if (
      page.readBigUInt64LE(0) !== root ||
      (flags & (branch | leaf)) === 0 ||
      !Number.isInteger(nodes) ||
      header + 2 * nodes > this.#pageSize
    ) {
      return `page ${root} is not what it should be`;
    }
    for (let at = 0; at < nodes; at++) {
      const fault = this.#checkNode(page, page.readUInt16LE(header + 2 * at), (flags & branch) !== 0, levels, root);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #checkNode(page: Buffer, offset: number, isBranch: boolean, levels: number, number: bigint): string | undefined {
    const start = offset + header;
    return start + 8 > page.length ? `page ${number} is not what it should be` : this.#follow(page, start, isBranch, levels);
  }

  #follow(page: Buffer, at: number, isBranch: boolean, levels: number): string | undefined {
    const low = page.readUInt16LE(at);
    const high = page.readUInt16LE(at + 2);
    const flags = page.readUInt16LE(at + 4);
    const data = at + 8 + page.readUInt16LE(at + 6);
    if (isBranch) return this.check(BigInt(low) + (BigInt(high) << 16n) + (BigInt(flags) << 32n), levels - 1);
    if (data + 8 > page.length) return undefined;
    if ((flags & subDatabase) !== 0) return data + 48 > page.length ? undefined : this.check(page.readBigUInt64LE(data + 40), levels);
    if ((flags & bigData) === 0 || levels !== Infinity) return undefined;
    const first = page.readBigUInt64LE(data);
    const length = BigInt(Math.ceil((header + low + high * 65_536) / this.#pageSize));
    return first + length > this.#pages ? `page ${first} is missing: the file ends after page ${this.#pages - 1n}` : undefined;
  }
}
