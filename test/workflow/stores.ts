import { embeddedStore, memoryStore, type Store } from 'millrace';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { describeMongo } from '../storage/mongo/server.js';

export type StoreKind = 'memory' | 'embedded' | 'MongoDB';

/** The same suite on every store that is there; `open` gives an empty one, which the app that it is given to closes. */
export function describeStores(name: string, suite: (open: () => Store, kind: StoreKind) => void): void {
  describe(`${name}, on a store in memory`, () => {
    suite(memoryStore, 'memory');
  });
  describe(`${name}, on an embedded store`, () => {
    const folders: string[] = [];
    afterAll(() => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    });
    suite(() => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-workflow-'));
      folders.push(folder);
      return embeddedStore({ path: folder });
    }, 'embedded');
  });
  describeMongo(`${name}, on MongoDB`, ({ fresh }) => {
    suite(fresh, 'MongoDB');
  });
}
