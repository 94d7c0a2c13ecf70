import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError, suggestName } from '../errors.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import { anchorStoreUrl, createCatalogue, storesOf, type Catalogue } from '../project/catalogue.js';
import { findConfig, getConfig, loadProject } from '../project/config.js';
import { defineProject, type Project } from '../project/project.js';
import { AppStores, type Stores } from '../project/stores.js';
import { loadWorkflows, type LoadedWorkflows } from '../project/workflows.js';
import type { WorkflowSpec } from '../workflow/spec.js';
import { findWorkflowSpec } from '../workflow/workflow.js';
import { openStore } from '../storage/open.js';
import type { Store } from '../storage/store.js';
import type { Cli } from './command.js';
import { UsageError } from './failure.js';

/** A project as commands work with it. */
export interface Workspace {
  readonly project: Project;
  /** Of the config file. */
  readonly path: string;
  readonly catalogue: Catalogue;
  readonly stores: Stores;
  readonly workflows: ProjectWorkflows;
}

/** The workflows of a project, by name; `faults` are of definition files that are wrong. */
export interface ProjectWorkflows extends LoadedWorkflows {
  readonly byName: ReadonlyMap<string, WorkflowSpec>;
}

/** The project of the config file that is named or nearest. */
export async function openWorkspace({ cwd, config }: Pick<Cli, 'cwd' | 'config'>, store?: string): Promise<Workspace> {
  const path = getConfig(cwd, config);
  const { project } = await loadProject(path);
  const chosen = store === undefined ? {} : { default: openStore(anchorStoreUrl(store, cwd)) };
  const catalogue = createCatalogue(project);
  const { workflows = [], processors = [] } = catalogue.options;
  const loaded = await loadWorkflows(workflows, processors, dirname(path));
  const byName = new Map(loaded.workflows.flatMap((workflow) => findWorkflowSpec(workflow) ?? []).map((spec) => [spec.name, spec]));
  return { project, path, catalogue, stores: { ...storesOf(project, path), ...chosen }, workflows: { ...loaded, byName } };
}

/**
 * A processor by name.
 *
 * @throws MillraceError `PROCESSOR_UNKNOWN` with the nearest name, workflows included.
 */
export function findProcessor({ catalogue, workflows, path }: Workspace, name: string): ProcessorSpec {
  const found = catalogue.processors.get(name);
  if (found !== undefined) return found;
  const known = [...catalogue.processors.keys(), ...workflows.byName.keys()];
  const kind = workflows.byName.size === 0 ? 'processor' : 'processor or workflow';
  const hint = /\.(ya?ml|json|toml)$/i.test(name)
    ? `A definition file is known by the name of its workflow, where \`workflows\` of defineProject in ${path} lists it.`
    : suggestName(name, known);
  throw new MillraceError('PROCESSOR_UNKNOWN', `project '${catalogue.options.name}' has no ${kind} '${name}'. ${hint}`);
}

/** The project with its definition files as they were read. */
export function withWorkflows({ catalogue, workflows }: Workspace): Project {
  return defineProject({ ...catalogue.options, workflows: workflows.workflows });
}

/**
 * The stores to look into: what `--store` names; the project's; without a project MILLRACE_STORE, or what runs in this folder have
 * left. Looking makes no store.
 */
export async function openStores(cli: Pick<Cli, 'cwd' | 'config'>, given?: string): Promise<AppStores> {
  const { cwd, config } = cli;
  if (given !== undefined && config === undefined) return existing(new AppStores({ default: anchorStoreUrl(given, cwd) }));
  if (config !== undefined || findConfig(cwd) !== undefined) return new AppStores((await openWorkspace(cli, given)).stores);
  if ((process.env['MILLRACE_STORE'] ?? '') !== '') return existing(new AppStores({}));
  const left = resolve(cwd, '.millrace/data');
  if (existsSync(left)) return new AppStores({ default: anchorStoreUrl('.millrace/data', cwd) });
  throw new UsageError(
    `there is nothing to look into: no millrace.config.ts in ${cwd} or a folder above it, no store in .millrace/data, and no MILLRACE_STORE. Name a store with --store.`,
  );
}

/** Whether nothing has been written to an embedded store yet: its folder is not there, and opening would make it. */
export function isAbsent(store: Pick<Store, 'url'>): boolean {
  const path = folderOf(store);
  return path !== undefined && !existsSync(path);
}

function existing(stores: AppStores): AppStores {
  const store = stores.get('default');
  const path = folderOf(store);
  if (path === undefined || existsSync(path)) return stores;
  const near = existsSync(dirname(path)) ? readdirSync(dirname(path), { withFileTypes: true }) : [];
  const folders = near.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  throw new UsageError(`there is no store at ${path}. ${suggestName(basename(path), folders)}`);
}

function folderOf({ url }: Pick<Store, 'url'>): string | undefined {
  if (!url.startsWith('embedded:')) return undefined;
  return url.startsWith('embedded://') ? fileURLToPath(`file:${url.slice('embedded:'.length)}`) : decodeURI(url.slice('embedded:'.length));
}
