import { isDeepStrictEqual } from 'node:util';
import { collection, fileIn, isBinding, type AnyBinding, type CollectionOptions, type FileOptions } from '../binding/binding.js';
import { MillraceError } from '../errors.js';
import { maskUrl } from '../mask.js';
import type { Row } from '../types.js';

/** Bindings of a run alone, by step and port. */
type Bound = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The bindings that a run was given, as its record has them for one that goes on with it. */
export interface KeptBindings {
  /** As JSON: a store may have rules for the names of properties. */
  readonly values: string;
  /** `step.port` of those that are no names of collections or files: rows, functions, parameters, which may be secret. */
  readonly withheld: readonly string[];
}

type KeptBinding =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'collection'; readonly name: string; readonly options: CollectionOptions<Row> }
  | { readonly kind: 'file'; readonly target: string; readonly base?: string; readonly options: FileOptions };

/** What runs of this process that did not end well were given: rows too, which no record keeps. The last few. */
const remembered = new Map<string, Bound>();
const most = 20;

export function keepBindings(runId: string, bind: Bound = {}): KeptBindings {
  const withheld: string[] = [];
  const values: Record<string, Record<string, KeptBinding>> = {};
  for (const [step, ports] of Object.entries(bind)) {
    for (const [port, value] of Object.entries(ports)) {
      const kept = toKept(value);
      if (kept !== undefined) (values[step] ??= {})[port] = kept;
      else if (value !== undefined) withheld.push(`${step}.${port}`);
    }
  }
  if (withheld.length > 0) remember(runId, bind);
  return { values: JSON.stringify(values), withheld };
}

/**
 * The bindings of a run that goes on with another: those of that run, and in their place what is given now.
 *
 * @throws MillraceError `CONFIG_INVALID` where one was not kept, and is not given again.
 */
export function restoreBindings(
  { _id, name, bind }: { readonly _id: string; readonly name: string; readonly bind?: KeptBindings },
  given: Bound = {},
): Bound {
  if (bind === undefined) return given;
  const known = remembered.get(_id);
  if (known !== undefined) return over(known, given);
  const missing = bind.withheld.filter((one) => {
    const dot = one.lastIndexOf('.');
    return given[one.slice(0, dot)]?.[one.slice(dot + 1)] === undefined;
  });
  if (missing.length === 0) return over(fromKept(bind), given);
  const ports = missing.map((one) => `'${one}'`).join(', ');
  throw new MillraceError(
    'CONFIG_INVALID',
    `run ${_id} of workflow '${name}' was given bindings of its own for ${ports}, which no record keeps (rows, functions, parameters): give them again by \`bind\``,
  );
}

/** Nobody will go on with these runs. */
export function forgetBindings(runIds: readonly string[]): void {
  for (const id of runIds) remembered.delete(id);
}

function remember(runId: string, bind: Bound): void {
  remembered.set(runId, bind);
  for (const oldest of remembered.keys()) {
    if (remembered.size <= most) return;
    remembered.delete(oldest);
  }
}

function over(kept: Bound, given: Bound): Bound {
  const steps = new Set([...Object.keys(kept), ...Object.keys(given)]);
  return Object.fromEntries([...steps].map((step) => [step, { ...kept[step], ...given[step] }]));
}

function toKept(value: unknown): KeptBinding | undefined {
  if (typeof value === 'string') return maskUrl(value) === value ? { kind: 'text', text: value } : undefined;
  const kept = isBinding(value) ? toKeptBinding(value) : undefined;
  return kept !== undefined && isDeepStrictEqual(JSON.parse(JSON.stringify(kept)), kept) ? kept : undefined;
}

function toKeptBinding(value: AnyBinding): KeptBinding | undefined {
  if (value.kind === 'collection') return { kind: 'collection', name: value.name, options: { ...value.options, store: value.store } };
  if (value.kind !== 'file' || maskUrl(value.target) !== value.target) return undefined;
  return { kind: 'file', target: value.target, options: { ...value.options }, ...(value.base === undefined ? {} : { base: value.base }) };
}

function fromKept({ values }: KeptBindings): Bound {
  const steps = JSON.parse(values) as Readonly<Record<string, Readonly<Record<string, KeptBinding>>>>;
  return Object.fromEntries(
    Object.entries(steps).map(([step, ports]) => [
      step,
      Object.fromEntries(Object.entries(ports).map(([port, kept]) => [port, fromKeptBinding(kept)])),
    ]),
  );
}

function fromKeptBinding(kept: KeptBinding): unknown {
  if (kept.kind === 'text') return kept.text;
  return kept.kind === 'collection' ? collection(kept.name, kept.options) : fileIn(kept.base, kept.target, kept.options);
}
