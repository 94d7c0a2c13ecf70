import { createContainer } from '../container/container.js';
import type { ContainerCore, DependencyGraph } from '../container/types.js';
import { describeValue, MillraceError, ScopeCloseError, suggestName, type Fault } from '../errors.js';
import { getProcessorSpec } from '../metadata/registry.js';
import type { ProcessorSpec } from '../metadata/spec.js';
import type { Store } from '../storage/store.js';
import { EventHub } from '../task/event-hub.js';
import { createLog, silentLog } from '../task/log.js';
import { noRecorder, StoreRecorder } from '../task/recorder.js';
import type { Runtime } from '../task/runtime.js';
import { Masker } from '../task/secrets.js';
import { createTask, type Task } from '../task/task.js';
import type { Class, Dependency, Events, Given } from '../types.js';
import type { RunAnother } from '../workflow/action/hook.js';
import type { WorkflowSpec } from '../workflow/spec.js';
import { createWorkflowTask, type WorkflowTask } from '../workflow/task.js';
import { findWorkflowSpec, type Workflow } from '../workflow/workflow.js';
import type { App, AppOptions } from './app.js';
import { processorsOf, specsByName, twinsOf, undecorated } from './members.js';
import { AppStores } from './stores.js';

/** What only the testing kit asks of an app. */
export interface InternalOptions {
  readonly freeze?: boolean;
  readonly announce?: boolean;
  /** Run records are not written. */
  readonly unrecorded?: boolean;
  readonly onReject?: NonNullable<Runtime['onReject']>;
  /** Closing throws where a scope opened by hand is still open, or any closer failed. */
  readonly strict?: boolean;
}

/** An app whose parts are known; whether they fit is for `check` to say. */
export class ComposedApp implements App {
  readonly container: ContainerCore;
  readonly #stores: AppStores;
  readonly #runtime: Runtime;
  readonly #specs: ReadonlyMap<string, ProcessorSpec>;
  readonly #workflows: ReadonlyMap<string, WorkflowSpec>;
  /** Workflows that have the name of another. */
  readonly #twins: readonly Fault[];
  readonly #running = new Set<Promise<unknown>>();
  readonly #events: EventHub;
  readonly #undecorated: readonly Fault[];
  readonly #strict: boolean;
  readonly #failedClosers: MillraceError[] = [];
  #observed = false;
  #closing: Promise<void> | undefined;

