import type { ContainerOptions } from '../container/types.js';
import { dirname, resolve } from 'node:path';
import { describeValue, MillraceError } from '../errors.js';
import { callSite, type CallSite } from '../metadata/registry.js';
import type { Workflow } from '../workflow/workflow.js';
import type { Stores } from './stores.js';

/** What a project is made of. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- provisions of many types
export interface ProjectOptions<D extends readonly unknown[] = any> extends ContainerOptions<D> {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** Workflows, and paths of definition files: relative to the file that calls `defineProject`. */
  readonly workflows?: readonly (Workflow | string)[];
  readonly stores?: Stores;
}

/** What `defineProject` answers: the default export of `millrace.config.ts`. */
export interface Project {
  readonly name: string;
}

/** Across copies of the package: a config file may import another one than the CLI that reads it. */
const brand: unique symbol = Symbol.for('millrace.project') as never;
const place: unique symbol = Symbol.for('millrace.project.place') as never;

/**
 * Names what belongs together: processors, provisions and stores. The CLI runs what `millrace.config.ts` exports.
 *
 * @example
 * ```ts
 * export default defineProject({ name: 'shop', processors: [NormalisePrices] });
 * ```
 * @throws MillraceError `CONFIG_INVALID` without a name.
 */
export function defineProject<const D extends readonly unknown[]>(options: ProjectOptions<D>): Project {
  if (typeof (options as Partial<ProjectOptions> | undefined)?.name !== 'string' || options.name === '') {
    throw new MillraceError(
      'CONFIG_INVALID',
      `defineProject: a name is expected, not ${describeValue((options as Partial<ProjectOptions> | undefined)?.name)}; give { name: 'shop', … }`,
    );
  }
  const where = callSite(defineProject);
  return Object.freeze({ name: options.name, [brand]: Object.freeze({ ...options }), [place]: where });
}

/** What a project was defined with; undefined for anything else. */
export function findProjectOptions(value: unknown): ProjectOptions | undefined {
  return typeof value === 'object' && value !== null && brand in value ? (value as { readonly [brand]: ProjectOptions })[brand] : undefined;
}

/** The folder of the file that a project was defined in. */
export function folderOfProject(project: Project): string {
  const where = (project as { readonly [place]?: CallSite })[place]?.() ?? '';
  return resolve(dirname(where.replace(/:\d+$/, '')));
}
