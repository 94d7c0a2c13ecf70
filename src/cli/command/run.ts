import { isBinding, parseBinding } from '../../binding/binding.js';
import type { Fault } from '../../errors.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../../metadata/spec.js';
import { composeApp, type App } from '../../project/app.js';
import { describeCount, describeDuration, toJson } from '../../task/log.js';
import { Masker } from '../../task/secrets.js';
import type { Task } from '../../task/task.js';
import type { ConcreteClass, OutputTarget, TaskResult } from '../../types.js';
import { parseGivenPorts, type GivenPorts } from '../bindings.js';
import type { Cli } from '../command.js';
import { describeError, withPortNames, writeEvents } from '../events.js';
import { describeFailure, exitCode, exitCodeOf, isTaskError } from '../failure.js';
import { createCliLog } from '../log.js';
import { countInputs, drawProgress } from '../progress.js';
import { openWorkspace } from '../workspace.js';

export interface RunCommandOptions {
  readonly name: string;
  readonly bind?: readonly string[];
  readonly params?: readonly string[];
  readonly store?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** `millrace run NAME`. */
export async function run(options: RunCommandOptions, cli: Cli): Promise<number> {
  const { bind = [], params = [] } = options;
  const { project, catalogue, stores } = await openWorkspace(cli, options.store);
  const spec = catalogue.get(options.name);
  const given = parseGivenPorts(spec, { bind, params }, cli.cwd);
  const app = await composeApp({ project, stores, log: createCliLog(cli) });
  const signal = cli.interrupts.hold();
  const command = new RunCommand(cli, spec, given);
  let code: number;
  try {
    code = await command.run(app, { signal, ...(options.timeout === undefined ? {} : { timeout: options.timeout }) });
  } catch (error) {
    code = command.fail(error);
  }
  // What fails to close is told besides, and makes a run that went well one that did not.
  const closed = await app.close().then(
    () => exitCode.done,
    (error: unknown) => (command.fail(error), exitCode.failed),
  );
  return code === exitCode.done ? closed : code;
}

class RunCommand {
  readonly #cli: Cli;
  readonly #spec: ProcessorSpec;
  readonly #given: GivenPorts;
  readonly #masker: Masker;

  constructor(cli: Cli, spec: ProcessorSpec, given: GivenPorts) {
    this.#cli = cli;
    this.#spec = spec;
    this.#given = given;
    this.#masker = createMasker(spec, given.params);
  }

