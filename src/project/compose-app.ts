import { CompositionError, MillraceError } from '../errors.js';
import type { Workflow } from '../workflow/workflow.js';
import type { App, AppOptions } from './app.js';
import { ComposedApp, type InternalOptions } from './composed-app.js';
import { findProjectOptions, folderOfProject } from './project.js';
import { loadWorkflows } from './workflows.js';

export async function composeApp(options: AppOptions, internal: InternalOptions = {}): Promise<App> {
  const merged = mergeProject(options);
  const folder = options.project === undefined ? process.cwd() : folderOfProject(options.project);
  const { workflows, faults: definitions } = await loadWorkflows(merged.workflows, merged.processors ?? [], folder);
  const app = new ComposedApp({ ...merged, workflows }, internal);
  const faults = [...app.check(), ...definitions];
  if (faults.length === 0) return app;
  await app.close();
  throw new CompositionError('The app cannot be composed', faults);
}

/** Options with those of the project, whose workflows may have to be read. */
type MergedOptions = Omit<AppOptions, 'project' | 'workflows'> & { readonly workflows: readonly (Workflow | string)[] };

function mergeProject({ project, ...options }: AppOptions): MergedOptions {
  if (project === undefined) return { ...options, workflows: options.workflows ?? [] };
  const base = findProjectOptions(project);
  if (base === undefined)
    throw new MillraceError(
      'CONFIG_INVALID',
      'createApp: `project` was not made by defineProject; pass what defineProject({ name, … }) answers',
    );
  return {
    ...base,
    ...options,
    processors: [...(base.processors ?? []), ...(options.processors ?? [])],
    provide: [...((base.provide ?? []) as []), ...((options.provide ?? []) as [])],
    workflows: [...(base.workflows ?? []), ...(options.workflows ?? [])],
    stores: { ...base.stores, ...options.stores },
  };
}
