import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^millrace$/, replacement: at('./src/index.ts') },
      { find: /^millrace\/testing$/, replacement: at('./src/testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'samples/**/*.test.ts'],
    testTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
