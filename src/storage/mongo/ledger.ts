import type { Collection } from 'mongodb';

import { MillraceError } from '../../errors.js';
import { stageGone } from '../ownership.js';
import type { StagedFile, StagedOutput, StageOwner } from '../store.js';
import type { Connection } from './connection.js';
import { codeOf, isUnreachable, server, type Doing } from './failure.js';
import { isDead, thisProcess, type Owner } from './owner.js';

/**
 * open      rows are staged
 * prepared  every output can be published; a participant stays so until its coordinator has decided
 * committed the publish is certain: whoever finds the record finishes it
 * blocked   committed, and rows of someone else's stand where its own belong: kept for a person to look at
 * dropped   nothing of it will be published; the record goes when what was staged is gone
 */
export type StageState = 'open' | 'prepared' | 'committed' | 'blocked' | 'dropped';

/** How one output goes into place, decided before the commit. */
export interface Placing {
  readonly collection: string;
  readonly mode: StagedOutput['mode'];
  /** Its staging collection; it is gone when the output is in place. */
  readonly from: string;
  /** `rename`: takes the target's name, and its place. `found`: the same where the target is not there, else merge. */
  readonly how: 'rename' | 'found' | 'merge';
}

/** What a process says of a stage in `_millrace_stages`: its one record, changed in single steps that name the state they expect. */
export interface StageRecord {
  readonly _id: string;
  readonly runId: string;
  /** Whoever's token this is may change the record. */
  readonly token: string;
  readonly owner: Owner;
  readonly opened: Date;
  /** Until when the owner is taken to be alive, by the server's time. */
  readonly lease: Date;
  readonly state: StageState;
  readonly outputs: readonly Placing[];
  /** Temporary files that go with the stage. */
  readonly held: readonly string[];
  readonly files: readonly StagedFile[];
  /** URL of the store whose record decides. */
  readonly coordinator?: string;
  readonly participants: readonly { readonly url: string; readonly id: string }[];
}

export const ledgerCollection = '_millrace_stages';
/** Milliseconds during which a decision is asked for again where the server is out of reach. */
const patience = 15_000;

