import { describe } from 'vitest';

import { memoryStore } from '../../src/storage/open.js';
import { storeContract } from '../../src/testing/store-contract.js';

describe('memoryStore', () => {
  storeContract(() => memoryStore());
});
