import type { Binding, Class, Dependency, OnInvalid, Retry, Scope, WriteMode } from '../types.js';

/** What a processor class declares, own and inherited, frozen. */
export interface ProcessorSpec {
  readonly class: Class;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly tags: readonly string[];
  /** Milliseconds for one attempt. */
  readonly timeout?: number;
  readonly retry?: Retry;
  readonly params?: ParamsSpec;
  /** In declaration order, a base class's first. */
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly OutputSpec[];
  /** Whether the class has a method `run`. */
  readonly hasAction: boolean;
  /** `file:line` of the decorator. */
  readonly where: string;
}

interface PortSpec {
  /** The name that files, the CLI and messages use. */
  readonly name: string;
  /** The name that TypeScript uses. */
  readonly property: string;
  readonly title?: string;
  readonly description?: string;
  readonly schema?: Class;
  /** The default binding. */
  readonly binding?: string | Binding<unknown>;
  readonly optional: boolean;
  readonly onInvalid: OnInvalid;
  readonly rejects?: string;
  readonly where: string;
}
export interface InputSpec extends PortSpec {
  readonly kind: 'input';
  readonly readOnly: boolean;
  readonly rereads: boolean;
}
export interface OutputSpec extends PortSpec {
  readonly kind: 'output';
  readonly mode?: WriteMode;
  readonly key?: readonly string[];
  readonly overwrite: boolean;
  readonly atomic: boolean;
}
export interface ParamsSpec {
  readonly property: string;
  readonly title?: string;
  readonly description?: string;
  readonly schema: Class;
  readonly where: string;
}

/** One `@Depends`, on a field (`property`) or on a constructor parameter (`index`). */
export interface DependsSpec {
  readonly scope: Scope;
  /** What was asked for; absent where the declared type is meant and metadata was not emitted (or erased it). */
  readonly provider?: Dependency<unknown> | (() => unknown);
  readonly property?: string;
  readonly index?: number;
  /** For messages: `field 'rates'`, `constructor parameter 1`. */
  readonly place: string;
  readonly where: string;
}

/** What a class wants injected, own and inherited. */
export interface DependenciesSpec {
  /** By property; a subclass's own wins. */
  readonly fields: readonly DependsSpec[];
  /** By index, of the nearest class that has a constructor with `@Depends`; a hole is a parameter without it. */
  readonly parameters: readonly (DependsSpec | undefined)[];
  /** `Class.length` of that constructor: parameters that have no default. */
  readonly required: number;
}
