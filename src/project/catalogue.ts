import { dirname, resolve } from 'node:path';
import { describeValue, MillraceError, type Fault } from '../errors.js';
import { getProcessorSpec } from '../metadata/registry.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import { mistypedScheme } from '../storage/open.js';
import { findProjectOptions, type Project, type ProjectOptions } from './project.js';
import type { Class } from '../types.js';
import type { Stores } from './stores.js';

/** What a project has, by name. */
export interface Catalogue {
  readonly options: ProjectOptions;
  readonly processors: ReadonlyMap<string, ProcessorSpec>;
  /** Every processor, two of one name included. */
  readonly specs: readonly ProcessorSpec[];
  /** What is listed among its processors and is none. */
  readonly faults: readonly Fault[];
}

/** Lists what a project has, without composing it: a project with faulty wiring has a catalogue too. */
export function createCatalogue(project: Project): Catalogue {
  const options = findProjectOptions(project);
  if (options === undefined) throw new MillraceError('CONFIG_INVALID', 'a project is expected: what defineProject({ name, … }) answers');
  const faults: Fault[] = [];
  const specs = (options.processors ?? []).flatMap((processor, index) => specOf(processor, index, faults) ?? []);
  const processors = new Map(specs.map((spec) => [spec.name, spec]));
  return { options, processors, specs, faults };
}

function specOf(processor: unknown, index: number, faults: Fault[]): ProcessorSpec | undefined {
  try {
    if (typeof processor === 'function') return getProcessorSpec(processor as Class);
    const message = `defineProject: processors[${String(index)}] is ${describeValue(processor)}, not a class`;
    const fix =
      'List classes with @Processor(); undefined is a class that is used before its file has been loaded: break the circle of imports.';
    faults.push({ code: 'DECORATOR_MISUSED', message, where: [], fix });
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    faults.push({
      code: error.code,
      message: error.message,
      where: error.where,
      path: error.path,
      fix: 'Mend the class, or take it out of `processors`.',
    });
  }
  return undefined;
}

/**
 * The stores of a project that was read from a file: the paths in their URLs are relative to its folder, and so is the default store
 * where neither the project nor `MILLRACE_STORE` names one.
 */
export function storesOf(project: Project, path: string): Stores {
  const { stores = {} } = findProjectOptions(project) ?? {};
  const base = dirname(path);
  const named = Object.entries(stores)
    .filter(([, store]) => (store as unknown) !== undefined)
    .map(([name, store]) => [name, typeof store === 'string' ? anchorStoreUrl(store, base) : store]);
  const fallback = (process.env['MILLRACE_STORE'] ?? '') === '' ? { default: anchorStoreUrl('embedded:.millrace/data', base) } : {};
  return { ...fallback, ...(Object.fromEntries(named) as Stores) };
}

/** The URL of a store, or a path, with a relative path made absolute. */
export function anchorStoreUrl(url: string, base: string): string {
  if (/^embedded:(?!\/)/i.test(url)) return `embedded:${encodeURI(base)}/${url.slice('embedded:'.length)}`;
  const isPath = !/^[a-z][a-z0-9+.-]+:/i.test(url) && !mistypedScheme.test(url); // two letters at least: `C:\data` is a path
  return isPath && url !== '' ? resolve(base, url) : url;
}
