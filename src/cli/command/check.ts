import { createContainer } from '../../container/container.js';
import { resolvePorts } from '../../binding/ports.js';
import { MillraceError, type Fault } from '../../errors.js';
import { AppStores, type Stores } from '../../project/stores.js';
import { openStore } from '../../storage/open.js';
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
  const faults = [...workspace.catalogue.faults, ...(await wiringFaults(workspace)), ...(await bindingFaults(workspace))];
  const { options, specs } = workspace.catalogue;
  if (json) out.line(toJson({ project: options.name, processors: specs.length, faults: faults.map(toPlain) }));
  else for (const fault of faults) for (const line of describeFault(fault, out)) out.line(line);
  if (faults.length > 0) {
    if (!json && !quiet) err.line(`${countOf(faults.length, 'fault')} in project '${options.name}'.`);
    return exitCode.refused;
  }
  if (!json) out.line(`Project '${options.name}' has no faults: ${countOf(specs.length, 'processor')} checked.`);
  return exitCode.done;
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

/** Stores whose URL is none stand in memory, so that what is bound to them can be checked for the rest. */
function splitStores(stores: Stores): readonly [Stores, Fault[]] {
  const faults: Fault[] = [];
  const known = Object.entries(stores).map(([name, store]) => {
    const fault = typeof store === 'string' ? urlFault(name, store) : undefined;
    if (fault !== undefined) faults.push(fault);
    return [name, fault === undefined ? store : 'memory:'] as const;
  });
  return [Object.fromEntries(known), faults];
}

function urlFault(name: string, url: string): Fault | undefined {
  try {
    openStore(url);
    return undefined;
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return { code: error.code, message: `store '${name}': ${error.message}`, where: [], fix: 'Mend it in the stores of defineProject.' };
  }
}

/** `where` of a fault may be worked out when asked for. */
function toPlain({ code, message, where, path, fix }: Fault): Fault {
  return { code, message, where, ...(path === undefined ? {} : { path }), fix };
}
