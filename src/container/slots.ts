import type { Slot } from './slot.js';
import type { Part } from './wiring.js';

/** Up to so many, comparing is faster than hashing, and far faster than making a Map. */
const few = 12;

/** Shared by all that have none; never changed. */
const none: Slot[] = [];

/** The slots of one owner by what they are of. */
export class Slots {
  #all: Slot[] = none;
  #byPart: Map<Part, Slot> | undefined = undefined;

  get(part: Part): Slot | undefined {
    if (this.#byPart !== undefined) return this.#byPart.get(part);
    for (const slot of this.#all) if (slot.part === part) return slot;
    return undefined;
  }

  add(slot: Slot): void {
    if (this.#all === none)
      this.#all = [slot]; // an array that is pushed to takes room for seventeen
    else this.#all.push(slot);
    if (this.#byPart !== undefined) this.#byPart.set(slot.part, slot);
    else if (this.#all.length > few) this.#byPart = new Map(this.#all.map((one) => [one.part, one]));
  }

  delete(slot: Slot): void {
    this.#byPart?.delete(slot.part);
    const index = this.#all.indexOf(slot);
    if (index >= 0) this.#all.splice(index, 1);
  }

  /** The names of those through whom the owner has a part, outermost first; of several ways, one. */
  pathTo(part: Part): string[] {
    const path = [part];
    for (;;) {
      const above = this.#all.find((slot) => slot.part.needs.some((need) => need.part === path[0]));
      if (above === undefined) return path.map(({ name }) => name);
      path.unshift(above.part);
    }
  }
}
