import { MillraceError } from '../errors.js';
import { queryInvalid } from './query/fault.js';
import type { StagedOutput } from './store.js';

/** What `replace` would remove and no run has published. */
export function notOurs(collection: string, rows: number): MillraceError {
  return new MillraceError(
    'COLLECTION_NOT_OURS',
    `collection '${collection}' holds ${rows} ${rows === 1 ? 'row' : 'rows'} that no run has published, and mode 'replace' would remove ${rows === 1 ? 'it' : 'them'}. ` +
      'Write to another collection, use mode append or upsert, or set overwrite: true on the output or binding.',
  );
}

/** @throws MillraceError `COLLECTION_NOT_OURS`. */
export function checkOwnership(output: StagedOutput, target: { readonly rows: number; readonly published: boolean } | undefined): void {
  if (output.mode !== 'replace' || output.overwrite === true || !target) return;
  if (target.rows > 0 && !target.published) throw notOurs(output.collection, target.rows);
}

/** @throws MillraceError `QUERY_INVALID` for an upsert without key. */
export function upsertKey({ collection, key }: StagedOutput): readonly string[] {
  if (key === undefined || key.length === 0) throw queryInvalid(`output '${collection}': mode 'upsert' needs a key`);
  return key;
}

/** What a closed, taken over or otherwise ended stage answers. */
export function stageGone(id: string): MillraceError {
  return new MillraceError(
    'STORE_UNAVAILABLE',
    `stage '${id}' is gone: its lease ran out while this process did not renew it, and another one dropped what was staged. Nothing was published; run again.`,
  );
}

/** What a closed store answers. */
export function storeClosed(url: string): MillraceError {
  return new MillraceError('STORE_UNAVAILABLE', `store ${url} is closed: open another one, or use it before its app closes`);
}
