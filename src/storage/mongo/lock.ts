import type { Collection } from 'mongodb';

import { MillraceError } from '../../errors.js';
import type { Connection } from './connection.js';
import { codeOf, server } from './failure.js';
import type { Ledger, StageRecord } from './ledger.js';

interface Lock {
  /** The collection that is about to be published to. */
  readonly _id: string;
  readonly stage: string;
}

export const locksCollection = '_millrace_locks';
/** Milliseconds to wait for another run's publish: merging many rows takes its time. */
const longest = 600_000;

/**
 * One stage at a time checks a collection and publishes to it, so that what was checked still holds, and what several runs publish
 * to several collections goes in whole, one run after the other. A lock is a stage's, not a process's: whoever finishes or drops
 * the stage gives it back.
 */
export class Locks {
  readonly #connection: Connection;
  readonly #ledger: Ledger;
  /** Finishes or drops a stage whose owner is gone. */
  readonly #settle: (record: StageRecord) => Promise<void>;

  constructor(connection: Connection, ledger: Ledger, settle: (record: StageRecord) => Promise<void>) {
    this.#connection = connection;
    this.#ledger = ledger;
    this.#settle = settle;
  }

  /** In the order of their names, so that no two stages wait for each other. */
  async acquire(stage: string, collections: Iterable<string>): Promise<void> {
    for (const collection of [...new Set(collections)].sort()) await this.#acquireOne(stage, collection);
  }

  async release(stage: string): Promise<void> {
    await this.#run(`releasing the locks of stage '${stage}'`, (locks) => locks.deleteMany({ stage }));
  }

  async #acquireOne(stage: string, collection: string): Promise<void> {
    const end = performance.now() + longest;
    while (!(await this.#claim(stage, collection))) {
      const holder = await this.#run(`reading who publishes to '${collection}'`, (locks) => locks.findOne({ _id: collection }));
      if (holder === null) continue;
      const record = await this.#ledger.find(holder.stage);
      if (record === undefined || record.state === 'blocked') {
        await this.#run(`removing a lock that nobody holds`, (locks) => locks.deleteOne(holder));
        continue;
      }
      if (this.#ledger.isAbandoned(record)) await this.#settle(record); // which may have to wait for another store
      if (performance.now() > end) throw busy(collection, record);
      await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 40));
    }
  }

  async #claim(stage: string, collection: string): Promise<boolean> {
    return this.#run(`claiming '${collection}' for a publish`, async (locks) => {
      try {
        await locks.insertOne({ _id: collection, stage });
        return true;
      } catch (error) {
        if (codeOf(error) !== server.duplicateKey) throw error;
        const holder = await locks.findOne({ _id: collection });
        return holder?.stage === stage;
      }
    });
  }

  #run<T>(what: string, work: (locks: Collection<Lock>) => Promise<T>): Promise<T> {
    return this.#connection.run({ what }, (db) => work(db.collection<Lock>(locksCollection)));
  }
}

function busy(collection: string, { runId, owner, coordinator }: StageRecord): MillraceError {
  const waits = coordinator === undefined ? '' : `, which ${coordinator} decides on,`;
  return new MillraceError(
    'STORE_UNAVAILABLE',
    `collection '${collection}' has been in publication by run ${runId} (process ${String(owner.pid)} on ${owner.host})${waits} for ${String(longest / 60_000)} minutes. Nothing was published; run again when it has ended.`,
  );
}
