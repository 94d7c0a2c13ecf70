import { createContainer } from '../../container/container.js';
import { resolvePorts } from '../../binding/ports.js';
import { MillraceError, type Fault } from '../../errors.js';
import type { ProcessorSpec } from '../../metadata/spec.js';
import { AppStores } from '../../project/stores.js';
import type { Cli } from '../command.js';
import { describeFault, exitCode } from '../failure.js';
import { countOf, toJson } from '../text.js';
import { openWorkspace, type Workspace } from '../workspace.js';

/** What may be as it is until something runs: an open port is bound by the run, a missing file made before it. */
const pending = new Set(['PORT_UNBOUND', 'FILE_UNREADABLE', 'FILE_UNWRITABLE']);

/** `millrace check`. */
export async function check(_options: object, cli: Cli): Promise<number> {
  const { out, err, json, quiet } = cli;
  const workspace = await openWorkspace(cli);
  const faults = [...(await wiringFaults(workspace)), ...(await bindingFaults(workspace))];
  const { options, processors } = workspace.catalogue;
  if (json) out.line(toJson({ project: options.name, processors: processors.size, faults: faults.map(toPlain) }));
  else for (const fault of faults) for (const line of describeFault(fault, out)) out.line(line);
  if (faults.length > 0) {
    if (!json && !quiet) err.line(`${countOf(faults.length, 'fault')} in project '${options.name}'.`);
    return exitCode.refused;
  }
  if (!json) out.line(`Project '${options.name}' has no faults: ${countOf(processors.size, 'processor')} checked.`);
  return exitCode.done;
}

async function wiringFaults({ catalogue }: Workspace): Promise<readonly Fault[]> {
  await using container = createContainer(catalogue.options);
  return container.check();
}

/** Faults of the ports' own bindings and schemas, as far as they can be told before a run. */
async function bindingFaults({ catalogue, stores }: Workspace): Promise<readonly Fault[]> {
  await using disposable = closing(new AppStores(stores));
  const faults: Fault[] = [];
  for (const spec of catalogue.processors.values()) faults.push(...(await portFaults(spec, disposable.stores)));
  return faults;
}

async function portFaults(spec: ProcessorSpec, stores: AppStores): Promise<readonly Fault[]> {
  try {
    const { faults } = await resolvePorts(spec, { inputs: new Map(), outputs: new Map(), unknown: new Map() }, stores);
    return faults.filter(({ code }) => !pending.has(code));
  } catch (error) {
    // The URL of one of the project's stores.
    if (!(error instanceof MillraceError)) throw error;
    const fix = 'Mend it in the stores of defineProject, or in MILLRACE_STORE.';
    return [{ code: error.code, message: `Processor '${spec.name}': ${error.message}`, where: [spec.where], fix }];
  }
}

function closing(stores: AppStores): AsyncDisposable & { readonly stores: AppStores } {
  return { stores, [Symbol.asyncDispose]: () => stores.close() };
}

/** `where` of a fault may be worked out when asked for. */
function toPlain({ code, message, where, path, fix }: Fault): Fault {
  return { code, message, where, ...(path === undefined ? {} : { path }), fix };
}
