import { DefinitionError, MillraceError } from '../../errors.js';
import { getProcessorSpec } from '../../metadata/registry.js';
import type { ProcessorSpec } from '../../metadata/spec.js';
import type { Class } from '../../types.js';
import type { RunFacts } from '../action/action.js';
import type { ResolveContext, WorkflowSpec } from '../spec.js';
import { createWorkflow, type Workflow } from '../workflow.js';
import { Collector, type Opened } from './collect.js';
import { compile } from './compile.js';
import { openDates, type DateWriter } from './dates.js';
import { LoadedFiles, type LoadedFile } from './load-files.js';
import { readActions } from './read-actions.js';
import { variableFacts } from './variable-facts.js';
import { Faults } from './source.js';
import type { Surroundings } from './variables.js';

/** What a definition file is read with. */
export interface LoadWorkflowOptions {
  /** Steps name them. */
  readonly processors: readonly Class[];
  /** In place of those that the file declares; those of a run take their place. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** A workflow from its file. */
export async function readWorkflow(path: string, options: LoadWorkflowOptions): Promise<Workflow> {
  const faults = new Faults();
  const files = new LoadedFiles(faults);
  const file = await files.load(path, path);
  if (file === undefined) throw new DefinitionError(`Definition '${path}'`, faults.sorted());
  const definition = new Definition(
    path,
    file,
    files,
    processorsByName(options.processors),
    options.variables ?? {},
    await datesFor(files),
  );
  return createWorkflow(await definition.resolve({ variables: {}, now: new Date() }, faults), {});
}

/** A definition that was read: made into a workflow when it is loaded, and once more for each run. */
class Definition {
  readonly #path: string;
  readonly #file: LoadedFile;
  readonly #files: LoadedFiles;
  readonly #processors: ReadonlyMap<string, ProcessorSpec>;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #dates: DateWriter | undefined;

  constructor(
    path: string,
    file: LoadedFile,
    files: LoadedFiles,
    processors: ReadonlyMap<string, ProcessorSpec>,
    variables: Readonly<Record<string, unknown>>,
    dates: DateWriter | undefined,
  ) {
    this.#path = path;
    this.#file = file;
    this.#files = files;
    this.#processors = processors;
    this.#variables = variables;
    this.#dates = dates;
  }

  async resolve({ variables, now }: ResolveContext, faults = new Faults()): Promise<WorkflowSpec> {
    const around: Surroundings = { now, dates: this.#dates, environment: process.env };
    const given = new Map([...Object.entries(this.#variables), ...Object.entries(variables)]);
    const options = { files: this.#files, processors: this.#processors, around, variables: given, faults };
    const collected = new Collector(options).collect(this.#file);
    if (collected === undefined) throw new DefinitionError(`Definition '${this.#path}'`, faults.sorted());
    const sample: RunFacts = { event: 'failed', workflow: 'w', runId: 'r', at: now, ms: 0, status: 'failed', error: 'e', steps: {} };
    const actionsOf = (opened: Opened, told: RunFacts, found: Faults): ReturnType<typeof readActions> =>
      readActions(opened.loaded, opened.file, told, { around, given: opened.given, timezone: opened.timezone, faults: found });
    for (const inner of collected.within) actionsOf(inner, sample, faults); // they are not done, and are to be right all the same
    const sampled = actionsOf(collected, sample, faults);
    const spec = await compile(collected, faults);
    return Object.freeze({
      ...spec,
      variableFacts: variableFacts(collected),
      resolve: (context: ResolveContext) => this.resolve(context),
      runs: [...sampled.values()].flat().flatMap(({ runs }) => runs ?? []),
      actions: (facts: RunFacts) => actionsOf(collected, facts, new Faults()).get(facts.event) ?? [],
    });
  }
}

function processorsByName(processors: readonly Class[]): Map<string, ProcessorSpec> {
  const specs = processors.map((processor) => getProcessorSpec(processor));
  const byName = new Map<string, ProcessorSpec>();
  for (const spec of specs) {
    const twin = byName.get(spec.name);
    if (twin !== undefined && twin.class !== spec.class) {
      throw new MillraceError(
        'DUPLICATE_NAME',
        `loadWorkflow: two processors are named '${spec.name}'; give one of them a \`name\` of its own`,
        { where: [twin.where, spec.where] },
      );
    }
    byName.set(spec.name, spec);
  }
  return byName;
}

/** What writes dates is loaded where a file names one. */
async function datesFor(files: LoadedFiles): Promise<DateWriter | undefined> {
  for await (const text of files.texts()) if (/\{(?:today|now|yesterday)\b/.test(text)) return openDates();
  return undefined;
}
