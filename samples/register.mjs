// Compiles the samples' TypeScript as it is loaded. Its compiler loses the names of quoted properties ('Release Date') where class
// fields are defined instead of set: the samples' own options set them.
import { fileURLToPath } from 'node:url';

process.env.TS_NODE_PROJECT = fileURLToPath(new URL('tsconfig.json', import.meta.url));
await import('@oxc-node/core/register');
