import type { InputSpec } from '../metadata/spec.js';
import type { Store } from '../storage/store.js';
import type { Row } from '../types.js';

/** What a processor's ports read and write so far: by it two that get in each other's way are found. */
export class Claims {
  readonly #readOnly = new Map<string, InputSpec>();
  readonly #written: { readonly by: string; readonly place: string }[] = [];
  readonly #arrays = new Map<readonly Row[], string>();

  /** Notes a place that must not be written. */
  keep(place: string, input: InputSpec): void {
    if (input.readOnly) this.#readOnly.set(place, input);
  }

  /** The input that keeps a place from being written. */
  keeperOf(place: string): InputSpec | undefined {
    return this.#readOnly.get(place);
  }

  /** Notes who writes to a place; answers who does so already. `shared` is for writers of one name that may meet. */
  write(place: string, by: string, shared: boolean): string | undefined {
    const other = this.#written.find((claim) => claim.place === place && !(shared && claim.by === by));
    if (other === undefined) this.#written.push({ by, place });
    return other?.by;
  }

  /** The same for an array. */
  fill(array: readonly Row[], by: string): string | undefined {
    const other = this.#arrays.get(array);
    if (other === undefined) this.#arrays.set(array, by);
    return other;
  }
}

/** Two names of one store are one place. */
export function placeOf(store: Store, collection: string): string {
  return JSON.stringify([store.url === 'memory:' ? identityOf(store) : store.url, collection]);
}

const identities = new WeakMap<Store, number>();
let stores = 0;
function identityOf(store: Store): number {
  let identity = identities.get(store);
  if (identity === undefined) identities.set(store, (identity = stores++));
  return identity;
}
