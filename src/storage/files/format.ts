import { basename, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError, suggestName, type Fault } from '../../errors.js';

export type FileFormat = 'csv' | 'tsv' | 'json' | 'ndjson';

export const fileFormats: readonly FileFormat[] = Object.freeze(['csv', 'tsv', 'json', 'ndjson']);

/** A file as a binding names it. */
export interface FileTarget {
  /** Absolute. */
  readonly path: string;
  /** What `?format=` says, else what the extension says, else absent. */
  readonly format?: FileFormat;
  /** The name ends in `.gz`. */
  readonly gzip: boolean;
}

/**
 * The file that a binding means by what follows `file:`: a path, and optionally `?format=json`.
 *
 * The first `?` ends the path; a `?` in a file name is written `%3F`, and a `%3F` in a file name `%253F`. Nothing else is decoded. What begins
 * with `//` is a file URL.
 *
 * @param base - the folder that a relative path starts from; default the working directory.
 * @throws MillraceError `BINDING_INVALID` for an empty path, an unknown option or an unknown format.
 */
export function parseFileTarget(text: string, base: string = process.cwd()): FileTarget {
  const mark = text.indexOf('?');
  const written = mark === -1 ? text : text.slice(0, mark);
  if (written.trim() === '')
    throw new MillraceError('BINDING_INVALID', `'file:${text}' names no file. Write 'file:' and a path, like 'file:./data/prices.csv'.`);
  const path = pathOf(text, written, base);
  const { format, gzip } = formatOf(path);
  const chosen = mark === -1 ? format : (parseOptions(text, text.slice(mark + 1)) ?? format);
  return chosen === undefined ? { path, gzip } : { path, format: chosen, gzip };
}

/** What the extension of a file says: `.csv .tsv .json .ndjson .jsonl`, each also with `.gz`. */
export function formatOf(path: string): { readonly format: FileFormat | undefined; readonly gzip: boolean } {
  const name = basename(path).toLowerCase();
  const gzip = name.endsWith('.gz');
  const extension = /\.([a-z]+)$/.exec(gzip ? name.slice(0, -3) : name)?.[1];
  return { format: extension === undefined ? undefined : formatNamed(extension), gzip };
}

/** The formats as a message lists them. */
export function describeFormats(): string {
  return 'csv, tsv, json or ndjson (.csv .tsv .json .ndjson .jsonl, each also with .gz)';
}

/** The fault of a file whose format neither its name nor an option tells. */
export function unknownFormat(path: string): Fault {
  return {
    code: 'BINDING_INVALID',
    message: `File '${path}' has no known format: it is told by the extension, and must be ${describeFormats()}.`,
    where: [],
    fix: `Rename the file, or name its format: 'file:${path}?format=csv'.`,
  };
}

function pathOf(text: string, written: string, base: string): string {
  if (!written.startsWith('//')) {
    const path = written.replaceAll(/%(3F|25)/gi, (_, code: string) => (code === '25' ? '%' : '?'));
    return isAbsolute(path) ? resolve(path) : resolve(base, path);
  }
  try {
    return fileURLToPath(`file:${written}`);
  } catch (cause) {
    throw new MillraceError(
      'BINDING_INVALID',
      `'file:${text}' is not a file URL of this machine. Write a path, like 'file:/data/prices.csv'.`,
      { cause },
    );
  }
}

function parseOptions(text: string, query: string): FileFormat | undefined {
  let chosen: FileFormat | undefined;
  for (const [key, value] of new URLSearchParams(query)) {
    if (key !== 'format') {
      const about = `'file:${text}' has an unknown option '${key}'. ${suggestName(key, ['format'])}`;
      throw new MillraceError('BINDING_INVALID', `${about} A '?' that belongs to the file's name is written %3F.`);
    }
    chosen = formatNamed(value);
    if (chosen === undefined)
      throw new MillraceError('BINDING_INVALID', `'file:${text}' has an unknown format '${value}'. ${suggestName(value, fileFormats)}`);
  }
  return chosen;
}

function formatNamed(name: string): FileFormat | undefined {
  return name === 'jsonl' ? 'ndjson' : fileFormats.find((format) => format === name);
}
