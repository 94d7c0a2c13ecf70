import { describe } from 'vitest';

import { embeddedStore } from '../../../src/storage/open.js';
import { storeContract } from '../../../src/testing/store-contract.js';
import { temporaryFolder } from '../temporary.js';

describe('embeddedStore', () => {
  storeContract(() => embeddedStore({ path: temporaryFolder() }));
});

describe('embeddedStore, all on one folder', () => {
  const path = temporaryFolder();
  storeContract(() => embeddedStore({ path }));
});
