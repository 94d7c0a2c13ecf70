import { CompositionError, describeValue, MillraceError, type Fault } from '../errors.js';
import { findProcessorSpec } from '../metadata/registry.js';
import { scopeOrder, type Class, type Dependency, type Given as GivenFor, type Scope } from '../types.js';
import { checkWiring, type Root } from './check.js';
import { success } from './closer.js';
import { isClass, isResource, levelOf, scopeAt, toKey, type Key } from './dependency.js';
import { scopeClosed } from './failure.js';
import { drawGraph } from './graph.js';
import { defaultCloseTimeout, toLimit } from './limit.js';
import { duplicated, Provisions } from './provisions.js';
import { ResourceScope, root } from './scope.js';
import { Shared } from './shared.js';
import type {
  Container,
  ContainerCore,
  ContainerCoreOptions,
  ContainerOptions,
  DependencyGraph,
  DependencyListener,
  ScopeCore,
  ScopeHandle,
} from './types.js';
import { Wiring, type Part } from './wiring.js';

/**
 * A container for dependencies of five lifetimes. It sets nothing up before someone asks, and never throws for wiring: `check()` tells of
 * mistakes, as does the `get` or `build` concerned.
 *
 * @example
 * ```ts
 * await using container = createContainer({ provide: [[settings, { url: 'db://one' }]] });
 * await container.use(Scope.Task, async (task) => (await task.build(Importer)).import());
 * ```
 * @throws {@link MillraceError} `CONFIG_INVALID` for a `closeTimeout` that is no number of milliseconds.
 */
export function createContainer<const D extends readonly unknown[]>(options: ContainerOptions<D> = {}): Container {
  return createContainerCore(options);
}

/** {@link createContainer}, with what the task runner needs of it. */
export function createContainerCore(options: ContainerCoreOptions = {}): ContainerCore {
  return new RootContainer(options);
}
export type { ContainerCore, ContainerCoreOptions } from './types.js';

/** Turns what users ask for into the part that stands for it. */
type Find = (what: unknown, level: number) => Part;

class RootContainer implements ContainerCore {
  readonly #processors: readonly Class[];
  /** Of the list of processors. */
  readonly #faults: readonly Fault[];
  readonly #provisions: Provisions;
  readonly #wiring: Wiring;
  readonly #shared: Shared;
  readonly #scope: ResourceScope;