/** The records of stages, as one store of this process works with them. */
export class Ledger {
  readonly connection: Connection;
  /** Of this store: what it opened or took over. */
  readonly token: string;
  /** Milliseconds. */
  readonly lease: number;
  #renewed = -Infinity;
  #mine = 0;
  /** Stages that this store has given up without being able to say so: they are nobody's, though the process lives. */
  readonly #left = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, token: string, lease: number) {
    this.connection = connection;
    this.token = token;
    this.lease = lease;
  }

  async open({ id, runId }: StageOwner): Promise<StageRecord> {
    const record = await this.#run(`opening stage '${id}'`, async (stages) => {
      const made = this.#recordOf(id, runId);
      await stages.insertOne(made).catch((error: unknown) => {
        if (codeOf(error) !== server.duplicateKey) throw error;
        throw new MillraceError('DUPLICATE_NAME', `stage '${id}' is open already: each attempt has an id of its own`);
      });
      return made;
    });
    this.#keep(performance.now());
    return record;
  }

  /**
   * Changes a record that is in one of these states and this store's. An answer that got lost is asked for again: the change has
   * happened, or has not, when this settles.
   *
   * @param ms - how long to go on asking while the server is out of reach.
   * @throws MillraceError `STORE_UNAVAILABLE` where it is in another state, or someone else's by now. Without a cause it is the server's
   * own answer: the change has not happened. With one, it may have.
   */
  async change(id: string, from: readonly StageState[], change: Partial<StageRecord>, ms = patience): Promise<void> {
    const doing = `changing stage '${id}'`;
    let lost: unknown;
    const ask = (): Promise<boolean> =>
      this.#run(doing, async (stages) => {
        const { matchedCount } = await stages.updateOne(
          { _id: id, token: this.token, state: { $in: from } },
          { $set: change },
          { writeConcern: { w: 'majority', journal: true } },
        );
        if (matchedCount === 1) return true;
        if (change.state === undefined) return false;
        const now = await stages.findOne({ _id: id, token: this.token }); // an earlier attempt may have arrived
        return now?.state === change.state;
      });
    const changed = await persist(ms, () =>
      ask().catch((error: unknown) => {
        lost = error;
        throw error;
      }),
    );
    if (!changed) throw lost === undefined ? stageGone(id) : unsure(id, lost);
  }

  async hold(id: string, path: string): Promise<void> {
    const held = await this.#run(`noting a file of stage '${id}'`, (stages) =>
      stages.updateOne({ _id: id, token: this.token, state: 'open' }, { $addToSet: { held: path } }),
    );
    if (held.matchedCount !== 1) throw stageGone(id);
  }

  find(id: string): Promise<StageRecord | undefined> {
    return this.#run(`reading stage '${id}'`, async (stages) => (await stages.findOne({ _id: id })) ?? undefined);
  }

  /** False where others took this process for dead and have finished the stage. */
  async isThere(id: string): Promise<boolean> {
    return this.#isFresh() || (await this.find(id)) !== undefined;
  }

  all(): Promise<readonly StageRecord[]> {
    return this.#run('opening the store', (stages) => stages.find({}).toArray());
  }

  /** Until it is gone, or another's: FerretDB deletes nothing where the lease is renewed at the same moment. */
  async remove(id: string): Promise<void> {
    const mine = { _id: id, token: this.token };
    await this.#run(`removing stage '${id}'`, async (stages) => {
      while ((await stages.deleteOne(mine)).deletedCount === 0) if ((await stages.findOne(mine)) === null) return;
    });
  }

  #recordOf(id: string, runId: string): StageRecord {
    const now = this.connection.now();
    const times = { opened: new Date(now), lease: new Date(now + this.lease) };
    return {
      _id: id,
      runId,
      token: this.token,
      owner: thisProcess(),
      ...times,
      state: 'open',
      outputs: [],
      held: [],
      files: [],
      participants: [],
    };
  }

  /** Renews leases from now on, until as many are forgotten. */
  #keep(since: number): void {
    if (this.#mine++ === 0) this.#renewed = since;
    this.#timer ??= setInterval(() => {
      this.renew().catch(() => undefined); // told by `checkAlive`, and by whatever the stage does next
    }, this.lease / 3).unref();
  }

  /**
   * Nobody renews the lease of one stage from now on.
   *
   * @param left - its id, where something of it is left to do for whoever comes next.
   */
  forget(left?: string): void {
    if (left !== undefined) this.#left.add(left);
    if (--this.#mine > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  isAbandoned({ _id, token, owner, lease }: StageRecord): boolean {
    return (token === this.token && this.#left.has(_id)) || isDead(owner) || lease.getTime() < this.connection.now();
  }

  /**
   * Makes a record this store's, if nobody else has changed it since it was read; its lease is renewed until it is forgotten.
   *
   * @param state - what it is from then on.
   */
  async take({ _id, token, lease, state }: StageRecord, next: StageState): Promise<StageRecord | undefined> {
    const since = performance.now();
    const mine = { token: this.token, owner: thisProcess(), lease: new Date(this.connection.now() + this.lease), state: next };
    const taken = await this.#run(`taking over stage '${_id}'`, async (stages) => {
      const { matchedCount } = await stages.updateOne({ _id, token, lease, state }, { $set: mine });
      return matchedCount === 1 ? ((await stages.findOne({ _id, token: this.token })) ?? undefined) : undefined;
    });
    if (taken === undefined) return undefined;
    this.#left.delete(_id);
    this.#keep(since);
    return taken;
  }

  /** Whether a lease may have run out unnoticed: this process was stopped, or its server out of reach. */
  async checkAlive(id: string): Promise<void> {
    if (this.#isFresh()) return;
    await this.renew();
    const record = await this.find(id);
    if (record?.token !== this.token || record.state !== 'open') throw stageGone(id);
  }

  #isFresh(): boolean {
    return performance.now() - this.#renewed < this.lease;
  }

  async renew(): Promise<void> {
    const at = performance.now();
    await this.#run('renewing the lease of what is staged', (stages) =>
      stages.updateMany(
        { token: this.token, state: { $ne: 'dropped' }, ...(this.#left.size === 0 ? {} : { _id: { $nin: [...this.#left] } }) },
        { $set: { lease: new Date(this.connection.now() + this.lease) } },
      ),
    );
    this.#renewed = at;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #run<T>(what: string, work: (stages: Collection<StageRecord>) => Promise<T>): Promise<T> {
    const doing: Doing = { what };
    return this.connection.run(doing, (db) => work(db.collection<StageRecord>(ledgerCollection)));
  }
}

/** An answer got lost, and others have ended the stage since: as it was committed, or as it was not. */
function unsure(id: string, cause: unknown): MillraceError {
  return new MillraceError(
    'STORE_UNAVAILABLE',
    `stage '${id}' was taken over while the server was out of reach, and it is not known whether it was committed before: look at the outputs before you run again`,
    { cause },
  );
}

/** Does again what may be done again, while the server is out of reach and the time is not up. */
export async function persist<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const end = performance.now() + ms;
  for (let wait = 50; ; wait = Math.min(2 * wait, 1000)) {
    try {
      return await work();
    } catch (error) {
      if (!isUnreachable(error) || performance.now() + wait > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
