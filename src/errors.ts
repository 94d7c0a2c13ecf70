import type { RunStatus, WorkflowResult } from './types.js';

/**
 * What a failure is called. The table with meaning and remedy of each code is docs/errors.md.
 * Codes are stable: branch on them, never on a message.
 */
export type ErrorCode =
  | 'DECORATOR_MISUSED'
  | 'DUPLICATE_NAME'
  | 'PROCESSOR_UNKNOWN'
  | 'DEPENDENCY_MISSING'
  | 'DEPENDENCY_CIRCULAR'
  | 'DEPENDENCY_CAPTIVE'
  | 'DEPENDENCY_TYPE_ERASED'
  | 'DEPENDENCY_FAILED'
  | 'PORT_UNBOUND'
  | 'PORT_UNKNOWN'
  | 'PORT_READ_ONLY'
  | 'PORT_CLOSED'
  | 'BINDING_INVALID'
  | 'BINDING_CONFLICT'
  | 'STORE_UNKNOWN'
  | 'STORE_UNAVAILABLE'
  | 'STORE_DAMAGED'
  | 'STORE_FULL'
  | 'QUERY_INVALID'
  | 'KEY_DUPLICATE'
  | 'COLLECTION_NOT_OURS'
  | 'COLLECTION_REPLACED'
  | 'FILE_UNREADABLE'
  | 'FILE_MALFORMED'
  | 'FILE_UNWRITABLE'
  | 'ROW_INVALID'
  | 'PARAMS_INVALID'
  | 'PIPELINE_INVALID'
  | 'TASK_FAILED'
  | 'TASK_TIMEOUT'
  | 'TASK_CANCELLED'
  | 'SCOPE_CLOSED'
  | 'SCOPE_CLOSE_FAILED'
  | 'WORKFLOW_CYCLE'
  | 'WORKFLOW_FAILED'
  | 'WORKFLOW_CANCELLED'
  | 'WORKFLOW_UNKNOWN'
  | 'STEP_UNKNOWN'
  | 'SELECTION_EMPTY'
  | 'DEFINITION_INVALID'
  | 'LINK_CONSUMED'
  | 'CONFIG_INVALID'
  | 'RUN_UNKNOWN'
  | (string & {});

/** One mistake found before anything ran. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  /** `file:line` of each end. */
  readonly where: readonly string[];
  /** The chain of names that leads to the mistake, outermost first. */
  readonly path?: readonly string[];
  /** What to do about it, as an imperative sentence. */
  readonly fix: string;
}

/** Where a failure happened; any part may be unknown. */
export interface MillraceErrorOptions {
  readonly cause?: unknown;
  /** The chain of names that leads to the failure, outermost first. */
  readonly path?: readonly string[];
  /** `file:line` of the code concerned. */
  readonly where?: readonly string[];
}

/** Every failure that Millrace itself reports; `code` tells which. */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly path: readonly string[];
  readonly where: readonly string[];
  static {
    this.prototype.name = 'MillraceError';
  }
  constructor(code: ErrorCode, message: string, options: MillraceErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.path = options.path ?? [];
    this.where = options.where ?? [];
  }
}

/** An error that holds every fault of one check; its code is that of the first. */
class FaultsError extends MillraceError {
  readonly faults: readonly Fault[];
  constructor(what: string, faults: readonly Fault[]) {
    const lines = faults.map((fault) => [fault.message, ...fault.where.map((at) => `  at ${at}`), `  → ${fault.fix}`].join('\n'));
    super(
      faults[0]?.code ?? 'CONFIG_INVALID',
      faults.length === 1 ? lines.join() : `${what}: ${faults.length} faults\n${lines.join('\n')}`,
    );
    this.faults = Object.freeze([...faults]);
  }
}

/** The wiring of an app has mistakes: every one is in `faults`. */
export class CompositionError extends FaultsError {
  static {
    this.prototype.name = 'CompositionError';
  }
}

/** The bindings of a task have mistakes: every one is in `faults`. */
export class BindingError extends FaultsError {
  static {
    this.prototype.name = 'BindingError';
  }
}

/** The definition of a workflow has mistakes: every one is in `faults`. */
export class DefinitionError extends FaultsError {
  static {
    this.prototype.name = 'DefinitionError';
  }
}

