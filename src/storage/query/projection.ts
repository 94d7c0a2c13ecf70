import { describeValue } from '../../errors.js';
import { queryInvalid } from './fault.js';
import { asDocument } from './compare.js';
import { isDocument } from './path.js';

export type Projection = Readonly<Record<string, 0 | 1 | boolean>>;

/** The paths of a projection as a tree; `true` ends one. */
type Tree = Map<string, Tree | true>;

/**
 * A projection as a function that makes new rows and leaves the old ones alone; undefined where everything is kept.
 *
 * @throws MillraceError `QUERY_INVALID` where it mixes what to keep and what to leave out (`_id` excepted), or one path lies in another.
 */
export function compileProjection(projection: Projection): ((row: object) => object) | undefined {
  const { _id: id, ...others } = projection;
  for (const [path, value] of Object.entries(projection)) checkValue(path, value);
  const kept = Object.keys(others).filter((path) => isKept(others[path]));
  const left = Object.keys(others).filter((path) => !isKept(others[path]));
  if (kept.length > 0 && left.length > 0) {
    throw queryInvalid(
      `a projection keeps properties or leaves some out, not both: it keeps '${String(kept[0])}' and leaves out '${String(left[0])}'`,
    );
  }
  if (kept.length > 0 || (left.length === 0 && id !== undefined && isKept(id))) {
    const tree = treeOf(id === undefined || isKept(id) ? ['_id', ...kept] : kept);
    return (row) => keep(row, tree);
  }
  const out = id !== undefined && !isKept(id) ? ['_id', ...left] : left;
  if (out.length === 0) return undefined;
  const tree = treeOf(out);
  return (row) => leaveOut(row, tree);
}

function isKept(value: unknown): boolean {
  return value === 1 || value === true;
}

function checkValue(path: string, value: unknown): void {
  if (path === '' || path.startsWith('$') || path.split('.').some((part) => part === ''))
    throw queryInvalid(`a projection names properties; got '${path}'`);
  if (value !== 0 && value !== 1 && typeof value !== 'boolean') {
    throw queryInvalid(`projection of '${path}' is 1 (keep) or 0 (leave out); got ${describeValue(value)}`);
  }
}

function treeOf(paths: readonly string[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    let node = root;
    const parts = path.split('.');
    parts.forEach((part, at) => {
      const next = node.get(part);
      const last = at === parts.length - 1;
      if (next === true || (last && next !== undefined))
        throw queryInvalid(`a projection names '${path}' and a property inside or around it`);
      if (last) node.set(part, true);
      else {
        const child = next ?? new Map<string, Tree | true>();
        node.set(part, child);
        node = child;
      }
    });
  }
  return root;
}

/** What is kept stands in the row's own order, `_id` first. */
function keep(row: object, tree: Tree): object {
  const kept: Record<string, unknown> = {};
  if (tree.has('_id') && Object.hasOwn(row, '_id')) keepField(kept, '_id', row, tree);
  for (const name of Object.keys(row)) if (name !== '_id' && tree.has(name)) keepField(kept, name, row, tree);
  return kept;
}

function keepField(into: Record<string, unknown>, name: string, row: object, tree: Tree): void {
  const value = (row as Readonly<Record<string, unknown>>)[name];
  const node = tree.get(name);
  const projected = node === true ? value : node && keepInside(value, node);
  if (projected !== undefined) setField(into, name, projected);
}

/** Of an array the documents and arrays stay, projected; of anything else that has no fields, nothing. */
function keepInside(value: unknown, tree: Tree): unknown {
  if (isDocument(value)) return keep(asDocument(value), tree);
  if (!Array.isArray(value)) return undefined;
  return value.filter((one: unknown) => isDocument(one) || Array.isArray(one)).map((one: unknown) => keepInside(one, tree));
}

function leaveOut(row: object, tree: Tree): object {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row) as [string, unknown][]) {
    const node = tree.get(name);
    if (node === true) continue;
    setField(kept, name, node ? leaveOutInside(value, node) : value);
  }
  return kept;
}

function leaveOutInside(value: unknown, tree: Tree): unknown {
  if (isDocument(value)) {
    const document = asDocument(value);
    return document === value || Object.keys(document).some((name) => tree.has(name)) ? leaveOut(document, tree) : value;
  }
  return Array.isArray(value) ? value.map((one: unknown) => leaveOutInside(one, tree)) : value;
}

/** A property named `__proto__` is data like any other. */
function setField(into: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
  else into[name] = value;
}
