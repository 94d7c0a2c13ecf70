import { maskUrl } from '../../mask.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../../metadata/spec.js';
import type { WorkflowSpec } from '../../workflow/spec.js';
import type { Cli } from '../command.js';
import { exitCode } from '../failure.js';
import { printTable } from '../table.js';
import { countOf, toJson } from '../text.js';
import { openWorkspace } from '../workspace.js';

/** `millrace list`. */
export async function list(_options: object, cli: Cli): Promise<number> {
  const { out, err, json, quiet } = cli;
  const { catalogue, path, workflows } = await openWorkspace(cli);
  const { name, title, description } = catalogue.options;
  const processors = [...catalogue.processors.values()];
  if (json) {
    out.line(
      toJson({
        name,
        title,
        description,
        config: path,
        processors: processors.map(summarise),
        workflows: [...workflows.byName.values()].map(summariseWorkflow),
      }),
    );
    return exitCode.done;
  }
  if (!quiet) err.line([name, title, description].filter((text) => text !== undefined).join('  '));
  const faults = catalogue.faults.length + workflows.faults.length;
  if (processors.length === 0 && faults === 0)
    err.line(`Project '${name}' has no processors yet: list them in defineProject({ processors: [ … ] }) of ${path}.`);
  else if (processors.length > 0)
    await printTable(out, [{ title: 'PROCESSOR' }, { title: 'TITLE' }, { title: 'INPUTS' }, { title: 'OUTPUTS' }], processors.map(toRow));
  if (workflows.byName.size > 0) {
    out.line();
    await printTable(
      out,
      [{ title: 'WORKFLOW' }, { title: 'TITLE' }, { title: 'STEPS' }],
      [...workflows.byName.values()].map(toWorkflowRow),
    );
  }
  if (faults > 0 && !quiet) err.line(`${countOf(faults, 'fault')} in what the project lists: see 'millrace check'.`);
  return exitCode.done;
}

function toWorkflowRow({ name, title, steps }: WorkflowSpec): readonly string[] {
  return [name, title ?? '', steps.map((step) => step.name).join(', ')];
}

function summariseWorkflow({ name, title, description, steps }: WorkflowSpec): object {
  return {
    name,
    title,
    description,
    steps: steps.map((step) => ({ name: step.name, processor: step.processor.name, tags: [...step.tags] })),
  };
}

function toRow({ name, title, inputs, outputs }: ProcessorSpec): readonly string[] {
  return [name, title ?? '', inputs.map(describePort).join(', '), outputs.map(describePort).join(', ')];
}

/** A port, with what it is bound to where nothing else is said, when that has another name. */
function describePort({ name, binding }: InputSpec | OutputSpec): string {
  const target = describeBinding(binding);
  return target === undefined || target === name ? name : `${name} = ${target}`;
}

function describeBinding(binding: InputSpec['binding']): string | undefined {
  return binding === undefined ? undefined : maskUrl(String(binding));
}

function summarise({ name, title, description, tags, inputs, outputs, where }: ProcessorSpec): object {
  const ports = (specs: readonly (InputSpec | OutputSpec)[]): object[] =>
    specs.map((port) => ({
      name: port.name,
      title: port.title,
      binding: describeBinding(port.binding),
      optional: port.optional,
    }));
  return { name, title, description, tags, inputs: ports(inputs), outputs: ports(outputs), where };
}