  constructor({ processors = [], provide = [], closeTimeout = defaultCloseTimeout, clock }: ContainerCoreOptions) {
    this.#processors = [...new Set(processors)].filter((processor) => typeof processor === 'function');
    this.#faults = processors.flatMap((processor, index) => (typeof processor === 'function' ? [] : noProcessor(processor, index)));
    this.#provisions = new Provisions(provide as readonly unknown[]);
    this.#wiring = new Wiring(this.#provisions);
    this.#shared = new Shared(toLimit(closeTimeout, clock));
    for (const value of this.#provisions.values) this.#addGiven(value);
    this.#scope = new ResourceScope(root, undefined, this.#shared);
  }

  open(scope: Scope): ScopeCore {
    return openScope(this.#scope, scope, this.#find);
  }

  async use<R>(scope: Scope, body: (scope: ScopeHandle) => R | Promise<R>): Promise<R> {
    return useScope(this.#scope, scope, this.#find, body);
  }

  check(): readonly Fault[] {
    return Object.freeze(this.#check([]));
  }

  override<T>(what: Dependency<T>, by: GivenFor<NoInfer<T>>): Disposable {
    const key = toKey(what);
    if (key === undefined) throw noDependency(what, 'override');
    const known = new Set(this.#check([]).map(({ message }) => message));
    const asked = this.#wiring.roots();
    const override = this.#provisions.override(key, by);
    const faults = this.#check([...asked, { key, level: shortest }]).filter(({ message }) => !known.has(message));
    if (faults.length > 0) {
      this.#provisions.restore(override);
      throw new CompositionError('The override', faults);
    }
    this.#addGiven(by);
    this.#wiring.forget();
    return {
      [Symbol.dispose]: () => {
        this.#provisions.restore(override);
        this.#wiring.forget(override);
      },
    };
  }

  graph(): DependencyGraph {
    return drawGraph(this.#provisions, this.#roots());
  }

  hasDependencies(target: Class): boolean {
    try {
      const { kind, plan, needs } = this.#find(target, shortest);
      return kind !== 'class' || plan?.key !== target || needs.length > 0 || isDisposable(target);
    } catch {
      return true; // building it tells why
    }
  }

  openScopes(): Scope[] {
    return this.#scope.openBelow().map(scopeAt);
  }

  observe(listener: DependencyListener): Disposable {
    const { listeners } = this.#shared;
    const own: DependencyListener = (event) => {
      listener(event);
    };
    listeners.add(own);
    return { [Symbol.dispose]: () => void listeners.delete(own) };
  }

  close(): Promise<void> {
    return this.#scope.close(success);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws {@link CompositionError} for faulty wiring. */
  readonly #find: Find = (what, level) => {
    const key = toKey(what);
    if (key === undefined) throw noDependency(what, 'get');
    return this.#wiring.get(key, level);
  };

  #check(roots: readonly Root[]): Fault[] {
    const { faults, duplicates } = this.#provisions;
    const twice = [...duplicates].map(([key, given]) => duplicated(key, given));
    const known = new Set(twice.map(({ message }) => message));
    const wiring = checkWiring(this.#provisions, [...this.#roots(), ...roots]).filter(({ message }) => !known.has(message));
    return [...faults, ...twice, ...this.#faults, ...namesakes(this.#processors), ...wiring];
  }

  /** Of what is provided it is not known for which life it will be asked: a task's, the shortest, can need all others. */
  #roots(): Root[] {
    return [...(this.#processors as Key[]), ...this.#provisions.keys].map((key) => ({ key, level: shortest }));
  }

  #addGiven(value: unknown): void {
    if (isResource(value) || isClass(value)) return;
    if (typeof value === 'function' || (typeof value === 'object' && value !== null)) this.#shared.given.add(value);
  }
}

const shortest = scopeOrder.length - 1;

class OpenScope implements ScopeCore {
  readonly #scope: ResourceScope;
  readonly #find: Find;

  constructor(scope: ResourceScope, find: Find) {
    this.#scope = scope;
    this.#find = find;
  }

  get scope(): Scope {
    return scopeAt(this.#scope.level);
  }

  async get<T>(what: Dependency<T>): Promise<T> {
    const scope = this.#scope;
    if (!scope.isOpen) throw scopeClosed(scope.level, 'nothing can be asked of it');
    const part = this.#find(what, scope.level);
    return (part.kind === 'value' ? part.value : scope.valueOf(scope.get(part))) as T;
  }

  async build<T>(what: Class<T>): Promise<T> {
    return this.make(what);
  }

  make<T>(what: Class<T>): T | Promise<T> {
    const scope = this.#scope;
    if (!scope.isOpen) throw scopeClosed(scope.level, 'nothing can be built in it');
    if (typeof what !== 'function') throw noDependency(what, 'build');
    const part = this.#find(what, scope.level);
    return (part.kind === 'value' ? part.value : scope.valueOf(scope.build(part))) as T | Promise<T>;
  }

  open(scope: Scope): ScopeHandle {
    return openScope(this.#scope, scope, this.#find);
  }

  async use<R>(scope: Scope, body: (scope: ScopeHandle) => R | Promise<R>): Promise<R> {
    return useScope(this.#scope, scope, this.#find, body);
  }

  /** An argument is a cause, be it undefined. */
  close(...causes: [cause?: unknown]): Promise<void> {
    return this.#scope.close(causes.length === 0 ? success : { failed: true, cause: causes[0] });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.close(success);
  }
}

function openScope(parent: ResourceScope, scope: Scope, find: Find): OpenScope {
  return new OpenScope(openBelow(parent, scope), find);
}

function openBelow(parent: ResourceScope, scope: Scope): ResourceScope {
  const level = levelOf(scope);
  if (level <= parent.level) {
    const fix = `open one of a shorter life, or open ${scope} on what this scope was opened from`;
    throw new MillraceError('DECORATOR_MISUSED', `A scope of ${scope} cannot be opened in one of ${scopeAt(parent.level)}: ${fix}.`);
  }
  if (!parent.isOpen) throw scopeClosed(parent.level, 'no scope can be opened in it');
  return parent.open(level);
}

async function useScope<R>(parent: ResourceScope, scope: Scope, find: Find, body: (scope: ScopeHandle) => R | Promise<R>): Promise<R> {
  const child = openBelow(parent, scope);
  let result: R;
  try {
    result = await body(new OpenScope(child, find));
  } catch (error) {
    await child.close({ failed: true, cause: error }).catch(() => undefined); // told by the events; the body's own error comes first
    throw error;
  }
  await child.close(success);
  if (child.closedBy !== undefined) throw child.closedBy; // what the body did was rolled back
  return result;
}

function noDependency(what: unknown, verb: string): MillraceError {
  const expected = verb === 'build' ? 'a class' : 'a resource, a token or a class';
  const fix =
    what === undefined ? 'it is used before it is defined; do two files import each other?' : 'a value is given by `provide`, for a token.';
  return new MillraceError('DEPENDENCY_MISSING', `${verb}() takes ${expected}, not ${describeValue(what)}: ${fix}`);
}

function noProcessor(what: unknown, index: number): Fault {
  return {
    code: 'PROCESSOR_UNKNOWN',
    message: `Entry ${String(index + 1)} of \`processors\` is ${describeValue(what)}, which is no class.`,
    where: [],
    fix: 'List processor classes. Where it is undefined, its module is still loading: two files import each other.',
  };
}

function isDisposable(target: Class): boolean {
  const prototype: unknown = target.prototype;
  return typeof prototype === 'object' && prototype !== null && (Symbol.asyncDispose in prototype || Symbol.dispose in prototype);
}

function namesakes(processors: readonly Class[]): Fault[] {
  const first = new Map<string, Class>();
  return processors.flatMap((processor) => {
    const spec = findProcessorSpec(processor);
    if (spec === undefined) return [];
    const other = first.get(spec.name);
    if (other === undefined) {
      first.set(spec.name, processor);
      return [];
    }
    return {
      code: 'DUPLICATE_NAME',
      message: `Two processors are named '${spec.name}'.`,
      where: [findProcessorSpec(other)?.where ?? '', spec.where],
      path: [spec.name],
      fix: `Give one of them another name: @Processor({ name: '…' }).`,
    };
  });
}