  async run(app: App, options: { readonly signal: AbortSignal; readonly timeout?: number }): Promise<number> {
    const { out, err, json, quiet } = this.#cli;
    const task = this.#bind(app);
    await task.prepare();
    if (json) writeEvents(app, this.#spec, this.#masker, (line) => out.line(line));
    const bar = !json && !quiet && err.isTerminal;
    const totals = bar ? await countInputs(app, this.#spec, this.#given.inputs) : new Map<string, number>();
    const stop = bar ? await drawProgress({ app, spec: this.#spec, err, totals }) : undefined;
    try {
      this.#tell(task, await task.run(options));
      return exitCode.done;
    } finally {
      stop?.();
    }
  }

  /** Writes an error; answers the exit code. */
  fail(error: unknown): number {
    const { out, err, json, debug, interrupts } = this.#cli;
    const code = interrupts.code ?? exitCodeOf(error);
    if (json && error instanceof Error && isTaskError(error)) {
      const status = (error as { readonly code?: unknown }).code === 'TASK_CANCELLED' ? 'cancelled' : 'failed';
      out.line(toJson({ event: 'result', processor: this.#spec.name, status, error: describeError(error, this.#masker) }));
    }
    err.line(describeFailure(error, err, { debug, mask: (text) => this.#masker.text(text), fix }));
    return code;
  }

  #bind(app: App): Task<unknown> {
    const { inputs, outputs, params } = this.#given;
    const task = app.task(this.#spec.name);
    for (const [property, binding] of inputs) task.bindInput(property as never, binding);
    for (const [property, binding] of outputs) task.bindOutput(property as never, binding as OutputTarget<unknown>);
    if (params !== undefined) task.bindParams(params);
    return task;
  }

  #tell(task: Task<unknown>, result: TaskResult): void {
    const { out, json } = this.#cli;
    if (json) return out.line(toJson({ event: 'result', ...withPortNames(this.#spec, result) }));
    const { colors } = out;
    const tried = result.attempts > 1 ? ` at attempt ${String(result.attempts)}` : '';
    out.line(
      `${colors.bold(result.processor)} ${colors.green('succeeded')}${tried} in ${describeDuration(result.ms)}  ${colors.dim(`run ${result.runId}`)}`,
    );
    const lines = [...this.#ports(result, 'inputs', task.inputBindings()), ...this.#ports(result, 'outputs', task.outputBindings())];
    const widths = [0, 1].map((at) => Math.max(0, ...lines.map((line) => line[at]?.length ?? 0)));
    for (const [port = '', binding = '', count = ''] of lines)
      out.line(`  ${port.padEnd(widths[0] ?? 0)} ${binding.padEnd(widths[1] ?? 0)}  ${count}`);
    this.#tellRejects(result);
    for (const [name, value] of Object.entries(result.metrics)) out.line(`  ${name}: ${value.toLocaleString('en')}`);
  }

  /** Port, arrow and binding, count. */
  #ports(result: TaskResult, side: 'inputs' | 'outputs', bindings: Readonly<Record<string, string>>): readonly (readonly string[])[] {
    return this.#spec[side].map(({ name, property }) => {
      const arrow = side === 'inputs' ? '←' : '→';
      return [name, `${arrow} ${bindings[property] ?? 'nothing'}`, describeCount(result[side][property] ?? { rows: 0, rejected: 0 })];
    });
  }

  /** Where rejected rows went, by a command that shows them. */
  #tellRejects(result: TaskResult): void {
    const { inputs, outputs } = this.#spec;
    const rejecting = [...inputs, ...outputs].filter(({ kind, property, onInvalid }) => {
      const count = kind === 'input' ? result.inputs[property] : result.outputs[property];
      return onInvalid === 'reject' && (count?.rejected ?? 0) > 0;
    });
    const places = rejecting.map((port) =>
      rejectsOf(this.#spec, port, this.#given.inputs.get(port.property) ?? this.#given.outputs.get(port.property) ?? port.binding),
    );
    for (const place of new Set(places))
      this.#cli.out.line(`  rejected rows, with their reasons: ${place.startsWith('file:') ? place : `millrace data ${place}`}`);
  }
}

/** By the same rule as the run itself has. */
function rejectsOf({ name }: ProcessorSpec, port: InputSpec | OutputSpec, bound: unknown): string {
  if (port.rejects !== undefined) return port.rejects;
  const binding = typeof bound === 'string' ? parseBinding(bound) : bound;
  if (!isBinding(binding) || binding.kind !== 'collection') return `${name}_${port.name}_rejects`;
  return binding.store === 'default' ? `${binding.name}_rejects` : `${binding.name}_rejects@${binding.store}`;
}

function fix({ code, path = [] }: Fault): string | undefined {
  const port = path.at(-1) ?? 'port';
  return code === 'PORT_UNBOUND' ? `Bind it with --bind ${port}=COLLECTION or --bind ${port}=file:PATH.` : undefined;
}

/** Hides the secrets that were given, and those that the class has as defaults. */
function createMasker({ params }: ProcessorSpec, given: object | undefined): Masker {
  if (params === undefined) return new Masker();
  const values = given === undefined || isBinding(given) ? {} : given;
  return new Masker(params.schema, { ...defaultsOf(params.schema as ConcreteClass<object>), ...values });
}

function defaultsOf(schema: ConcreteClass<object>): object {
  try {
    return new schema();
  } catch {
    return {}; // preparing the task says what is wrong with it
  }
}
