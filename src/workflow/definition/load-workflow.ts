import type { Workflow } from '../workflow.js';
import type { LoadWorkflowOptions } from './definition.js';

/**
 * Reads a workflow from a YAML, JSON or TOML file.
 *
 * @example
 * ```ts
 * const pricing = await loadWorkflow('pricing.yaml', { processors: [ImportPrices, NormalisePrices] });
 * ```
 * @throws {@link DefinitionError} that holds every fault, each with `file:line:column` and what to write instead.
 */
export async function loadWorkflow(path: string, options: LoadWorkflowOptions): Promise<Workflow> {
  const { readWorkflow } = await import('./definition.js');
  return readWorkflow(path, options);
}
