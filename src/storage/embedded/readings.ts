import type { Database, Snapshot } from './database.js';

/** A find that is being iterated, on a snapshot of its own. */
export class Reading {
  readonly snapshot: Snapshot;
  #ended = false;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    if (!this.#ended) this.snapshot.done();
    this.#ended = true;
  }
}

/** The finds under way; closing the store ends them. */
export class Readings {
  readonly #underWay = new Set<Reading>();

  open(database: Database): Reading {
    const reading = new Reading(database.snapshot());
    this.#underWay.add(reading);
    return reading;
  }

  end(reading: Reading): void {
    reading.end();
    this.#underWay.delete(reading);
  }

  endAll(): void {
    for (const reading of this.#underWay) reading.end();
  }
}
