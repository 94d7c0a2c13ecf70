import type { Collection } from 'mongodb';

import type { Superseded } from '../store.js';
import type { Connection } from './connection.js';
import { codeOf, server } from './failure.js';
import type { Placing, StageRecord } from './ledger.js';

interface Published {
  /** The collection's name. */
  readonly _id: string;
  /** Who has published to it last, the latest at the end. */
  readonly recent: readonly { readonly stage: string; readonly runId: string; readonly at: Date }[];
}

export const registryCollection = '_millrace_collections';
const remembered = 50;

/** Which collections runs have published to: `replace` takes the place of no other. */
export class Registry {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async isPublished(collection: string): Promise<boolean> {
    return this.#run(
      `looking up who has published to '${collection}'`,
      async (published) => (await published.findOne({ _id: collection })) !== null,
    );
  }

  async forget(collection: string): Promise<void> {
    await this.#run(`forgetting who has published to '${collection}'`, (published) => published.deleteOne({ _id: collection }));
  }

  /**
   * Notes a publish, once however often it is called.
   *
   * @returns the runs whose rows went while this one was under way: they published after its stage was opened.
   */
  async note({ collection, mode }: Placing, { _id: stage, runId, opened }: StageRecord): Promise<readonly Superseded[]> {
    return this.#run(`noting who has published to '${collection}'`, async (published) => {
      const before = await published.findOne({ _id: collection });
      const recent = before?.recent ?? [];
      if (before === null)
        await published.insertOne({ _id: collection, recent: [] }).catch((error: unknown) => {
          if (codeOf(error) !== server.duplicateKey) throw error;
        });
      if (recent.some((one) => one.stage === stage)) return [];
      const at = new Date(this.#connection.now());
      await published.updateOne(
        { _id: collection, 'recent.stage': { $ne: stage } },
        { $push: { recent: { $each: [{ stage, runId, at }], $slice: -remembered } } },
      );
      if (mode !== 'replace') return [];
      return recent
        .filter((one) => one.at.getTime() > opened.getTime() && one.runId !== runId)
        .map((one) => ({ collection, runId: one.runId }));
    });
  }

  #run<T>(what: string, work: (published: Collection<Published>) => Promise<T>): Promise<T> {
    return this.#connection.run({ what }, (db) => work(db.collection<Published>(registryCollection)));
  }
}