/**
 * A task did not succeed. Code `TASK_FAILED`, `TASK_TIMEOUT` or `TASK_CANCELLED`; `cause` is the error that the processor
 * threw, untouched.
 */
export class TaskError extends MillraceError {
  readonly taskId: string;
  readonly processor: string;
  /** How many attempts were made, the first included. */
  readonly attempts: number;
  /** Closers that failed besides, after the error that is the cause. */
  readonly teardown: ScopeCloseError | undefined;
  static {
    this.prototype.name = 'TaskError';
  }
  constructor(
    code: 'TASK_FAILED' | 'TASK_TIMEOUT' | 'TASK_CANCELLED',
    message: string,
    facts: MillraceErrorOptions & {
      readonly taskId: string;
      readonly processor: string;
      readonly attempts: number;
      readonly teardown?: ScopeCloseError;
    },
  ) {
    super(code, message, facts);
    this.taskId = facts.taskId;
    this.processor = facts.processor;
    this.attempts = facts.attempts;
    this.teardown = facts.teardown;
  }
}

/** Teardown failed: `errors` has every failing closer in the order of closing; `cause` is what the scope was closed with. */
export class ScopeCloseError extends MillraceError {
  readonly errors: readonly MillraceError[];
  static {
    this.prototype.name = 'ScopeCloseError';
  }
  constructor(message: string, errors: readonly MillraceError[], options: MillraceErrorOptions = {}) {
    super('SCOPE_CLOSE_FAILED', message, options);
    this.errors = Object.freeze([...errors]);
  }
}

/**
 * A workflow did not succeed: code `WORKFLOW_FAILED` or `WORKFLOW_CANCELLED`. `result` has every step; `cause` is the error of the
 * first step that failed, or the reason of the cancellation.
 */
export class WorkflowError extends MillraceError {
  readonly result: Omit<WorkflowResult, 'status'> & { readonly status: RunStatus };
  static {
    this.prototype.name = 'WorkflowError';
  }
  constructor(
    code: 'WORKFLOW_FAILED' | 'WORKFLOW_CANCELLED',
    message: string,
    facts: MillraceErrorOptions & { readonly result: WorkflowError['result'] },
  ) {
    super(code, message, facts);
    this.result = facts.result;
  }
}

/** A row that a port refuses; `index` counts the port's rows from 0. */
export class RowError extends MillraceError {
  readonly port: string;
  readonly index: number;
  /** One sentence for each rule that the row breaks. */
  readonly reasons: readonly string[];
  static {
    this.prototype.name = 'RowError';
  }
  constructor(
    message: string,
    facts: MillraceErrorOptions & { readonly port: string; readonly index: number; readonly reasons: readonly string[] },
  ) {
    super('ROW_INVALID', message, facts);
    this.port = facts.port;
    this.index = facts.index;
    this.reasons = facts.reasons;
  }
}

/** Thrown by a processor: the task fails at once, whatever its `retry` says. */
export class NonRetryableError extends Error {
  static {
    this.prototype.name = 'NonRetryableError';
  }
}

/** The known name nearest to `name` by edit distance (Damerau–Levenshtein, restricted), if any is near enough to be meant. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** `did you mean 'x'?`, or the list of what there is: the end of every message about an unknown name. */
export function suggestName(name: string, known: Iterable<string>): string {
  const names = [...known];
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `Did you mean '${nearest}'?`;
  if (names.length === 0) return 'There are none.';
  const shown = names.slice(0, 10).map((one) => `'${one}'`);
  return `Known: ${shown.join(', ')}${names.length > shown.length ? `, and ${names.length - shown.length} more` : ''}.`;
}

/** What was thrown as an Error: a thrown non-Error becomes the message of one, with the value as its cause. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(`a value that is not an Error was thrown: ${typeof thrown === 'string' ? thrown : describeValue(thrown)}`, {
    cause: thrown,
  });
}

/** A value as a message shows it: short, on one line. */
export function describeValue(value: unknown): string {
  const text = describe(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return value.name === '' ? 'a function' : `function ${value.name}`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString();
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return Object.prototype.toString.call(value); // circular, or holding a bigint: its kind must do
  }
}

function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
