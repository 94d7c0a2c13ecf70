import { MillraceError } from '../errors.js';
import type { Store } from '../storage/store.js';
import type { Runtime } from '../task/runtime.js';
import { beat, holds, living, newLease, type Lease } from './lease.js';

const claimsCollection = '_millrace_claims';

/** The right to go on with a run: a row that only one can insert, by the id of the run. */
interface ClaimRow {
  readonly _id: string;
  /** The run that goes on with it. */
  readonly by: string;
  readonly lease: Lease;
}

/** The right to go on with a run, while it is held: its lease is renewed, so that a process that dies does not hold it for ever. */
export class Claim {
  readonly #store: Store;
  readonly #row: ClaimRow;
  readonly #timer: NodeJS.Timeout;
  #renewing: Promise<unknown> = Promise.resolve();

  /** Of the run `_id` for the run `by`; undefined where another one was faster. */
  static async take(runtime: Runtime, _id: string, by: string): Promise<Claim | undefined> {
    const store = runtime.stores.get('default');
    const row = { _id, by, lease: newLease() };
    const [claimed] = await store.find<ClaimRow>(claimsCollection, { filter: { _id } }).toArray();
    if (claimed !== undefined && isHeld(claimed)) return undefined;
    if (claimed !== undefined) await store.delete(claimsCollection, { _id, by: claimed.by }); // of a process that died
    living.add(by);
    try {
      await store.insert(claimsCollection, [row]);
      return new Claim(store, row);
    } catch (error) {
      living.delete(by);
      if (error instanceof MillraceError && error.code === 'KEY_DUPLICATE') return undefined;
      throw error;
    }
  }

  private constructor(store: Store, row: ClaimRow) {
    this.#store = store;
    this.#row = row;
    this.#timer = setInterval(() => {
      this.#renewing = this.#store.upsert(claimsCollection, ['_id'], [{ ...row, lease: newLease() }]).catch(() => undefined); // the next time
    }, beat).unref();
  }

  /** Never throws: what is left of it ends with its lease. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    const { _id, by } = this.#row;
    await this.#renewing;
    await this.#store.delete(claimsCollection, { _id, by }).catch(() => undefined);
    living.delete(by);
  }
}

/** Who goes on with any of these runs now. */
export async function findClaims(runtime: Runtime, runIds: readonly string[]): Promise<readonly ClaimRow[]> {
  const store = runtime.stores.get('default');
  const claims = await store.find<ClaimRow>(claimsCollection, { filter: { _id: { $in: runIds } } }).toArray();
  return claims.filter(isHeld);
}

/** Nobody will go on with these runs. */
export async function dropClaims(store: Store, runIds: readonly string[]): Promise<void> {
  await store.delete(claimsCollection, { _id: { $in: runIds } });
}

function isHeld({ by, lease }: ClaimRow): boolean {
  return holds(by, lease);
}
