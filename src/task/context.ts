import type { OpenPorts } from '../binding/open-ports.js';
import type { Log, TaskContext, Writer } from '../types.js';

export interface ContextFacts {
  readonly runId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly log: Log;
  /** Undefined where nothing can interrupt the attempt. A signal is made when it is asked for. */
  readonly interrupt: { readonly signal: AbortSignal } | undefined;
  readonly ports: OpenPorts;
  readonly owner: { metric(name: string, value: number): void };
  readonly work: { progress(done: number, total?: number): void };
}

/** What an action is given. Its members may be taken off it, as `run({ log, metric })` does. */
export class AttemptContext implements TaskContext {
  readonly runId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly log: Log;
  readonly #facts: ContextFacts;
  #signal: AbortSignal | undefined;

  constructor(facts: ContextFacts) {
    this.runId = facts.runId;
    this.taskId = facts.taskId;
    this.attempt = facts.attempt;
    this.log = facts.log;
    this.#facts = facts;
  }

  get signal(): AbortSignal {
    return (this.#signal ??= (this.#facts.interrupt ?? new AbortController()).signal);
  }

  get progress(): TaskContext['progress'] {
    return (done, total) => {
      this.#facts.work.progress(done, total);
    };
  }

  get metric(): TaskContext['metric'] {
    return (name, value) => {
      if (typeof value !== 'number' || Number.isNaN(value))
        throw new TypeError(`metric '${name}': a number is expected, not ${String(value)}`);
      this.#facts.owner.metric(name, value);
    };
  }

  get aggregate(): TaskContext['aggregate'] {
    return (output, pipeline, readers) => this.#facts.ports.aggregate(output as Writer<unknown>, pipeline, readers);
  }
}
