import type { GivenBindings } from '../binding/resolved.js';
import { describeBindings } from '../binding/describe.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { Bindings, InputSource, InputsOf, OutputsOf, OutputTarget, ParamsOf, TaskResult } from '../types.js';
import { describeInputs, prepareTask } from './prepare.js';
import { runTask, type RunOptions } from './runner.js';
import type { Runtime } from './runtime.js';

/** One processor with bindings. May be run more than once, also at the same time. */
export interface Task<P> {
  /** The processor's. */
  readonly name: string;
  /** Binds ports by property name; a port bound before is bound anew. Never throws: `prepare` tells what is wrong. */
  bind(bindings: Bindings<P>): this;
  bindInput<K extends keyof InputsOf<P>>(port: K, source: InputSource<InputsOf<P>[K]>): this;
  bindOutput<K extends keyof OutputsOf<P>>(port: K, target: OutputTarget<OutputsOf<P>[K]>): this;
  bindParams(params: Partial<ParamsOf<P>> | string): this;
  /** What each port will use, defaults included: for people, secrets masked. */
  inputBindings(): Readonly<Record<string, string>>;
  outputBindings(): Readonly<Record<string, string>>;
  /**
   * Applies defaults and checks every port; touches no data.
   *
   * @throws {@link BindingError} with all faults.
   */
  prepare(): Promise<void>;
  /**
   * Runs the task; its outputs are published together when it has succeeded, and not otherwise.
   *
   * @throws {@link BindingError} before anything runs.
   * @throws {@link TaskError} whose `cause` is the processor's own error.
   */
  run(options?: RunOptions): Promise<TaskResult>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tasks are made by name too, where the processor is not known
export function createTask(runtime: Runtime, spec: ProcessorSpec): Task<any> {
  return new BoundTask(runtime, spec);
}

class BoundTask implements Task<unknown> {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #spec: ProcessorSpec;
  readonly #given = {
    inputs: new Map<string, unknown>(),
    outputs: new Map<string, unknown>(),
    unknown: new Map<string, 'input' | 'output' | 'port'>(),
  };

  constructor(runtime: Runtime, spec: ProcessorSpec) {
    this.#runtime = runtime;
    this.#spec = spec;
    this.name = spec.name;
  }

  bind(bindings: object): this {
    for (const [port, value] of Object.entries(bindings as Record<string, unknown>)) {
      if (value === undefined) continue;
      if (this.#isInput(port)) this.#setInput(port, value);
      else if (this.#isOutput(port)) this.#given.outputs.set(port, value);
      else this.#given.unknown.set(port, 'port');
    }
    return this;
  }

  bindInput(port: string, source: unknown): this {
    if (this.#isInput(port)) this.#setInput(port, source);
    else this.#given.unknown.set(port, 'input');
    return this;
  }

  bindOutput(port: string, target: unknown): this {
    if (this.#isOutput(port)) this.#given.outputs.set(port, target);
    else this.#given.unknown.set(port, 'output');
    return this;
  }

  bindParams(params: unknown): this {
    return this.bindInput('params', params);
  }

  inputBindings(): Readonly<Record<string, string>> {
    return describeInputs(this.#spec, this.#given);
  }

  outputBindings(): Readonly<Record<string, string>> {
    return describeBindings(this.#spec.outputs, this.#given.outputs);
  }

  async prepare(): Promise<void> {
    await prepareTask(this.#runtime, this.#spec, this.#given);
  }

  async run(options: RunOptions = {}): Promise<TaskResult> {
    this.#runtime.refuseIfClosed();
    const run = runTask(this.#runtime, this.#spec, this.#snapshot(), options);
    this.#runtime.enter(run);
    return run;
  }

  /** A run keeps the bindings that it started with. */
  #snapshot(): GivenBindings {
    const { inputs, outputs, unknown } = this.#given;
    return { inputs: new Map(inputs), outputs: new Map(outputs), unknown };
  }

  #setInput(port: string, value: unknown): void {
    this.#given.inputs.set(port, Array.isArray(value) ? [...(value as unknown[])] : value);
  }

  #isInput(port: string): boolean {
    return this.#spec.inputs.some(({ property }) => property === port) || this.#spec.params?.property === port;
  }

  #isOutput(port: string): boolean {
    return this.#spec.outputs.some(({ property }) => property === port);
  }
}
