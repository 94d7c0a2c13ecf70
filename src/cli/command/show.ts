import type { Cli } from '../command.js';
import { describeProcessor, type PortFacts, type ProcessorFacts, type PropertyFacts } from '../describe.js';
import { exitCode } from '../failure.js';
import type { Colors, Output } from '../output.js';
import { describeDuration } from '../../task/log.js';
import { countOf, toJson } from '../text.js';
import { findProcessor, openWorkspace } from '../workspace.js';
import { showWorkflow } from './show-workflow.js';

/** `millrace show NAME`. */
export async function show({ name }: { readonly name: string }, cli: Cli): Promise<number> {
  const workspace = await openWorkspace(cli);
  const workflow = workspace.catalogue.processors.has(name) ? undefined : workspace.workflows.byName.get(name);
  if (workflow !== undefined) return showWorkflow(workflow, cli);
  const facts = describeProcessor(findProcessor(workspace, name));
  if (cli.json) cli.out.line(toJson(facts));
  else print(facts, cli.out);
  return exitCode.done;
}

function print(facts: ProcessorFacts, out: Output): void {
  const { colors } = out;
  out.line(titled(colors.bold(facts.name), facts));
  const tags = facts.tags.length === 0 ? [] : [`tags ${facts.tags.join(', ')}`];
  const timeout = facts.timeout === undefined ? [] : [`time-out ${describeDuration(facts.timeout)}`];
  const attempts = facts.attempts === undefined ? [] : [countOf(facts.attempts, 'attempt')];
  out.line(colors.dim([facts.where, ...tags, ...timeout, ...attempts].join('  ')));
  if (facts.params !== undefined) printPorts(out, 'Parameters', [{ ...facts.params, options: [] }]);
  printPorts(out, 'Inputs', facts.inputs, '←');
  printPorts(out, 'Outputs', facts.outputs, '→');
  if (facts.dependencies.length === 0) return;
  out.line(`\n${colors.bold('Dependencies')}`);
  for (const line of aligned(facts.dependencies.map(({ place, scope, provider }) => [place, scope, provider]))) out.line(`  ${line}`);
}

function printPorts(out: Output, title: string, ports: readonly PortFacts[], arrow?: string): void {
  const { colors } = out;
  if (ports.length === 0) return;
  out.line(`\n${colors.bold(title)}`);
  for (const port of ports) {
    const bound =
      arrow === undefined
        ? ''
        : ` ${arrow} ${port.binding ?? colors.yellow(port.options.includes('optional') ? 'nothing' : 'to be bound')}`;
    const schema = port.schema === undefined ? [] : [port.schema];
    out.line(
      `  ${titled(`${colors.cyan(port.name)}${bound}`, port)}${colors.dim([...schema, ...port.options].map((text) => `  ${text}`).join(''))}`,
    );
    for (const line of propertyLines(port.properties, colors)) out.line(`    ${line}`);
  }
}

/** Name, type, default where any has one, rules. */
function propertyLines(properties: readonly PropertyFacts[], colors: Colors): readonly string[] {
  const hasDefaults = properties.some((one) => one.default !== undefined);
  const rows = properties.map(({ name, type, rules, optional, secret, default: value }) => {
    const marks = [...rules, ...(optional ? ['optional'] : []), ...(secret ? ['secret'] : [])].join(', ');
    const given = value === undefined ? '' : `= ${JSON.stringify(value)}`;
    return [name, type === 'any' ? '' : type, ...(hasDefaults ? [given] : []), colors.dim(marks)];
  });
  return aligned(rows);
}

function titled(text: string, { title, description }: { readonly title?: string; readonly description?: string }): string {
  return [text, title, description].filter((part) => part !== undefined).join('  ');
}

/** Columns side by side; the last is as long as it is. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.slice(0, -1).forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
