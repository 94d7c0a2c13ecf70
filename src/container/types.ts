import type { Fault } from '../errors.js';
import type { Class, Clock, Dependency, Given, Provision, Resource, Scope, Token } from '../types.js';

/** What a need gives its resource. */
export type Needed<N> = N extends readonly [Scope, infer D] ? Provided<D> : Provided<N>;
/** What a dependency gives. */
export type Provided<D> = D extends Resource<infer T> ? T : D extends Token<infer T> ? T : D extends Class<infer T> ? T : never;
/** What a factory makes: what it yields, what its promise gives, what it returns. */
export type Made<R> = R extends AsyncGenerator<infer T> | Generator<infer T> | Promise<infer T> ? T : R;

/** `[what is asked for, what is given]`, pair by pair; each given fits what is asked for. */
export type Provisions<D extends readonly unknown[]> = readonly [...{ [I in keyof D]: Provision<D[I]> }];

/** What a container is made from. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list of provisions of any types
export interface ContainerOptions<D extends readonly unknown[] = any> {
  /** What `check()` and `graph()` begin at. */
  readonly processors?: readonly Class[];
  /** What stands for tokens, and in place of classes and resources: a value (yours to close), a resource, or a class to build. */
  readonly provide?: Provisions<D>;
  /** Milliseconds that one closer may take; default 10,000. */
  readonly closeTimeout?: number;
}

/** Composes objects: sets up what they depend on, once for each owner, and closes it when its owner closes. */
export interface Container extends AsyncDisposable {
  /**
   * Opens a scope; lives not opened yet are the container's own. Closing it as `await using` does is success.
   *
   * @throws {@link MillraceError} `SCOPE_CLOSED` when the container is closed, `DECORATOR_MISUSED` for an unknown scope.
   */
  open(scope: Scope): ScopeHandle;
  /**
   * Opens a scope, runs the body, and closes it with the body's outcome.
   *
   * @throws what the body throws, untouched; else {@link ScopeCloseError} when a closer fails.
   */
  use<R>(scope: Scope, body: (scope: ScopeHandle) => R | Promise<R>): Promise<R>;
  /** Every mistake in the wiring, found without running a factory. */
  check(): readonly Fault[];
  /**
   * Replaces a dependency until disposed; every later `get` sees it, what was built before keeps what it has.
   *
   * @throws {@link CompositionError} when that makes a mistake in the wiring; nothing is changed then.
   */
  override<T>(what: Dependency<T>, by: Given<NoInfer<T>>): Disposable;
  graph(): DependencyGraph;
  /**
   * Closes every scope that is open, then what the container itself owns. A second call gives the first one's promise.
   *
   * @throws {@link ScopeCloseError} when a closer fails.
   */
  close(): Promise<void>;
}

/** A lifetime under way: it owns what is set up for it. */
export interface ScopeHandle extends AsyncDisposable {
  readonly scope: Scope;
  /**
   * The one instance that this scope has of a dependency.
   *
   * @throws {@link CompositionError} for a mistake in its wiring; {@link MillraceError} `DEPENDENCY_FAILED` when a set-up fails (`cause`
   * is the user's error), `SCOPE_CLOSED` when the scope closes first.
   */
  get<T>(what: Dependency<T>): Promise<T>;
  /**
   * A processor or any class with `@Depends`, built anew with its dependencies; ports are not bound. Closed with the scope where it is disposable.
   *
   * @throws as `get` does.
   */
  build<T>(what: Class<T>): Promise<T>;
  /**
   * Opens a scope of a shorter life.
   *
   * @throws {@link MillraceError} `SCOPE_CLOSED` when this one is closed, `DECORATOR_MISUSED` for an unknown scope, or the same or a longer life.
   */
  open(scope: Scope): ScopeHandle;
  /** {@link Container.use}, below this scope. */
  use<R>(scope: Scope, body: (scope: ScopeHandle) => R | Promise<R>): Promise<R>;
  /**
   * Closes what the scope owns, in reverse order of completed set-up. With a cause (be it undefined): failure, thrown into every generator
   * that is open. A second call gives the first one's promise.
   *
   * @throws {@link ScopeCloseError} when a closer fails.
   */
  close(cause?: unknown): Promise<void>;
}

/** What depends on what. */
export interface DependencyGraph {
  readonly nodes: readonly { readonly id: string; readonly kind: 'processor' | 'resource' | 'class' | 'token' | 'value' }[];
  /** `scope` is the life for which `from` has `to`. */
  readonly edges: readonly { readonly from: string; readonly to: string; readonly scope: Scope }[];
  toMermaid(): string;
}

/** One dependency was set up or closed. */
export interface DependencyEvent {
  readonly event: 'setup' | 'close';
  readonly name: string;
  readonly scope: Scope;
  readonly ms: number;
  readonly error?: Error;
}
export type DependencyListener = (event: DependencyEvent) => void;

export interface ContainerCoreOptions extends ContainerOptions {
  /** What time limits of closers obey; default the system's. */
  readonly clock?: Clock;
}

/** A scope as the task runner sees it. */
export interface ScopeCore extends ScopeHandle {
  /**
   * {@link ScopeHandle.build} that answers at once where nothing has to be waited for: a promise would cost as much as building.
   *
   * @throws as `build` does, or rejects.
   */
  make<T>(what: Class<T>): T | Promise<T>;
}

/** The container as the task runner sees it. */
export interface ContainerCore extends Container {
  open(scope: Scope): ScopeCore;
  /** Whether building the class takes a scope: it has dependencies, is given otherwise, or must be closed. */
  hasDependencies(target: Class): boolean;
  /** Tells of every set-up and closing until disposed; where nobody observes, no clock is read. */
  observe(listener: DependencyListener): Disposable;
  /** The scopes that are open now. */
  openScopes(): readonly Scope[];
}
