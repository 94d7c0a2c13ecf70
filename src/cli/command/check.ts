import { createContainer } from '../../container/container.js';
import { resolvePorts } from '../../binding/ports.js';
import { BindingError, DefinitionError, MillraceError, suggestName, type Fault } from '../../errors.js';
import { composeApp } from '../../project/compose-app.js';
import { twinsOf } from '../../project/members.js';
import { AppStores, toStore, type Stores } from '../../project/stores.js';
import { loadWorkflows } from '../../project/workflows.js';
import type { WorkflowSpec } from '../../workflow/spec.js';
import { findWorkflowSpec } from '../../workflow/workflow.js';
import type { Cli } from '../command.js';
import { describeFault, exitCode } from '../failure.js';
import { countOf, toJson } from '../text.js';
import { openWorkspace, withWorkflows, type Workspace } from '../workspace.js';

/** What may be as it is until something runs: an open port is bound by the run, a missing file made before it. */
const pending = new Set(['PORT_UNBOUND', 'FILE_UNREADABLE', 'FILE_UNWRITABLE']);

/** `millrace check [FILE]`. */
export async function check({ file }: { readonly file?: string }, cli: Cli): Promise<number> {
  const { out, err, json, quiet } = cli;
  const workspace = await openWorkspace(cli);
  if (file !== undefined) return checkFile(file, workspace, cli);
  const { options, specs } = workspace.catalogue;
  const { workflows } = workspace;
  const twins = twinsOf(workflows.workflows.flatMap((workflow) => findWorkflowSpec(workflow) ?? []));
  const composing = [...workspace.catalogue.faults, ...(await wiringFaults(workspace)), ...workflows.faults, ...twins];
  const binding = await bindingFaults(workspace);
  const specified = [...workflows.byName.values()];
  const later = composing.length > 0 ? [] : [...runFaults(specified, specified), ...(await planFaults(workspace, workflows.byName.keys()))];
  const faults = [...composing, ...binding, ...later];
  if (json)
    out.line(toJson({ project: options.name, processors: specs.length, workflows: workflows.byName.size, faults: faults.map(toPlain) }));
  else for (const fault of faults) for (const line of describeFault(fault, out)) out.line(line);
  if (faults.length > 0) {
    if (!json && !quiet) err.line(`${countOf(faults.length, 'fault')} in project '${options.name}'.`);
    return exitCode.refused;
  }
  if (!json)
    out.line(
      `Project '${options.name}' has no faults: ${countOf(specs.length, 'processor')}${workflows.byName.size === 0 ? '' : ` and ${countOf(workflows.byName.size, 'workflow')}`} checked.`,
    );
  return exitCode.done;
}

/** One definition file, by the processors of the project. */
async function checkFile(file: string, workspace: Workspace, { out, err, json, quiet, cwd }: Cli): Promise<number> {
  const { catalogue, workflows: known } = workspace;
  const loaded = await loadWorkflows([file], catalogue.options.processors ?? [], cwd);
  const [workflow] = loaded.workflows;
  const spec = findWorkflowSpec(workflow);
  // where others cannot be read, their names are not known
  const unknown = spec === undefined || known.faults.length > 0 ? [] : runFaults([spec], [spec, ...known.byName.values()]);
  const composing = [...loaded.faults, ...catalogue.faults, ...(workflow === undefined ? [] : await wiringFaults(workspace))];
  const alone = { ...workspace, workflows: { ...known, workflows: loaded.workflows } };
  const planned = workflow === undefined || composing.length > 0 ? [] : await planFaults(alone, [workflow.name]);
  const faults = [...loaded.faults, ...unknown, ...planned];
  if (json)
    out.line(
      toJson({
        file,
        ...(workflow === undefined ? {} : { workflow: workflow.name, steps: workflow.steps.length }),
        faults: faults.map(toPlain),
      }),
    );
  else for (const fault of faults) for (const line of describeFault(fault, out)) out.line(line);
  if (workflow === undefined || faults.length > 0) {
    if (!json && !quiet) err.line(`${countOf(faults.length, 'fault')} in ${file}.`);
    return exitCode.refused;
  }
  if (!json) out.line(`${file} has no faults: workflow '${workflow.name}' of ${countOf(workflow.steps.length, 'step')}.`);
  return exitCode.done;
}

/** Actions on events that run a workflow which is not there. */
function runFaults(specs: readonly WorkflowSpec[], known: readonly WorkflowSpec[]): Fault[] {
  const names = new Set(known.map(({ name }) => name));
  return specs.flatMap(({ name, runs = [] }) =>
    runs.flatMap(({ workflow, where }): Fault[] => {
      if (names.has(workflow)) return [];
      const message = `an action of workflow '${name}' runs workflow '${workflow}', which the project does not have`;
      const fix = `${suggestName(workflow, names)} Or list it under \`workflows\` of defineProject.`;
      return [{ code: 'WORKFLOW_UNKNOWN', message, where: [where], path: [name, workflow], fix }];
    }),
  );
}

/** What keeps workflows from running, as far as it can be told before a run; no step is run. */
async function planFaults(workspace: Workspace, names: Iterable<string>): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  const [known] = splitStores(workspace.stores);
  const app = await composeApp({ project: withWorkflows(workspace), stores: known, log: 'silent' }, { unrecorded: true });
  try {
    for (const name of names) {
      try {
        await app.workflow(name).plan();
      } catch (error) {
        if (!(error instanceof BindingError || error instanceof DefinitionError)) throw error;
        faults.push(...error.faults.filter(({ code }) => !pending.has(code)));
      }
    }
    return faults;
  } finally {
    await app.close();
  }
}

async function wiringFaults({ catalogue }: Workspace): Promise<readonly Fault[]> {
  const processors = catalogue.specs.map((spec) => spec.class);
  await using container = createContainer({ ...catalogue.options, processors });
  return container.check();
}

/** Faults of the stores' URLs, and of the ports' own bindings and schemas, as far as they can be told before a run. */
async function bindingFaults({ catalogue, stores }: Workspace): Promise<readonly Fault[]> {
  const [known, faults] = splitStores(stores);
  const open = new AppStores(known);
  try {
    for (const spec of catalogue.specs) {
      const found = await resolvePorts(spec, { inputs: new Map(), outputs: new Map(), unknown: new Map() }, open);
      faults.push(...found.faults.filter(({ code }) => !pending.has(code)));
    }
    return faults;
  } finally {
    await open.close();
  }
}

/** Stores that are none stand in memory, so that what is bound to them can be checked for the rest. */
function splitStores(stores: Stores): readonly [Stores, Fault[]] {
  const faults: Fault[] = [];
  const known = Object.entries(stores).map(([name, store]) => {
    const fault = storeFault(name, store);
    if (fault !== undefined) faults.push(fault);
    return [name, fault === undefined ? store : 'memory:'] as const;
  });
  return [Object.fromEntries(known), faults];
}

function storeFault(name: string, store: unknown): Fault | undefined {
  try {
    toStore(name, store);
    return undefined;
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const message = typeof store === 'string' ? `store '${name}': ${error.message}` : error.message;
    return { code: error.code, message, where: [], fix: 'Mend it in the stores of defineProject.' };
  }
}

/** `where` of a fault may be worked out when asked for. */
function toPlain({ code, message, where, path, fix }: Fault): Fault {
  return { code, message, where, ...(path === undefined ? {} : { path }), fix };
}
