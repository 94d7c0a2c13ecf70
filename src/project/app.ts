import type { Container, ContainerOptions, DependencyGraph } from '../container/types.js';
import type { Fault } from '../errors.js';
import type { Store } from '../storage/store.js';
import type { Task } from '../task/task.js';
import type { Class, Clock, Dependency, Events, Given, Log } from '../types.js';
import type { WorkflowTask } from '../workflow/task.js';
import type { Workflow } from '../workflow/workflow.js';
import type { Project } from './project.js';
import type { Stores } from './stores.js';

/** What an app is composed of. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- provisions of many types
export interface AppOptions<D extends readonly unknown[] = any> extends ContainerOptions<D> {
  /** What is given here is added to it; stores of the same name take the place of its own. */
  readonly project?: Project;
  /** Those that are asked for by name, and whose processors' wiring is checked. */
  readonly workflows?: readonly Workflow[];
  readonly stores?: Stores;
  /** Default: human lines on stderr where that is a terminal, else JSON lines. */
  readonly log?: Log | 'silent';
  /** Time-outs, delays and dates of runs obey it; default: the system's. */
  readonly clock?: Clock;
}

/** Processors, dependencies and stores, composed: makes tasks, and closes everything when it is closed. */
export interface App extends AsyncDisposable {
  readonly container: Container;
  task<P>(processor: Class<P>): Task<P>;
  /** @throws {@link MillraceError} `PROCESSOR_UNKNOWN`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- by name, the processor's ports are not known
  task(processorName: string): Task<any>;
  /** @throws {@link MillraceError} `WORKFLOW_UNKNOWN`. */
  workflow(workflow: Workflow | string): WorkflowTask;
  /** @throws {@link MillraceError} `STORE_UNKNOWN`. */
  store(name?: string): Store;
  /** Every wiring mistake; no factory is run. */
  check(): readonly Fault[];
  /**
   * Replaces a dependency until what is answered is disposed.
   *
   * @throws {@link CompositionError} where the replacement would be a mistake; nothing changes then.
   */
  override<T>(what: Dependency<T>, by: Given<NoInfer<T>>): Disposable;
  graph(): DependencyGraph;
  on<E extends keyof Events>(event: E, listener: (event: Events[E]) => void): Disposable;
  /** Waits for runs under way, closes every scope, longest life last, then the stores. Idempotent. */
  close(): Promise<void>;
}
