import { expect, it } from 'vitest';
import { main } from '../types/cases/scopes.js';

it('runs the program of the scopes case with exactly the log that it promises', async () => {
  const log = await main();
  expect(log.join(' · ')).toBe(
    'open pool db://one · begin · a! · commit · begin · b! · commit · begin · rollback · begin · fake c · commit · close pool',
  );
});
