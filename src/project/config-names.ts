/** What a config file may be called; the first of these that a folder has is taken. */
export const configNames = Object.freeze([
  'millrace.config.ts',
  'millrace.config.mts',
  'millrace.config.js',
  'millrace.config.mjs',
] as const);
