import { Canceller } from '../task/canceller.js';
import type { StepPlace } from '../task/runner.js';
import type { StepResult, TaskResult } from '../types.js';
import type { RunStep } from './plan.js';

/** Why a step will not run: something that it needs is not there. */
export interface Blocked {
  readonly reason: string;
  /** A failure that stops its branch, whatever leads on from here; else only readers are skipped. */
  readonly hard: boolean;
}

/** What a step asks of the run that it is part of. */
export interface StepOwner {
  readonly runId: string;
  readonly events: StepPlace['events'];
  readonly journalStore: StepPlace['journalStore'];
  /** Whether every step whose streams it reads has succeeded. */
  hasUpstream(state: StepState): boolean;
  journal(state: StepState, outputs: TaskResult['outputs']): object;
}

/** A step while its workflow runs; what cancels it is itself. */
export class StepState extends Canceller implements StepPlace {
  readonly plan: RunStep;
  readonly #owner: StepOwner;
  /** Those of the run, and the step's own. */
  readonly events: StepPlace['events'];
  /** How it ended. */
  end: StepResult | undefined;
  /** It was started, or will not be. */
  begun = false;
  cancelledAs: 'cancelled' | 'skipped' = 'cancelled';
  blocked: Blocked | undefined;
  /** What its inputs held that no step writes; known when it has started. */
  stamp = '';
  /** What it is and what it read, all the way up. */
  lineage: string | undefined;
  #publish: { readonly promise: Promise<void>; resolve(): void } | undefined;

  constructor(plan: RunStep, owner: StepOwner) {
    super();
    this.plan = plan;
    this.#owner = owner;
    this.lineage = plan.fate.lineage;
    const { on } = plan.spec.behaviour;
    this.events = on === undefined ? owner.events : owner.events.extend(on);
  }

  get willRun(): boolean {
    return this.end === undefined && this.plan.fate.does === 'run' && this.blocked === undefined;
  }

  get canceller(): Canceller {
    return this;
  }

  get runId(): string {
    return this.#owner.runId;
  }

  get step(): string {
    return this.plan.spec.name;
  }

  get journalStore(): StepPlace['journalStore'] {
    return this.#owner.journalStore;
  }

  journal(outputs: TaskResult['outputs']): object {
    return this.#owner.journal(this, outputs);
  }

  /** What was made of a stream holds only when the step that wrote it has succeeded. */
  mayPublish(): Promise<void> | undefined {
    if (this.plan.reads.length === 0 || this.#owner.hasUpstream(this)) return undefined;
    let resolve: () => void = () => undefined;
    const promise = new Promise<void>((settle) => (resolve = settle));
    this.#publish = { promise, resolve };
    return promise;
  }

  /** A step whose stream it reads has succeeded. */
  upstreamEnded(): void {
    if (this.#publish !== undefined && this.#owner.hasUpstream(this)) this.#publish.resolve();
  }

  /** It reads no more, or never did: nobody waits for it to. */
  closeStreams(): void {
    for (const { reader } of this.plan.reads) reader.close();
  }
}