  constructor(options: AppOptions, internal: InternalOptions) {
    const log = options.log === 'silent' ? silentLog : (options.log ?? createLog());
    this.#stores = new AppStores(options.stores ?? {});
    const workflows = (options.workflows ?? []).flatMap((workflow) => findWorkflowSpec(workflow) ?? []);
    this.#workflows = new Map(workflows.map((spec) => [spec.name, spec]));
    this.#twins = twinsOf(workflows);
    const processors = [...(options.processors ?? []), ...processorsOf(workflows)];
    this.container = createContainer({ ...options, processors }) as ContainerCore;
    this.#strict = internal.strict ?? false;
    if (this.#strict) this.#collectFailedClosers();
    this.#undecorated = undecorated(processors);
    this.#specs = specsByName(processors);
    this.#events = new EventHub((event, error) => {
      log.error(new Masker().text(`a listener of '${event}' threw: ${String(error)}`));
    });
    this.#runtime = {
      container: this.container,
      stores: this.#stores,
      events: this.#events,
      recorder: internal.unrecorded === true ? noRecorder : new StoreRecorder(() => this.#stores.get('default'), log),
      ...(internal.onReject === undefined ? {} : { onReject: internal.onReject }),
      log,
      announce: internal.announce ?? log !== silentLog,
      clock: options.clock,
      closeTimeout: options.closeTimeout ?? 10_000,
      freeze: internal.freeze ?? false,
      enter: (run) => {
        this.#enter(run);
      },
      refuseIfClosed: () => {
        this.#refuseIfClosed();
      },
    };
  }

  task(processor: Class | string): Task<never> {
    this.#refuseIfClosed();
    return createTask(this.#runtime, typeof processor === 'string' ? this.#specOf(processor) : getProcessorSpec(processor)) as Task<never>;
  }

  workflow(workflow: Workflow | string): WorkflowTask {
    this.#refuseIfClosed();
    const spec = typeof workflow === 'string' ? this.#workflows.get(workflow) : findWorkflowSpec(workflow);
    if (spec !== undefined) return createWorkflowTask(this.#runtime, spec, { runAnother: this.#runAnother });
    if (typeof workflow === 'string')
      throw new MillraceError('WORKFLOW_UNKNOWN', `no workflow is named '${workflow}'. ${suggestName(workflow, this.#workflows.keys())}`);
    throw new MillraceError('WORKFLOW_UNKNOWN', `app.workflow takes a workflow or the name of one, not ${describeValue(workflow)}`);
  }

  readonly #runAnother: RunAnother = async (name, options, chain) => {
    const spec = this.#workflows.get(name);
    if (spec === undefined)
      throw new MillraceError('WORKFLOW_UNKNOWN', `no workflow is named '${name}'. ${suggestName(name, this.#workflows.keys())}`);
    return createWorkflowTask(this.#runtime, spec, { runAnother: this.#runAnother, chain }).run(options);
  };

  store(name = 'default'): Store {
    return this.#stores.get(name);
  }

  check(): readonly Fault[] {
    return [...this.#undecorated, ...this.container.check(), ...this.#twins];
  }

  override<T>(what: Dependency<T>, by: Given<NoInfer<T>>): Disposable {
    return this.container.override(what, by);
  }

  graph(): DependencyGraph {
    return this.container.graph();
  }

  on<E extends keyof Events>(event: E, listener: (event: Events[E]) => void): Disposable {
    if (event.startsWith('dependency:')) this.#observeDependencies();
    return this.#events.on(event, listener);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    const leaked = this.#strict ? this.container.openScopes() : [];
    const steps = [() => this.container.close(), () => this.#runtime.recorder.flush(), () => this.#stores.close()];
    const failed: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => failed.push(error));
    if (leaked.length > 0)
      throw new MillraceError(
        'SCOPE_CLOSE_FAILED',
        `scopes were still open when the app was closed: ${leaked.join(', ')}; close each, or open it with \`await using\``,
      );
    if (failed.length === 0 && this.#failedClosers.length > 0) {
      throw new ScopeCloseError(
        `closers failed while the app was in use: ${this.#failedClosers.map(({ message }) => message).join('; ')}`,
        this.#failedClosers,
      );
    }
    if (failed.length > 0) throw failed[0];
  }

  #collectFailedClosers(): void {
    this.container.observe(({ error }) => {
      if (error instanceof MillraceError) this.#failedClosers.push(error);
    });
  }

  #specOf(name: string): ProcessorSpec {
    const spec = this.#specs.get(name);
    if (spec !== undefined) return spec;
    throw new MillraceError('PROCESSOR_UNKNOWN', `no processor is named '${name}'. ${suggestName(name, this.#specs.keys())}`);
  }

  #enter(run: Promise<unknown>): void {
    this.#running.add(run);
    const leave = (): void => void this.#running.delete(run);
    run.then(leave, leave);
  }

  #refuseIfClosed(): void {
    if (this.#closing !== undefined)
      throw new MillraceError('SCOPE_CLOSED', 'the app is closed: create another one, or run the task before its `await using` ends');
  }

  /** Not before somebody listens: what nobody hears is not measured either. */
  #observeDependencies(): void {
    if (this.#observed) return;
    this.#observed = true;
    this.container.observe(({ event, name, scope, ms, error }) => {
      const at = this.#runtime.clock?.now() ?? new Date();
      if (event === 'setup') this.#events.emit('dependency:setup', { name, scope, ms, at });
      else this.#events.emit('dependency:close', { name, scope, ms, at, ...(error === undefined ? {} : { error }) });
    });
  }
}
