import { ScopeCloseError, type MillraceError } from '../errors.js';
import { disposerOf, isGenerator, isThenable, type Outcome } from './closer.js';
import { Closers } from './closers.js';
import { abortCause, lifeOf, needFailed, scopeClosed, scopeCloseFailed, setUpFailed } from './failure.js';
import type { Shared } from './shared.js';
import { Slot } from './slot.js';
import { Slots } from './slots.js';
import { isExternal } from './token.js';
import { UnderWay } from './under-way.js';
import type { Part } from './wiring.js';

/** The level of the container itself: it owns every life that no scope was opened for. */
export const root = -1;

/**
 * Owns what is set up for one lifetime. Set-up is synchronous as far as the factories are: only what has to wait makes promises.
 *
 * ```
 * open ──close()──> closing: children, set-ups under way, closers ──> closed
 * ```
 */
export class ResourceScope {
  readonly level: number;
  readonly #parent: ResourceScope | undefined;
  readonly #shared: Shared;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #slots = new Slots();
  #closers: Closers | undefined = undefined;
  #underWay: UnderWay | undefined = undefined;
  /** Rejects those who wait for a set-up. */
  #waiting: Set<() => void> | undefined = undefined;
  /** The newest of the scopes open in this one, which are chained: opening and closing them is what a container does most. */
  #child: ResourceScope | undefined = undefined;
  #older: ResourceScope | undefined = undefined;
  #newer: ResourceScope | undefined = undefined;
  #closed: Promise<void> | undefined = undefined;
  /** Closers that have to be waited for. */
  #closing: Promise<void> | undefined = undefined;
  #closedBy: MillraceError | undefined = undefined;
  #abort: Outcome | undefined = undefined;

  constructor(level: number, parent: ResourceScope | undefined, shared: Shared) {
    this.level = level;
    this.#parent = parent;
    this.#shared = shared;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The cause with which its parent closed it, if that was so. */
  get closedBy(): MillraceError | undefined {
    return this.#closedBy;
  }

  /** The levels of the scopes in it that are open, of those in them too. */
  openBelow(): number[] {
    const levels: number[] = [];
    for (let child = this.#child; child !== undefined; child = child.#older) levels.push(child.level, ...child.openBelow());
    return levels;
  }

  open(level: number): ResourceScope {
    const child = new ResourceScope(level, this, this.#shared);
    child.#older = this.#child;
    if (this.#child !== undefined) this.#child.#newer = child;
    this.#child = child;
    return child;
  }

  /** The one instance for this life: of the nearest scope up the chain that has it, else of the container. */
  get(part: Part): Slot {
    return this.#slotFor(part, this.level);
  }

  /** An instance of its own. */
  build(part: Part): Slot {
    const slot = new Slot(part, this.level, false);
    this.#begin(slot);
    return slot;
  }

  /** The value, or a promise of it that rejects when this scope closes first. */
  valueOf(slot: Slot): unknown {
    if (slot.state === 'ready') return slot.value;
    if (slot.error !== undefined) throw slot.error;
    return new Promise((resolve, reject) => {
      const waiting = (this.#waiting ??= new Set());
      const refuse = (): void => {
        reject(scopeClosed(this.level, `it closed while '${slot.part.name}' was being set up`));
      };
      waiting.add(refuse);
      slot.whenSettled(() => {
        waiting.delete(refuse);
        if (slot.error === undefined) resolve(slot.value);
        else reject(slot.error);
      });
    });
  }

  // ── set-up ──

  #slotFor(part: Part, level: number): Slot {
    const owner = this.#ownerOf(level);
    const known = owner.#slots.get(part);
    if (known !== undefined) {
      if (level < known.level) owner.#lengthen(known, level);
      return known;
    }
    const slot = new Slot(part, level, true);
    owner.#slots.add(slot);
    owner.#begin(slot);
    return slot;
  }

  #ownerOf(level: number): ResourceScope {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- where the walk begins
    let scope: ResourceScope = this;
    while (scope.level !== level && scope.#parent !== undefined) scope = scope.#parent;
    return scope;
  }

  /** The container owns several lives: what it has lasts for the longest that it was asked for, and so does what that needs. */
  #lengthen(slot: Slot, level: number): void {
    slot.level = level;
    for (const need of slot.part.needs) {
      const other = need.level < 0 ? this.#slots.get(need.part) : undefined;
      if (other !== undefined && level < other.level) this.#lengthen(other, level);
    }
  }

  /** Begins every need; those that have to wait do so side by side. */
  #begin(slot: Slot): void {
    const { needs, width } = slot.part;
    const values: unknown[] = width === 0 ? none : new Array<unknown>(width);
    let awaited: Awaited[] | undefined;
    for (const { part, level, at } of needs) {
      if (part.kind === 'value') {
        values[at] = part.value;
        continue;
      }
      const need = this.#slotFor(part, level < 0 ? slot.level : level);
      if (need.state === 'ready') values[at] = need.value;
      else if (need.error === undefined) (awaited ??= []).push({ need, at });
      else {
        this.#fail(slot, needFailed(slot.part, need.error));
        return;
      }
    }
    if (awaited === undefined) this.#make(slot, values);
    else this.#awaitNeeds(slot, values, awaited);
  }

  /** The first need that fails fails the slot; the others go on, for their owners. */
  #awaitNeeds(slot: Slot, values: unknown[], awaited: readonly Awaited[]): void {
    let missing = awaited.length;
    for (const { need, at } of awaited) {
      need.whenSettled(() => {
        if (slot.state !== 'pending') return;
        values[at] = need.value;
        if (need.error !== undefined) this.#fail(slot, needFailed(slot.part, need.error));
        else if (--missing === 0) this.#make(slot, values);
      });
    }
  }

  #make(slot: Slot, values: readonly unknown[]): void {
    const { part } = slot;
    if (this.#state !== 'open') {
      this.#fail(slot, scopeClosed(this.level, `'${part.name}' was not set up any more`));
      return;
    }
    slot.started = this.#shared.now();
    let made: unknown;
    let later = false;
    try {
      made = part.make(values);
      if (part.kind === 'resource') {
        if (isGenerator(made)) made = (slot.generator = made).next();
        later = isThenable(made);
      }
    } catch (error) {
      this.#fail(slot, setUpFailed(part, error));
      return;
    }
    if (later) this.#await(slot, Promise.resolve(made));
    else this.#arrive(slot, made);
  }

