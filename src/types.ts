/** A class by what its instances are. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the parameters of any class
export type Class<T = unknown> = abstract new (...args: any[]) => T;

/** A class that can be built. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the parameters of any class
export type ConcreteClass<T = unknown> = new (...args: any[]) => T;

/** One document: a plain object with the properties that its schema names. */
export type Row = object;

declare const type: unique symbol;

/** Makes a type parameter invariant, so that a port of a narrower or wider document does not fit. */
export interface Of<T> {
  readonly [type]?: (value: T) => T;
}

/** Makes a type parameter covariant: what only gives may give more than was asked. */
export interface Gives<T> {
  readonly [type]?: () => T;
}

/** Says what was expected and what came where a decorator refuses a declaration. */
export interface Mismatch<Expected, Actual> {
  readonly expected: Expected;
  readonly actual: Actual;
}

/** A MongoDB filter: properties, dotted paths and operators. */
export type Filter<T> = { readonly [K in keyof T]?: unknown } & { readonly [operatorOrPath: string]: unknown };

/** Which rows, in which order, with which properties. */
export interface Query<T> {
  readonly filter?: Filter<T>;
  /** Properties in order of weight; 1 ascending, -1 descending, by BSON's comparison order. */
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly projection?: Readonly<Record<string, 0 | 1>>;
  /** Rows to pass over; default 0. */
  readonly skip?: number;
  /** At most so many rows; default (and 0) all. */
  readonly limit?: number;
}

/**
 * What an action sees of a bound input. Rows are shared, never copied: do not change a row that was read. A reader may be
 * iterated again, also while it is being iterated.
 *
 * @throws {@link RowError} from iteration, for a row that breaks the port's schema where `onInvalid` is `'fail'`.
 * @throws {@link MillraceError} `PORT_CLOSED` after the task has ended.
 */
export interface Reader<T> extends AsyncIterable<T>, Of<T> {
  /** The rows in arrays of at most `size` (default 1,000): an order of magnitude faster than row by row. */
  batches(size?: number): AsyncIterable<readonly T[]>;
  /** A narrowed reader; the query is pushed down to the store. */
  find(query: Query<T>): Reader<T>;
  /** The first row, or undefined where there is none. */
  first(): Promise<T | undefined>;
  /** Every row, held in memory. */
  toArray(): Promise<T[]>;
  /** How many rows there are; they are not read where the store can count. */
  count(): Promise<number>;
}

/**
 * What an action sees of a bound output. Nothing needs closing: what was written is published with the task's other outputs when
 * its action has succeeded.
 */
export interface Writer<T> extends Of<T> {
  /**
   * Resolves when the row or rows are taken (back-pressure). A reader may be passed whole: it streams.
   *
   * @throws {@link RowError} for a row that breaks the port's schema where `onInvalid` is `'fail'`.
   * @throws {@link MillraceError} `PORT_CLOSED` after the task has ended.
   */
  write(rows: T | Iterable<T> | AsyncIterable<T>): Promise<void>;
}

/** What happens to a row that breaks its port's schema. */
export type OnInvalid = 'fail' | 'reject' | 'warn' | 'off';

/** How an output meets what its target holds: takes its place, comes after it, or replaces the rows of the same key. */
export type WriteMode = 'replace' | 'append' | 'upsert';

/** What a port is connected to. Make one with `collection`, `file`, `rows` or `sink`. */
export interface Binding<T> extends Of<T> {
  readonly kind: 'collection' | 'file' | 'rows' | 'sink' | 'link';
  /** As the log of a run shows it, secrets masked. */
  toString(): string;
}

/** A binding to another step's output: what `step.output('port')` answers. */
export interface Link<T> extends Binding<T> {
  readonly kind: 'link';
  /** The name of the step that writes. */
  readonly step: string;
  /** The name of its output. */
  readonly port: string;
}

/** What both kinds of port may say of themselves. */
export interface PortOptions {
  /** Default: the property's name. */
  readonly name?: string;
  readonly title?: string;
  readonly description?: string;
  /** Used where the task binds nothing else. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a default fits the port's document, which is not known here
  readonly binding?: string | Binding<any>;
  /** May stay unbound: its reader is empty, its writer discards. Default false. */
  readonly optional?: boolean;
  /** Default `'fail'`. */
  readonly onInvalid?: OnInvalid;
  /** Where rejected rows go; default `<collection>_rejects`. */
  readonly rejects?: string;
}

/** What an input says of itself. */
export interface InputOptions extends PortOptions {
  /** No output of the same task may be bound to this input's collection. Default false. */
  readonly readOnly?: boolean;
  /** The action passes over it more than once (iterates again, counts, finds): a link to it is spooled, not streamed. Default false. */
  readonly rereads?: boolean;
}

