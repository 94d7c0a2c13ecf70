import { Publication, type CollectionPlace } from './publication.js';
import type { Target } from './target.js';

/**
 * Writes straight through. When the first row comes, or at the end where none does, an empty publication makes the target ready: it is
 * refused where a run may not write to it, emptied where it is replaced, and known as published from then on.
 */
export function directTarget(place: CollectionPlace, owner: { readonly id: string; readonly runId: string }): Target {
  const { store, collection, mode, key } = place;
  let ready: Promise<void> | undefined;
  const makeReady = async (): Promise<void> => {
    const publication = new Publication(owner, store);
    publication.collection(place);
    try {
      await publication.publish();
    } catch (error) {
      await publication.abort();
      throw error;
    }
  };
  return {
    async take(rows) {
      await (ready ??= makeReady());
      await (mode === 'upsert' && key !== undefined ? store.upsert(collection, key, rows) : store.insert(collection, rows));
    },
    async flush() {
      await (ready ??= makeReady());
    },
  };
}
