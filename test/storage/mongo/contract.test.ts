import { storeContract } from '../../../src/testing/store-contract.js';
import { describeMongo } from './server.js';

describeMongo('The contract of stores, on MongoDB', ({ fresh }) => {
  storeContract(() => fresh());
});
