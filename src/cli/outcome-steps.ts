import { describeDuration } from '../task/log.js';
import type { RunStatus, StepResult, StepStatus, WorkflowResult } from '../types.js';
import type { PlannedStep } from '../workflow/options.js';
import type { Output } from './output.js';

/** Writes how a workflow went: a line for the whole, then one for each step. */
export function tellSteps(out: Output, name: string, result: Omit<WorkflowResult, 'status'> & { readonly status: RunStatus }): void {
  const { colors } = out;
  const { id, ms, status, steps } = result;
  out.line(`${colors.bold(name)} ${coloredStatus(status, out)} in ${describeDuration(ms)}  ${colors.dim(`run ${id}`)}`);
  const size = Math.max(0, ...Object.keys(steps).map((step) => step.length));
  for (const [step, end] of Object.entries(steps)) {
    const facts = [coloredStatus(end.status, out), ...describeStep(end)];
    out.line(`  ${step.padEnd(size)}  ${facts.join('  ')}`);
  }
}

/** What runs and why, and what each port will use. */
export function tellPlan(out: Output, plan: readonly PlannedStep[]): void {
  const { colors } = out;
  const size = Math.max(0, ...plan.map(({ name }) => name.length));
  for (const { name, runs, reason, bindings, links } of plan) {
    out.line(`${(runs ? colors.green : colors.dim)(runs ? '▶' : '·')} ${name.padEnd(size)}  ${runs ? 'runs' : 'does not run'}: ${reason}`);
    if (!runs) continue;
    const linked = new Set(links.map(({ input }) => input));
    for (const [port, bound] of Object.entries(bindings)) if (!linked.has(port)) out.line(colors.dim(`    ${port}: ${bound}`));
    for (const { input, from, by, reason: why } of links) {
      const how = { stream: 'streamed', spool: 'spooled', collection: 'from its collection' }[by];
      out.line(colors.dim(`    ${input} ← ${from}  ${how}${why === undefined ? '' : `: ${why}`}`));
    }
  }
}

export function coloredStatus(status: RunStatus | StepStatus | 'running', { colors }: Pick<Output, 'colors'>): string {
  if (status === 'succeeded' || status === 'reused') return colors.green(status);
  return status === 'failed' || status === 'running' ? colors.red(status) : colors.yellow(status);
}

function describeStep({ result, reason, error }: StepResult): string[] {
  if (result === undefined)
    return [...(error === undefined ? [] : [error.message]), ...(error === undefined && reason !== undefined ? [`(${reason})`] : [])];
  const counts = (ports: Readonly<Record<string, { readonly rows: number }>>): number =>
    Object.values(ports).reduce((sum, { rows }) => sum + rows, 0);
  const rejected = [...Object.values(result.inputs), ...Object.values(result.outputs)].reduce((sum, count) => sum + count.rejected, 0);
  const rows = `${counts(result.inputs).toLocaleString('en')} → ${counts(result.outputs).toLocaleString('en')} rows`;
  return [rows, ...(rejected === 0 ? [] : [`${rejected.toLocaleString('en')} rejected`]), describeDuration(result.ms)];
}
