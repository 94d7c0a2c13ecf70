// The rows of src/: a room may import the rows above its own, never its neighbours, and a third-party package has one home.
// CONTRIBUTING.md holds the same table for readers; test/architecture.test.ts proves that a forbidden import is caught.
const ROWS = [
  ['types', 'mask'],
  ['errors'],
  ['metadata', 'storage', 'validation'],
  ['decorators', 'container', 'binding'],
  ['task'],
  ['workflow'],
  ['project'],
  ['deployment', 'broker'],
  ['testing', 'web'],
  ['cli'],
];

// package: the rooms (or backend) that may import it. What is not named here may be imported nowhere in src.
const HOMES = {
  'reflect-metadata': ['src/metadata/'],
  tsyringe: ['src/container/'],
  'class-validator': ['src/validation/'],
  'class-transformer': ['src/validation/'],
  lmdb: ['src/storage/'],
  bson: ['src/storage/'],
  mingo: ['src/storage/'],
  'csv-parse': ['src/storage/'],
  'csv-stringify': ['src/storage/'],
  mongodb: ['src/storage/'],
  yaml: ['src/workflow/definition/'],
  'jsonc-parser': ['src/workflow/definition/'],
  'toml-eslint-parser': ['src/workflow/definition/'],
  'date-fns': ['src/workflow/definition/'],
  '@date-fns/tz': ['src/workflow/definition/'],
  '@oxc-node/core': ['src/project/', 'src/cli/'],
  commander: ['src/cli/'],
  picocolors: ['src/cli/'],
  'cli-progress': ['src/cli/'],
  // Asked for only where it runs already: nobody needs to have it.
  vitest: ['src/testing/'],
};

const INDEX = '^src/index[.]ts$';
/** A room is a folder or a file of its name. */
const within = (rooms) => `^src/(${rooms.join('|')})([.]ts$|/)`;
const escaped = (name) => name.replace(/[/.-]/g, '[$&]');

const rows = ROWS.flatMap((row, depth) =>
  row.map((room) => {
    const strangers = [...row.filter((other) => other !== room), ...ROWS.slice(depth + 1).flat()];
    return {
      name: `row-${room}`,
      comment: `${room} imports the rows above its own: ${ROWS.slice(0, depth).flat().join(', ') || 'there are none'}.`,
      severity: 'error',
      from: { path: within([room]) },
      to: { path: within(strangers) },
    };
  }),
);

const homes = Object.entries(HOMES).map(([name, rooms]) => ({
  name: `home-${name}`,
  comment: `${name} is imported by ${rooms.join(' or ')} and by nothing else: the rest asks that room.`,
  severity: 'error',
  from: { path: '^src/', pathNot: rooms.map((room) => `^${room}`) },
  to: { path: `(^|/)node_modules/(@types/)?${escaped(name)}(/|$)` },
}));

const known = Object.keys(HOMES).map(escaped).join('|');

module.exports = {
  forbidden: [
    ...rows,
    ...homes,
    {
      name: 'homeless-package',
      comment: 'Give the package its one room in HOMES, or do without it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/', pathNot: [`node_modules/(@types/)?(${known})(/|$)`, 'node_modules/@types/node/'] },
    },
    {
      name: 'unknown-room',
      comment: 'A file of src stands in a room of ROWS, or is src/index.ts.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: [within(ROWS.flat()), INDEX] },
    },
    {
      name: 'unknown-room-importing',
      comment: 'A file of src stands in a room of ROWS, or is src/index.ts.',
      severity: 'error',
      from: { path: '^src/', pathNot: [within(ROWS.flat()), INDEX] },
      to: {},
    },
    {
      name: 'index-is-for-users',
      comment: 'Rooms import each other by file: src/index.ts is what users import, and importing it would close a cycle.',
      severity: 'error',
      from: { path: '^src/', pathNot: INDEX },
      to: { path: INDEX },
    },
    {
      name: 'testing-and-cli-are-entries',
      comment: "`import 'millrace'` loads neither the testing kit nor the CLI.",
      severity: 'error',
      from: { path: INDEX },
      to: { path: within(['testing', 'web', 'cli']) },
    },
    {
      name: 'no-cycle',
      comment: 'Types included: what two files both need stands in a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    { name: 'resolvable', comment: 'An import must lead somewhere.', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared',
      comment: 'What src imports is a dependency (or peer) of the package, not something that happens to be installed.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/(@types|vitest)/',
      },
    },
    { name: 'src-stands-alone', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|samples)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    exoticRequireStrings: ['require.resolve'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.d.ts'],
    },
  },
};