/** What an output says of itself. */
export interface OutputOptions extends PortOptions {
  /** Default `'replace'`. */
  readonly mode?: WriteMode;
  /** Properties that identify a row; for `upsert`. */
  readonly key?: string | readonly string[];
  /** Let `replace` take the place of a collection that no run has ever published to. Default false. */
  readonly overwrite?: boolean;
  /** `false`: write straight through to the target, for speed; a failed run then leaves what it wrote. Default true. */
  readonly atomic?: boolean;
}

/** When and how often a task that failed is attempted again. */
export interface Retry {
  /** Including the first. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; default 0. */
  readonly delay?: number;
  /** `fixed`: the same delay each time; `exponential`: twice the delay before. Default `fixed`. */
  readonly backoff?: 'fixed' | 'exponential';
  /** 0 to 1: the share of the delay that is random; default 0. */
  readonly jitter?: number;
  /** Whether this error is worth another attempt; default every error is, but a `NonRetryableError`. */
  readonly on?: (error: unknown) => boolean;
}

/** What a processor says of itself. */
export interface ProcessorOptions {
  /** Default: the class's name. */
  readonly name?: string;
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** Milliseconds for one attempt; default none. */
  readonly timeout?: number;
  /** Default: one attempt. */
  readonly retry?: Retry;
}

/** A lifetime; longest first: GLOBAL_CONFIG > STORAGE > BROKER > WORKER > TASK. */
export const Scope = Object.freeze({
  GlobalConfig: 'GLOBAL_CONFIG',
  Storage: 'STORAGE',
  Broker: 'BROKER',
  Worker: 'WORKER',
  Task: 'TASK',
} as const);
export type Scope = (typeof Scope)[keyof typeof Scope];

/** Every lifetime, longest first: the one order that resolution and closing follow. */
export const scopeOrder: readonly Scope[] = Object.freeze(['GLOBAL_CONFIG', 'STORAGE', 'BROKER', 'WORKER', 'TASK']);

/** A dependency with set-up and tear-down; make one with `resource`. */
export interface Resource<T> extends Gives<T> {
  readonly kind: 'resource';
  /** The factory function's name, else where it stands (`file:line`). */
  readonly name: string;
}

/** A name for a dependency that is given with `provide`; make one with `token`. */
export interface Token<T> extends Of<T> {
  readonly kind: 'token';
  readonly name: string;
}

/** What can be asked for. */
export type Dependency<T> = Resource<T> | Token<T> | Class<T>;

/** What a resource needs in turn: alone it lives as long as the resource that needs it. */
export type Need<T = unknown> = Dependency<T> | readonly [Scope, Dependency<T>];

/** A value (yours to close), a resource, or a class to build. */
export type Given<T> = T | Resource<T> | ConcreteClass<T>;

/** `[what is asked for, what is given]`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- one list holds provisions of many types
export type Provision<T = any> = readonly [Dependency<T>, Given<NoInfer<T>>];

/** Where a run tells what it does; `facts` are structured, and masked before they are shown. */
export interface Log {
  debug(message: string, facts?: object): void;
  info(message: string, facts?: object): void;
  warn(message: string, facts?: object): void;
  error(message: string, facts?: object): void;
}