  #await(slot: Slot, made: Promise<unknown>): void {
    this.#underWay ??= new UnderWay();
    this.#underWay.follow(
      slot,
      made,
      (value) => {
        this.#arrive(slot, value);
      },
      (error) => {
        this.#fail(slot, setUpFailed(slot.part, error));
      },
    );
  }

  /** A factory has answered: with the value, or with its generator's first step. */
  #arrive(slot: Slot, made: unknown): void {
    if (slot.generator === undefined) slot.value = made;
    else {
      const step = made as IteratorResult<unknown>;
      if (step.done === true) {
        this.#fail(slot, setUpFailed(slot.part, new Error('its generator ended without a value: write `yield` before what it gives')));
        return;
      }
      slot.value = step.value;
    }
    this.#own(slot);
    this.#shared.tell('setup', slot, slot.started);
    if (slot.closes) this.#keep(slot);
    slot.succeed();
  }

  /** Sees to it that a value is closed by one scope: by none if it was given or is external, by no second one if it is owned. */
  #own(slot: Slot): void {
    const { value, part } = slot;
    const dispose = disposerOf(value);
    if (dispose === undefined || isExternal(value) || this.#shared.given.has(value as object)) return;
    if (part.kind === 'resource') {
      if (this.#isOwned(value)) return;
      this.#shared.owned.add(value);
      slot.owns = true;
    }
    if (slot.generator === undefined) slot.dispose = dispose;
  }

  /** Objects that we built are not entered, since entering costs more than building: a factory can only have got them from up the chain. */
  #isOwned(value: unknown): boolean {
    if (this.#shared.owned.has(value)) return true;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- where the walk begins
    for (let scope: ResourceScope | undefined = this; scope !== undefined; scope = scope.#parent) {
      if (scope.#closers?.has(value) === true) return true;
    }
    return false;
  }

  #keep(slot: Slot): void {
    const closers = (this.#closers ??= new Closers(this.#shared, this.#slots));
    if (this.#state !== 'open') slot.abort = this.#abort;
    if (slot.abandoned && slot.abort !== undefined) void closers.closeLate(slot, slot.abort);
    else closers.add(slot);
  }

  #fail(slot: Slot, error: MillraceError): void {
    if (slot.shared) this.#slots.delete(slot);
    slot.fail(error);
  }

  // ── closing ──

  /** A second call gives the first one's promise. */
  close(outcome: Outcome): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    this.#state = 'closing';
    let settle: ((done: Promise<void> | undefined) => void) | undefined;
    // Set before the first closer runs, since that may close its own scope.
    this.#closed = new Promise((resolve) => (settle = resolve));
    settle?.(this.#closeNow(outcome) ? undefined : this.#tearDown(outcome));
    return this.#closed;
  }

  /** Closes at once where nothing has to be waited for or told of: a promise costs as much as closing. Answers whether it did. */
  #closeNow(outcome: Outcome): boolean {
    if (this.#waiting !== undefined || this.#underWay !== undefined || this.#child !== undefined) return false;
    this.#closing = this.#closers?.closeAll(outcome);
    if (this.#closing !== undefined || this.#closers?.hasFailed === true) return false;
    this.#release();
    return true;
  }

  async #tearDown(outcome: Outcome): Promise<void> {
    for (const refuse of this.#waiting ?? []) refuse();
    if (this.#underWay?.isEmpty === false) this.#abort = this.#toAbort(outcome);
    const orphaned = this.#child === undefined ? undefined : await this.#closeChildren(outcome);
    if (this.#underWay?.isEmpty === false) await this.#finishSetUps(this.#underWay);
    this.#closing ??= this.#closers?.closeAll(outcome);
    if (this.#closing !== undefined) await this.#closing;
    this.#release();
    const own = this.#closers?.errors;
    const failures = orphaned === undefined ? own : [...orphaned, ...(own ?? [])];
    if (failures !== undefined && failures.length > 0)
      throw scopeCloseFailed(this.level, failures, outcome.failed ? { cause: outcome.cause } : {});
  }

  /** Newest first; each closes in its own order, side by side with the others. Answers the failures that nobody else will hear of. */
  async #closeChildren(outcome: Outcome): Promise<MillraceError[]> {
    const cause = abortCause(`${lifeOf(this.level)} was closed while a scope in it was open`, outcome.cause);
    const children: ResourceScope[] = [];
    for (let child = this.#child; child !== undefined; child = child.#older) children.push(child);
    return (await Promise.all(children.map((child) => child.#closeBy(cause)))).flat();
  }

  async #closeBy(cause: MillraceError): Promise<readonly MillraceError[]> {
    const isFirst = this.#closed === undefined;
    if (isFirst) this.#closedBy = cause;
    try {
      await this.close({ failed: true, cause });
      return [];
    } catch (error) {
      return isFirst && error instanceof ScopeCloseError ? error.errors : []; // who closed it first hears of it
    }
  }

  /** What those get that are being set up: they never saw the work that had this outcome. */
  #toAbort(outcome: Outcome): Outcome {
    const cause = this.#closedBy ?? abortCause(`${lifeOf(this.level)} was closed while a dependency was being set up`, outcome.cause);
    return { failed: true, cause };
  }

  /** One that ends later than in its time is closed at once. */
  #finishSetUps(underWay: UnderWay): Promise<void> {
    const { limit } = this.#shared;
    return underWay.finish(limit, (slot) => {
      slot.abandoned = true;
      this.#closers ??= new Closers(this.#shared, this.#slots);
      this.#closers.report(slot, new Error(`its set-up did not end within ${String(limit.ms)} ms`));
    });
  }

  #release(): void {
    this.#state = 'closed';
    this.#slots = new Slots();
    if (this.#newer !== undefined) this.#newer.#older = this.#older;
    else if (this.#parent !== undefined) this.#parent.#child = this.#older;
    if (this.#older !== undefined) this.#older.#newer = this.#newer;
    this.#older = this.#newer = undefined;
  }
}

interface Awaited {
  readonly need: Slot;
  readonly at: number;
}

const none: unknown[] = [];
