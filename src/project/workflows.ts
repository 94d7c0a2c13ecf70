import { isAbsolute, relative, resolve } from 'node:path';
import { DefinitionError, describeValue, MillraceError, type Fault } from '../errors.js';
import { findProcessorSpec } from '../metadata/registry.js';
import type { Class } from '../types.js';
import { loadWorkflow } from '../workflow/definition/load-workflow.js';
import { findWorkflowSpec, type Workflow } from '../workflow/workflow.js';

/** The workflows of a project, and what is wrong with those that are not there. */
export interface LoadedWorkflows {
  readonly workflows: readonly Workflow[];
  readonly faults: readonly Fault[];
}

/**
 * Reads the workflows that are listed as the paths of definition files; the others are there already.
 *
 * @param processors - what steps name.
 * @param folder - what paths are relative to.
 */
export async function loadWorkflows(
  listed: readonly (Workflow | string)[],
  processors: readonly Class[],
  folder: string,
): Promise<LoadedWorkflows> {
  const known = processors.filter((processor) => typeof processor === 'function' && findProcessorSpec(processor) !== undefined);
  const loaded = await Promise.all(listed.map(async (one, index) => loadOne(one, index, known, folder)));
  return { workflows: loaded.flatMap(({ workflows }) => workflows), faults: loaded.flatMap(({ faults }) => faults) };
}

async function loadOne(listed: Workflow | string, index: number, processors: readonly Class[], folder: string): Promise<LoadedWorkflows> {
  if (typeof listed !== 'string') {
    if (findWorkflowSpec(listed) !== undefined) return { workflows: [listed], faults: [] };
    const message = `workflows[${String(index)}] is ${describeValue(listed)}, not a workflow`;
    const fix = "List what workflow('name', …) answers, or the path of a definition file.";
    return { workflows: [], faults: [{ code: 'CONFIG_INVALID', message, where: [], fix }] };
  }
  try {
    return { workflows: [await loadWorkflow(shortPath(resolve(folder, listed)), { processors })], faults: [] };
  } catch (error) {
    if (error instanceof DefinitionError) return { workflows: [], faults: error.faults };
    // two processors of one name: the check of the wiring says so
    if (error instanceof MillraceError && error.code === 'DUPLICATE_NAME') return { workflows: [], faults: [] };
    throw error;
  }
}

/** Relative to the working directory where it is below it, as places in code are told. */
function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}