/** What time-outs, delays and dates of runs obey. */
export interface Clock {
  now(): Date;
  /** Resolves after so many milliseconds, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A column of a text file as the port's schema declares it; `any` is left as it stands in the file. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'number' | 'boolean' | 'date' | 'any';
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/* eslint-disable @typescript-eslint/no-explicit-any -- a port of whatever document is still a port */
/** The inputs of a processor: documents by property name. */
export type InputsOf<P> = {
  [K in keyof P as IsAny<P[K]> extends true ? never : P[K] extends Reader<any> ? K : never]: P[K] extends Reader<infer T> ? T : never;
};
/** The outputs of a processor: documents by property name. */
export type OutputsOf<P> = {
  [K in keyof P as IsAny<P[K]> extends true ? never : P[K] extends Writer<any> ? K : never]: P[K] extends Writer<infer T> ? T : never;
};
/** The class of a processor's parameters; `never` where it has none. */
export type ParamsOf<P> = P extends { params: infer T extends object } ? (T extends Reader<any> | Writer<any> ? never : T) : never;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** What an input may be bound to: a collection or file by name, rows, one row, a binding. */
export type InputSource<T> = string | readonly T[] | T | Binding<T>;
/** What an output may be bound to: a collection or file by name, an array that becomes the result, a binding. */
export type OutputTarget<T> = string | T[] | Binding<T>;

/** Bindings by property name. (The CLI and messages use the port's own name.) */
export type Bindings<P> = { readonly [K in keyof InputsOf<P>]?: InputSource<InputsOf<P>[K]> } & {
  readonly [K in keyof OutputsOf<P>]?: OutputTarget<OutputsOf<P>[K]>;
} & ([ParamsOf<P>] extends [never] ? unknown : { readonly params?: Partial<ParamsOf<P>> | string });

/** `from` is what an aggregation starts with, the others are what its lookups name. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- readers of whatever documents
export type AggregateReaders = { readonly from: Reader<any> } & Readonly<Record<string, Reader<any>>>;

/** What an action is given. */
export interface TaskContext {
  /** Aborted when the run is cancelled or its time is up: pass it on to whatever can be stopped. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly runId: string;
  readonly taskId: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Says how far the action is; shown by the CLI's progress bar. */
  progress(done: number, total?: number): void;
  /** Records a number under a name of your own; a second value replaces the first. */
  metric(name: string, value: number): void;
  /**
   * Writes the result of an aggregation over declared ports: `from` and each lookup alias are readers of this task, and the
   * pipeline names the aliases, never a collection.
   *
   * @returns the number of rows written.
   * @throws {@link MillraceError} `PIPELINE_INVALID` for a foreign collection, `$out` or `$merge`.
   */
  aggregate<T>(output: Writer<T>, pipeline: readonly object[], readers: AggregateReaders): Promise<number>;
}

/** Rows of one port in one task. */
export interface PortCount {
  /** An input's include the rejected ones, an output's do not. */
  readonly rows: number;
  readonly rejected: number;
}

/** How a task went that succeeded; ports by property name. */
export interface TaskResult {
  readonly id: string;
  readonly runId: string;
  readonly processor: string;
  readonly status: 'succeeded';
  readonly attempts: number;
  readonly started: Date;
  readonly finished: Date;
  /** Milliseconds from start to finish, all attempts included. */
  readonly ms: number;
  readonly inputs: Readonly<Record<string, PortCount>>;
  readonly outputs: Readonly<Record<string, PortCount>>;
  /** What the action recorded with `metric`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly monitor: TaskMonitor;
}

/** What a task cost this process, all attempts together. */
export interface TaskMonitor {
  /** Milliseconds of processor time, user and system; tasks that run at the same time share it. */
  readonly cpuMs: number;
  /** The most memory that this process held while the task ran, in bytes, as far as samples tell. */
  readonly peakMemory: number;
  /** Batches that passed its ports. */
  readonly batches: number;
}

/** How a step of a workflow ended; `reused`: an earlier run did it. */
export type StepStatus = 'succeeded' | 'failed' | 'cancelled' | 'skipped' | 'reused';
/** How a run ended; `partial`: a workflow went on without what it was allowed to skip. */
export type RunStatus = 'succeeded' | 'partial' | 'failed' | 'cancelled';

/** How one step of a workflow ended. */
export interface StepResult {
  readonly status: StepStatus;
  readonly result?: TaskResult;
  readonly error?: Error;
  /** Why it was not run, or not to its end. */
  readonly reason?: string;
}

/** How a workflow went that succeeded, wholly or in part. */
export interface WorkflowResult {
  readonly id: string;
  /** `partial`: a step failed that is allowed to, and what reads from it was skipped. */
  readonly status: 'succeeded' | 'partial';
  /** Milliseconds. */
  readonly ms: number;
  /** Every step of the workflow by name, also those not selected. */
  readonly steps: Readonly<Record<string, StepResult>>;
}

/** What every event of a task says. */
export interface TaskEvent {
  readonly runId: string;
  readonly taskId: string;
  readonly processor: string;
  readonly step?: string;
  readonly at: Date;
}

/** What an app tells while it works, by name of the event. */
export interface Events {
  /** `workflow`: its name, where the run is one of a workflow. */
  'run:start': { readonly runId: string; readonly at: Date; readonly workflow?: string };
  'run:end': { readonly runId: string; readonly at: Date; readonly workflow?: string; readonly status: RunStatus };
  'task:start': TaskEvent & { readonly attempt: number };
  'task:retry': TaskEvent & { readonly attempt: number; readonly error: Error; readonly delay: number };
  'task:end': TaskEvent & { readonly status: StepStatus; readonly result?: TaskResult; readonly error?: Error };
  'task:progress': TaskEvent & { readonly done: number; readonly total?: number };
  /** After each batch: the port's total so far. */
  'port:rows': TaskEvent & { readonly port: string; readonly rows: number };
  'dependency:setup': { readonly name: string; readonly scope: Scope; readonly ms: number; readonly at: Date };
  'dependency:close': { readonly name: string; readonly scope: Scope; readonly ms: number; readonly at: Date; readonly error?: Error };
  publish: TaskEvent & { readonly outputs: readonly string[] };
}

/** Listeners by the name of their event. */
export type EventListeners = { readonly [E in keyof Events]?: (event: Events[E]) => void };
