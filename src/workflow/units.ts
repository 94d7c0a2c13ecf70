import type { Graph } from './graph.js';
import type { StepState } from './step-state.js';

/**
 * Steps that run together since streams join them, by the number that they share; most are alone. Counters in arrays, since an object for
 * each step costs as much as to start a short one.
 */
export class Units {
  readonly #states: readonly StepState[];
  /** Of units of several steps. */
  readonly #groups: ReadonlyMap<number, readonly StepState[]>;
  /** Edges from other units whose step has not ended. */
  readonly #waiting: Int32Array;
  /** Members that have not ended. */
  readonly #left: Int32Array;
  readonly #holdsSlot: Uint8Array;

  constructor(states: readonly StepState[], graph: Graph) {
    this.#states = states;
    this.#groups = findGroups(states);
    this.#waiting = new Int32Array(states.length);
    this.#left = new Int32Array(states.length);
    this.#holdsSlot = new Uint8Array(states.length);
    for (const state of states) this.#join(state, graph);
  }

  /** Those that wait for nothing. */
  *unblocked(): Generator<number> {
    for (const [unit, left] of this.#left.entries()) if (left > 0 && this.#waiting[unit] === 0) yield unit;
  }

  membersOf(unit: number): readonly StepState[] {
    return this.#groups.get(unit) ?? this.#states.slice(unit, unit + 1);
  }

  holdsSlot(unit: number): boolean {
    return this.#holdsSlot[unit] === 1;
  }

  takeSlot(unit: number): void {
    this.#holdsSlot[unit] = 1;
  }

  /** A step before it has ended; answers whether it waits for none any more. */
  countDown(unit: number): boolean {
    return --this.#waiting[unit]! === 0;
  }

  /** A member has ended; answers whether that gives a slot back. */
  leave(unit: number): boolean {
    if (--this.#left[unit]! > 0 || !this.holdsSlot(unit)) return false;
    this.#holdsSlot[unit] = 0;
    return true;
  }

  #join({ plan: { unit, index } }: StepState, graph: Graph): void {
    this.#left[unit]!++;
    for (const { from } of graph.into[index]!) if (this.#states[from]?.plan.unit !== unit) this.#waiting[unit]!++;
  }
}

/** Units of several steps: those that go by the number of another step, with that one. */
function findGroups(states: readonly StepState[]): ReadonlyMap<number, readonly StepState[]> {
  const groups = new Map<number, StepState[]>();
  for (const { plan } of states) if (plan.unit !== plan.index) groups.set(plan.unit, []);
  if (groups.size > 0) for (const state of states) groups.get(state.plan.unit)?.push(state);
  return groups;
}
