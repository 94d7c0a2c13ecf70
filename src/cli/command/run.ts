import { resolveParamsSource } from '../../binding/ports.js';
import { isBinding } from '../../binding/binding.js';
import { BindingError, CompositionError, type Fault } from '../../errors.js';
import type { ProcessorSpec } from '../../metadata/spec.js';
import type { App } from '../../project/app.js';
import { composeApp } from '../../project/compose-app.js';
import type { Stores } from '../../project/stores.js';
import { toJson } from '../../task/log.js';
import { Masker } from '../../task/secrets.js';
import type { Task } from '../../task/task.js';
import type { RunOptions } from '../../task/runner.js';
import type { ConcreteClass, TaskResult } from '../../types.js';
import { parseGivenPorts, type GivenPorts } from '../bindings.js';
import type { Cli } from '../command.js';
import { describeError, withPortNames, writeEvents } from '../events.js';
import { conclude } from '../conclude.js';
import { describeFailure, isTaskError, UsageError } from '../failure.js';
import { createCliLog } from '../log.js';
import { tellResult } from '../outcome.js';
import { ofWorkflows, type RunCommandOptions } from '../run-options.js';
import { countInputs, drawProgress } from '../progress.js';
import { findProcessor, openWorkspace, withWorkflows } from '../workspace.js';
import { runWorkflow } from './run-workflow.js';

/** `millrace run NAME`. */
export async function run(options: RunCommandOptions, cli: Cli): Promise<number> {
  const { bind = [], params = [], timeout } = options;
  const workspace = await openWorkspace(cli, options.store);
  const { catalogue, stores } = workspace;
  const workflow = workspace.workflows.byName.get(options.name);
  if (workflow !== undefined && !catalogue.processors.has(options.name)) return runWorkflow(options, workspace, workflow, cli);
  if (catalogue.faults.length > 0) throw new CompositionError(`Project '${catalogue.options.name}'`, catalogue.faults);
  const spec = findProcessor(workspace, options.name);
  const foreign = ofWorkflows.find((option) => options[option] !== undefined);
  if (foreign !== undefined)
    throw new UsageError(`--${foreign === 'onFailure' ? 'on-failure' : foreign} is for workflows, and '${options.name}' is a processor.`);
  const given = parseGivenPorts(spec, { bind, params }, cli.cwd);
  const app = await composeApp({ project: withWorkflows(workspace), stores, log: createCliLog(cli) });
  const command = new RunCommand(cli, spec, given);
  const signal = cli.interrupts.hold();
  const ended = await command.run(app, stores, { signal, ...(timeout === undefined ? {} : { timeout }) });
  return conclude(app, command, ended);
}

type Ended = { readonly task: Task<unknown>; readonly result: TaskResult } | { readonly error: unknown };

class RunCommand {
  readonly #cli: Cli;
  readonly #spec: ProcessorSpec;
  readonly #given: GivenPorts;
  #masker: Masker;

  constructor(cli: Cli, spec: ProcessorSpec, given: GivenPorts) {
    this.#cli = cli;
    this.#spec = spec;
    this.#given = given;
    this.#masker = createMasker(spec, isBinding(given.params) ? {} : given.params);
  }

  async run(app: App, stores: Stores, options: RunOptions): Promise<Ended> {
    const { out, err, json, quiet } = this.#cli;
    try {
      const task = this.#bind(app);
      await this.#prepare(task);
      await this.#learnSecrets(app, stores);
      if (json) writeEvents(app, this.#spec, this.#masker, (line) => out.line(line));
      const drawn = !json && !quiet && err.isTerminal;
      const stop = drawn
        ? await drawProgress({ app, spec: this.#spec, err, totals: await countInputs(app, this.#spec, this.#given.inputs) })
        : undefined;
      const result = await task.run(options).finally(() => stop?.());
      return { task, result };
    } catch (error) {
      return { error };
    }
  }

  tell(ended: Ended): void {
    const { out, json } = this.#cli;
    if ('error' in ended) {
      const { error } = ended;
      if (json && error instanceof Error && isTaskError(error)) {
        const status = (error as { readonly code?: unknown }).code === 'TASK_CANCELLED' ? 'cancelled' : 'failed';
        out.line(toJson({ event: 'result', processor: this.#spec.name, status, error: describeError(error, this.#masker) }));
      }
      return this.tellError(error);
    }
    const { task, result } = ended;
    if (json) out.line(toJson({ event: 'result', ...withPortNames(this.#spec, result) }));
    else tellResult(out, { spec: this.#spec, given: this.#given, task, result });
  }

  tellError(error: unknown): void {
    const { err, debug } = this.#cli;
    err.line(
      describeFailure(error, err, { debug, mask: (text) => this.#masker.text(text), fix: (fault) => fixUnbound(fault, this.#spec) }),
    );
  }

  #bind(app: App): Task<unknown> {
    const { inputs, outputs, params } = this.#given;
    const task = app.task(this.#spec.name);
    for (const [property, binding] of inputs) task.bindInput(property as never, binding as never);
    for (const [property, binding] of outputs) task.bindOutput(property as never, binding as never);
    if (params !== undefined) task.bindParams(params);
    return task;
  }

  /** Tells what is wrong with the command line together with what is wrong with the bindings that it makes. */
  async #prepare(task: Task<unknown>): Promise<void> {
    const { faults } = this.#given;
    if (faults.length === 0) return task.prepare();
    const found = await task.prepare().then(
      () => [],
      (error: unknown) => (error instanceof BindingError ? error.faults : []),
    );
    throw new BindingError(`Processor '${this.#spec.name}'`, [...faults, ...found]);
  }

  /** Parameters that are bound by name have secrets too, which no error may show. */
  async #learnSecrets(app: App, stores: Stores): Promise<void> {
    const { params } = this.#given;
    if (!isBinding(params)) return;
    const set = { names: Object.keys(stores), get: (name: string) => app.store(name) };
    const { source } = await resolveParamsSource(this.#spec, params, set);
    for await (const [row] of source?.batches([], 1) ?? []) {
      this.#masker = createMasker(this.#spec, row);
      return;
    }
  }
}

/** Hides the secrets that were given, and those that the class has as defaults. */
function createMasker({ params }: ProcessorSpec, values: object | undefined): Masker {
  if (params === undefined) return new Masker();
  return new Masker(params.schema, { ...defaultsOf(params.schema as ConcreteClass<object>), ...values });
}

function defaultsOf(schema: ConcreteClass<object>): object {
  try {
    return new schema();
  } catch {
    return {}; // preparing the task says what is wrong with it
  }
}

/** An open port is bound on this command line. */
function fixUnbound({ code, path }: Fault, { inputs, outputs }: ProcessorSpec): string | undefined {
  const name = path?.at(-1);
  if (code !== 'PORT_UNBOUND' || name === undefined) return undefined;
  const isBoth = inputs.some((port) => port.name === name) && outputs.some((port) => port.name === name);
  if (isBoth) return `Bind it with --bind in:${name}=… or --bind out:${name}=….`;
  return `Bind it with --bind ${name}=COLLECTION or --bind ${name}=file:PATH.`;
}
