import { describeValue } from '../errors.js';
import { maskUrl } from '../mask.js';
import type { FileFormat } from '../storage/files/format.js';
import type { Binding, Link, Query, Row, WriteMode } from '../types.js';

/** How a collection is read, or written where the port's own options shall not hold. */
export interface CollectionOptions<T> extends Query<T> {
  /** Name of the app's store; default `default`. */
  readonly store?: string;
  /** For inputs: an aggregation whose result is read. */
  readonly pipeline?: readonly object[];
  readonly mode?: WriteMode;
  readonly key?: string | readonly string[];
  readonly overwrite?: boolean;
}

/** How a file is read or written. */
export interface FileOptions {
  /** Default: by the file's extension. */
  readonly format?: FileFormat;
  /** For outputs; default `replace`. */
  readonly mode?: 'replace' | 'append';
}

/** The options above, by the kind of port that they are for. */
export const collectionOptions = Object.freeze({
  input: ['store', 'filter', 'sort', 'projection', 'skip', 'limit', 'pipeline'],
  output: ['store', 'mode', 'key', 'overwrite'],
});
export const fileOptions = Object.freeze({ input: ['format'], output: ['format', 'mode'] });

/** Marks what the functions below make, across copies of the package. */
const brand: unique symbol = Symbol.for('millrace.binding') as never;

export interface CollectionBinding extends Binding<Row> {
  readonly kind: 'collection';
  readonly name: string;
  readonly store: string;
  readonly options: CollectionOptions<Row>;
}
export interface FileBinding extends Binding<Row> {
  readonly kind: 'file';
  /** As given: a path, perhaps with `?format=`. */
  readonly target: string;
  /** The folder that a relative path is relative to; default the working directory. */
  readonly base: string | undefined;
  readonly options: FileOptions;
}
export interface RowsBinding extends Binding<Row> {
  readonly kind: 'rows';
  readonly make: () => Iterable<Row> | AsyncIterable<Row>;
}
export interface SinkBinding extends Binding<Row> {
  readonly kind: 'sink';
  readonly take: (batch: readonly Row[]) => void | Promise<void>;
}
export interface LinkBinding extends Link<Row> {
  readonly kind: 'link';
}
export type AnyBinding = CollectionBinding | FileBinding | RowsBinding | SinkBinding | LinkBinding;

/* eslint-disable @typescript-eslint/no-explicit-any -- a collection or file fits
   every port unless its document is named */
/**
 * A collection of a store.
 *
 * @example
 * ```ts
 * task.bind({ raw: collection('prices', { store: 'warehouse', filter: { year: 2026 } }) });
 * ```
 */
export function collection(name: string, options?: CollectionOptions<any>): Binding<any>;
export function collection<T>(name: string, options?: CollectionOptions<T>): Binding<T>;
export function collection(name: string, options: CollectionOptions<any> = {}): Binding<any> {
  const { store = 'default' } = options;
  const text = store === 'default' ? textOf(name) : `${name}@${store}`;
  return makeBinding(text, { kind: 'collection', name, store, options: Object.freeze({ ...options }) });
}

/** A file; a relative path is relative to the working directory. */
export function file(path: string, options?: FileOptions): Binding<any>;
export function file<T>(path: string, options?: FileOptions): Binding<T>;
export function file(path: string, options: FileOptions = {}): Binding<any> {
  return fileIn(undefined, path, options);
}
/* eslint-enable @typescript-eslint/no-explicit-any */

/** An input made of rows from a function, called anew for each pass over it: a generator, an API, a range. Never held in memory. */
export function rows<T>(make: () => Iterable<T> | AsyncIterable<T>): Binding<T> {
  const named = typeof make === 'function' && make.name !== '' ? make.name : '…';
  return makeBinding(`rows(${named})`, { kind: 'rows', make: make as () => Iterable<Row> }) as Binding<unknown> as Binding<T>;
}

/** An output that hands each batch to a function. Not atomic: what it was given, a failed run does not take back. */
export function sink<T>(take: (batch: readonly T[]) => void | Promise<void>): Binding<T> {
  const named = typeof take === 'function' && take.name !== '' ? take.name : '…';
  return makeBinding(`sink(${named})`, {
    kind: 'sink',
    take: take as (batch: readonly unknown[]) => void,
  }) as Binding<unknown> as Binding<T>;
}

/** The output of a step, by the port's own name. */
export function link(step: string, port: string): LinkBinding {
  return makeBinding(`${step}.${port}`, { kind: 'link', step, port }) as LinkBinding;
}

export function isBinding(value: unknown): value is AnyBinding {
  return typeof value === 'object' && value !== null && brand in value;
}

/** `prices`, `prices@warehouse`, `file:./prices.csv`. */
export function parseBinding(text: string, base?: string): AnyBinding {
  if (text.startsWith('file:')) return fileIn(base, text.slice('file:'.length), {});
  const at = text.lastIndexOf('@');
  if (at <= 0) return collection(text) as AnyBinding;
  return collection(text.slice(0, at), { store: text.slice(at + 1) }) as AnyBinding;
}

/** Why no collection can have this name; undefined where it can. */
export function refuseCollectionName(name: unknown): string | undefined {
  if (typeof name !== 'string') return `a collection's name is a string, not ${describeValue(name)}`;
  if (name === '') return "a collection's name is empty";
  if (name.includes('\0') || name.includes('$')) return `a collection's name has no '$' and no NUL: ${describeValue(name)}`;
  if (name.startsWith('system.')) return `collections that begin with 'system.' are the server's: ${describeValue(name)}`;
  if (name.split('.').includes('')) return `a collection's name has something before and after each dot: ${describeValue(name)}`;
  if (Buffer.byteLength(name) > 200) return `a collection's name has at most 200 bytes: ${describeValue(name)}`;
  return undefined;
}

/** `base`: the folder that a relative path is relative to. */
export function fileIn(base: string | undefined, target: string, options: FileOptions): AnyBinding {
  return makeBinding(`file:${maskUrl(textOf(target))}`, { kind: 'file', target, base, options: Object.freeze({ ...options }) });
}

/** Plain JavaScript may give anything: `prepare` tells. */
function textOf(value: unknown): string {
  return String(value);
}

type Facts =
  | Omit<CollectionBinding, 'toString'>
  | Omit<FileBinding, 'toString'>
  | Omit<RowsBinding, 'toString'>
  | Omit<SinkBinding, 'toString'>
  | Omit<LinkBinding, 'toString'>;

function makeBinding(text: string, facts: Facts): AnyBinding {
  const value = { ...facts, toString: () => text };
  Object.defineProperty(value, brand, { value: true });
  return Object.freeze(value);
}
