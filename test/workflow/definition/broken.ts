/** A definition file that is wrong, and what is said of it: code, line and column of each fault. */
export interface Broken {
  readonly what: string;
  readonly text: string | Uint8Array;
  /** Default `.yaml`. */
  readonly ext?: string;
  readonly faults: readonly (readonly [code: string, line: number, column: number])[];
  /** A piece of what one of the faults says, or of its fix. */
  readonly says?: string;
  readonly besides?: Readonly<Record<string, string>>;
}

const I = 'DEFINITION_INVALID';
const yaml = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;
const ok = '  - ImportPrices: { bind: { source: "file:a.csv", rows: raw } }';

export const broken: readonly Broken[] = [
  // syntax
  { what: 'an empty file', text: '', faults: [[I, 1, 1]], says: 'empty' },
  { what: 'only comments', text: '# nothing\n', faults: [[I, 1, 1]] },
  { what: 'a tab as indentation', text: 'name: x\nsteps:\n\t- ImportPrices\n', faults: [[I, 3, 1]], says: 'tabs' },
  {
    what: 'quotes without an end',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:a.csv } }'),
    faults: [[I, 4, 1]],
  },
  { what: 'a bracket without an end', text: yaml('name: x', 'steps: [ImportPrices'), faults: [[I, 3, 1]] },
  { what: 'a line that is indented too far', text: yaml('name: x', '  title: y', 'steps: []'), faults: [[I, 1, 7]] },
  { what: 'two documents', text: yaml('name: x', '---', 'name: y'), faults: [[I, 2, 1]] },
  { what: 'an alias of nothing', text: yaml('name: x', 'variables: { a: *b }', 'steps:', ok), faults: [[I, 2, 17]] },
  { what: 'a tag', text: yaml('name: !foo x', 'steps:', ok), faults: [[I, 1, 7]] },
  { what: 'a key that is there twice', text: yaml('name: x', 'steps:', ok, 'name: y'), faults: [[I, 4, 1]], says: 'twice' },
  {
    what: 'a merge key',
    text: yaml('name: x', 'variables: &a { b: 1 }', 'steps:', '  - ImportPrices: { <<: *a, bind: { source: "file:a.csv", rows: raw } }'),
    faults: [[I, 4, 21]],
  },
  { what: 'a list where a map belongs', text: yaml('- name: x'), faults: [[I, 1, 1]] },
  { what: 'text alone', text: yaml('pricing'), faults: [[I, 1, 1]] },
  { what: 'JSON with a comma too many', ext: '.json', text: '{ "name": "x",\n  "steps": ["ImportPrices",] }', faults: [[I, 2, 28]] },
  { what: 'JSON without a comma', ext: '.json', text: '{ "name": "x"\n  "steps": [] }', faults: [[I, 2, 3]] },
  { what: 'JSON that is cut off', ext: '.json', text: '{ "name": "x",\n  "steps": [', faults: [[I, 2, 13]] },
  { what: 'JSON with a comment', ext: '.json', text: '// a\n{}', faults: [[I, 1, 1]] },
  { what: 'JSON with single quotes', ext: '.json', text: "{ 'name': 1 }", faults: [[I, 1, 3]] },
  {
    what: 'JSON with a key twice',
    ext: '.json',
    text: '{ "name": "x", "name": "y",\n "steps": [{ "ImportPrices": { "bind": { "source": "file:a.csv", "rows": "raw" } } }] }',
    faults: [[I, 1, 16]],
  },
  { what: 'TOML without quotes', ext: '.toml', text: 'name = x\n', faults: [[I, 1, 8]] },
  { what: 'TOML with a key twice', ext: '.toml', text: 'name = "x"\nname = "y"\n', faults: [[I, 2, 1]] },
  { what: 'TOML with an array without an end', ext: '.toml', text: 'name = "x"\ntags = ["a"\n', faults: [[I, 3, 1]] },
  { what: 'TOML with steps that are a table', ext: '.toml', text: 'name = "x"\n[steps]\nImportPrices = {}\n', faults: [[I, 2, 2]] },
  // bytes
  { what: 'Latin-1', text: Uint8Array.from(Buffer.from('name: caf\u00e9\nsteps: []\n', 'latin1')), faults: [[I, 1, 10]], says: 'UTF-8' },
  { what: 'UTF-16', text: Uint8Array.from([0xff, 0xfe, ...Buffer.from('name: x', 'utf16le')]), faults: [[I, 1, 1]], says: 'UTF-16' },
  { what: 'a byte order mark before a mistake', text: '\uFEFFname: x\nstep: []\nsteps:\n' + ok, faults: [[I, 2, 1]] },
  { what: 'CRLF before a mistake', text: `name: x\r\nsteps:\r\n${ok}\r\ntitel: y\r\n`, faults: [[I, 4, 1]], says: "'title'" },
  { what: 'a binary', text: Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0xff]), faults: [[I, 1, 5]] },
  // hostile
  {
    what: 'a million laughs',
    text: yaml(
      'name: x',
      'variables:',
      `  a: &a [${'lol,'.repeat(9)}]`,
      ...'bcdefghi'.split('').map((name, at) => `  ${name}: &${name} [${`*${'abcdefgh'.charAt(at)},`.repeat(9)}]`),
      'steps:',
      ok,
    ),
    faults: [[I, 3, 42]],
    says: 'aliases',
  },
  { what: 'an alias of itself', text: yaml('name: x', 'variables: { a: &a [*a] }', 'steps:', ok), faults: [[I, 2, 21]] },
  { what: 'deep brackets', text: `name: x\nsteps: ${'['.repeat(100_000)}`, faults: [[I, 2, 508]] },
  { what: 'deep JSON', ext: '.json', text: `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`, faults: [[I, 1, 326]] },
  { what: 'a huge file', text: `name: x\n#${'x'.repeat(2 << 20)}\n`, faults: [[I, 1, 1]], says: '1 MiB' },
  { what: '__proto__ as a key', text: yaml('name: x', '__proto__: { polluted: true }', 'steps:', ok), faults: [[I, 2, 1]] },
  {
    what: '__proto__ as a processor',
    text: yaml('name: x', 'steps:', '  - __proto__: { bind: {} }', '  - constructor'),
    faults: [
      ['PROCESSOR_UNKNOWN', 3, 5],
      ['PROCESSOR_UNKNOWN', 4, 5],
    ],
  },
  {
    what: '__proto__ as a parameter',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: raw }, params: { __proto__: { base: 1 } } }'),
    faults: [['PARAMS_INVALID', 4, 54]],
  },
  // the root
  {
    what: 'no name and no steps',
    text: yaml('title: x'),
    faults: [
      [I, 1, 1],
      [I, 1, 1],
    ],
  },
  { what: 'a name that is a list', text: yaml('name: [x]', 'steps:', ok), faults: [[I, 1, 7]] },
  { what: 'steps that are a map', text: yaml('name: x', 'steps:', '  ImportPrices: {}'), faults: [[I, 3, 3]] },
  { what: 'no step', text: yaml('name: x', 'steps: []'), faults: [[I, 2, 8]] },
  {
    what: 'keys that are not known',
    text: yaml('name: x', 'descripton: y', 'comments: z', 'steps:', ok),
    faults: [
      [I, 2, 1],
      [I, 3, 1],
    ],
    says: "'description'",
  },
  {
    what: 'a time zone that there is none',
    text: yaml('name: x', 'timezone: Europe/Berlen', 'steps:', ok),
    faults: [[I, 2, 11]],
    says: "'Europe/Berlin'",
  },
  // steps
  {
    what: 'a processor that is not known',
    text: yaml('name: x', 'steps:', '  - ImportPrice'),
    faults: [['PROCESSOR_UNKNOWN', 3, 5]],
    says: "'ImportPrices'",
  },
  {
    what: 'a component of flowtask',
    text: yaml('name: x', 'steps:', '  - SubTask: { task: y }'),
    faults: [
      [I, 3, 16],
      ['PROCESSOR_UNKNOWN', 3, 5],
    ],
    says: 'workflow: { path',
  },
  {
    what: 'a step of two keys',
    text: yaml('name: x', 'steps:', '  - ImportPrices:', '    bind: { source: "file:a.csv", rows: raw }'),
    faults: [[I, 4, 5]],
    says: 'Indent',
  },
  { what: 'a step that is a number', text: yaml('name: x', 'steps:', '  - 5'), faults: [[I, 3, 5]] },
  { what: 'a step whose body is a list', text: yaml('name: x', 'steps:', '  - ImportPrices: [1]'), faults: [[I, 3, 19]] },
  {
    what: 'two steps of one name',
    text: yaml('name: x', 'steps:', ok, '  - ImportPrices: { bind: { source: "file:b.csv", rows: raw2 } }'),
    faults: [['DUPLICATE_NAME', 4, 5]],
    says: '`name`',
  },
  {
    what: 'a name with a slash',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { name: a/b, bind: { source: "file:a.csv", rows: raw } }'),
    faults: [[I, 3, 27]],
  },
  {
    what: 'options of the wrong type',
    text: yaml(
      'name: x',
      'steps:',
      '  - ImportPrices:',
      '      bind: { source: "file:a.csv", rows: raw }',
      '      timeout: soon',
      '      retry: { attempts: 0, backof: fixed }',
      '      onError: ignore',
      '      keep: maybe',
      '      tags: { a: b }',
    ),
    faults: [
      [I, 5, 16],
      [I, 6, 26],
      [I, 6, 29],
      [I, 7, 16],
      [I, 8, 13],
      [I, 9, 13],
    ],
  },
  {
    what: 'a retry without attempts',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:a.csv", rows: raw }, retry: { delay: 5 } }'),
    faults: [[I, 3, 71]],
  },
  {
    what: 'a time-out of zero',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:a.csv", rows: raw }, timeout: 0 }'),
    faults: [[I, 3, 73]],
  },
  {
    what: 'a step that waits for one that is not there',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: raw }, depends: [ImportPrice, nothing] }'),
    faults: [
      ['STEP_UNKNOWN', 4, 54],
      ['STEP_UNKNOWN', 4, 67],
    ],
    says: "'ImportPrices'",
  },
  {
    what: 'a group without a name, and one without steps',
    text: yaml('name: x', 'steps:', '  - group: { steps: [] }', '  - group: { name: b }'),
    faults: [
      [I, 3, 12],
      [I, 3, 21],
      [I, 4, 12],
    ],
  },
  {
    what: 'to_group without members',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:a.csv", rows: raw }, to_group: G }'),
    faults: [[I, 3, 74]],
    says: 'has no matching steps',
  },
  {
    what: 'keys of flowtask that are no more',
    text: yaml(
      'name: x',
      'steps:',
      '  - ImportPrices:',
      '      bind: { source: "file:a.csv", rows: raw }',
      '      masks: { a: today }',
      '      skipError: quietly',
      '      branch: 2',
    ),
    faults: [
      [I, 5, 7],
      [I, 6, 18],
      [I, 7, 7],
    ],
    says: '{today}',
  },
  // ports and bindings
  {
    what: 'a port that is not known',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { sorce: "file:a.csv", rows: raw } }'),
    faults: [['PORT_UNKNOWN', 3, 29]],
    says: "'source'",
  },
  {
    what: 'a property in place of a port',
    text: yaml('name: x', 'steps:', '  - Rename: { bind: { from: a, "out:data": b } }'),
    faults: [
      ['PORT_UNBOUND', 3, 5],
      ['PORT_UNKNOWN', 3, 23],
    ],
  },
  {
    what: 'a name of both an input and an output',
    text: yaml('name: x', 'steps:', '  - Rename: { bind: { incoming-rows: a, data: b } }'),
    faults: [['BINDING_INVALID', 3, 41]],
    says: "'out:data'",
  },
  {
    what: 'ports that are not bound',
    text: yaml('name: x', 'steps:', '  - ImportPrices'),
    faults: [
      ['PORT_UNBOUND', 3, 5],
      ['PORT_UNBOUND', 3, 5],
    ],
  },
  {
    what: 'an input that the step before does not fit',
    text: yaml('name: x', 'steps:', ok, '  - SumPrices'),
    faults: [['PORT_UNBOUND', 4, 5]],
    says: 'another schema',
  },
  {
    what: 'a binding that is a number',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: 5, rows: raw } }'),
    faults: [['BINDING_INVALID', 3, 37]],
  },
  {
    what: 'an output that is bound to rows',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:a.csv", rows: [{ sku: a }] } }'),
    faults: [['BINDING_INVALID', 3, 57]],
  },
  {
    what: 'a file of no known format',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:a.xls", rows: raw } }'),
    faults: [['BINDING_INVALID', 3, 37]],
    says: 'csv',
  },
  {
    what: 'a map that is no binding',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: { form: a.b }, rows: raw } }'),
    faults: [['BINDING_INVALID', 3, 39]],
    says: "'from'",
  },
  {
    what: 'a collection with an option that is not known',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: { collection: a, sorted: { b: 1 } }, rows: raw } }'),
    faults: [[I, 3, 54]],
    says: "'sort'",
  },
  {
    what: 'a link to a step that is not there',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: { from: ImportPrice.rows } } }'),
    faults: [['STEP_UNKNOWN', 4, 45]],
    says: "'ImportPrices'",
  },
  {
    what: 'a link to an output that is not there',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: { from: ImportPrices.row } } }'),
    faults: [['PORT_UNKNOWN', 4, 45]],
    says: "'rows'",
  },
  {
    what: 'a link to a step and no output',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: { from: ImportPrices } } }'),
    faults: [['PORT_UNKNOWN', 4, 45]],
    says: "'ImportPrices.rows'",
  },
  {
    what: 'a link between different schemas',
    text: yaml('name: x', 'steps:', ok, '  - SumPrices: { bind: { prices: { from: ImportPrices.rows } } }'),
    faults: [['BINDING_INVALID', 4, 42]],
    says: 'RawPrice',
  },
  {
    what: 'an output that is bound to a link',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: raw, prices: { from: ImportPrices.rows } } }'),
    faults: [['BINDING_INVALID', 4, 50]],
  },
  {
    what: 'two writers of one collection',
    text: yaml('name: x', 'steps:', ok, '  - ImportPrices: { name: again, bind: { source: "file:b.csv", rows: raw } }'),
    faults: [['BINDING_CONFLICT', 3, 57]],
  },
  // params
  {
    what: 'parameters of the wrong type',
    text: yaml(
      'name: x',
      'steps:',
      ok,
      '  - NormalisePrices:',
      '      bind: { raw: raw }',
      '      params: { base: [1], factor: many, since: soon, strict: perhaps, mode: most }',
    ),
    faults: [
      ['PARAMS_INVALID', 6, 23],
      ['PARAMS_INVALID', 6, 36],
      ['PARAMS_INVALID', 6, 49],
      ['PARAMS_INVALID', 6, 63],
      ['PARAMS_INVALID', 6, 78],
    ],
  },
  {
    what: 'a parameter that is not known',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: raw }, params: { bass: EUR } }'),
    faults: [['PARAMS_INVALID', 4, 54]],
    says: "'base'",
  },
  {
    what: 'a parameter that is missing',
    text: yaml('name: x', 'steps:', '  - Needy: { params: {} }', '  - Needy: { name: other }'),
    faults: [
      ['PARAMS_INVALID', 3, 22],
      ['PARAMS_INVALID', 4, 5],
    ],
  },
  {
    what: 'parameters of a processor that has none',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:a.csv", rows: raw }, params: { a: 1 } }'),
    faults: [['PARAMS_INVALID', 3, 64]],
  },
  {
    what: 'parameters that are a list',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: raw }, params: [1] }'),
    faults: [['PARAMS_INVALID', 4, 52]],
  },
  // variables
  {
    what: 'a variable that is not known',
    text: yaml('name: x', 'variables: { source: a.csv }', 'steps:', '  - ImportPrices: { bind: { source: "file:{sorce}", rows: raw } }'),
    faults: [[I, 4, 43]],
    says: "'source'",
  },
  {
    what: 'a variable of the environment that is not set',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:{env:MILLRACE_NO_SUCH}.csv", rows: raw } }'),
    faults: [[I, 3, 43]],
  },
  {
    what: 'braces that are not closed, and that name nothing',
    text: yaml('name: x', 'steps:', '  - command: { command: sh, args: [-c, "a {b", "{ c }"] }'),
    faults: [
      [I, 3, 43],
      [I, 3, 49],
    ],
    says: '{{',
  },
  {
    what: 'variables that stand in each other',
    text: yaml('name: x', 'variables:', '  a: "{b}"', '  b: "{c}"', '  c: "{a}"', 'steps:', ok),
    faults: [[I, 3, 3]],
    says: 'a -> b -> c -> a',
  },
  {
    what: 'a variable with a name that is taken',
    text: yaml('name: x', 'variables: { today: a, "b c": d }', 'steps:', ok),
    faults: [
      [I, 2, 14],
      [I, 2, 24],
    ],
  },
  {
    what: 'a list within a text',
    text: yaml('name: x', 'variables: { a: [1] }', 'steps:', '  - ImportPrices: { bind: { source: "file:{a}.csv", rows: raw } }'),
    faults: [[I, 4, 43]],
  },
  {
    what: 'a format that is none',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "file:{today:YYYY-MM-DD}.csv", rows: raw } }'),
    faults: [[I, 3, 43]],
    says: "'yyyy' is meant",
  },
  // conditions
  {
    what: 'conditions that ask for nothing',
    text: yaml(
      'name: x',
      'steps:',
      ok,
      '  - NormalisePrices: { bind: { raw: raw }, when: { above: 0 } }',
      '  - SumPrices: { bind: { prices: prices }, when: { variable: mode, is: full } }',
    ),
    faults: [
      [I, 4, 50],
      [I, 5, 62],
    ],
  },
  {
    what: 'a condition on rows of nothing',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: raw }, when: { rows: ImportPrices.row, above: many } }'),
    faults: [
      ['PORT_UNKNOWN', 4, 58],
      [I, 4, 83],
    ],
  },
  // order
  {
    what: 'steps that wait for each other',
    text: yaml(
      'name: x',
      'steps:',
      '  - ImportPrices: { bind: { source: a, rows: b }, depends: [clean] }',
      '  - NormalisePrices: { name: clean, bind: { raw: b } }',
    ),
    faults: [['WORKFLOW_CYCLE', 3, 5]],
    says: 'ImportPrices -> clean -> ImportPrices',
  },
  {
    what: 'a step that waits for itself',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: a, rows: b }, depends: ImportPrices }'),
    faults: [['WORKFLOW_CYCLE', 3, 5]],
  },
  // workflows within
  {
    what: 'a file within that is missing',
    text: yaml('name: x', 'steps:', '  - workflow: { path: no.yaml }'),
    faults: [['FILE_UNREADABLE', 3, 23]],
  },
  { what: 'a workflow within that has no path', text: yaml('name: x', 'steps:', '  - workflow: { name: y }'), faults: [[I, 3, 15]] },
  {
    what: 'files that name each other',
    text: yaml('name: x', 'steps:', '  - workflow: { path: b.yaml }'),
    besides: { 'b.yaml': 'name: b\nsteps:\n  - workflow: { path: broken.yaml }\n' },
    faults: [['WORKFLOW_CYCLE', 3, 23]],
  },
  {
    what: 'a step within that is not there',
    text: yaml('name: x', 'steps:', '  - workflow: { path: b.yaml, bind: { ImportPrice: { rows: c } } }'),
    besides: { 'b.yaml': `name: b\nsteps:\n${ok}\n` },
    faults: [['STEP_UNKNOWN', 3, 39]],
  },
  // events
  {
    what: 'events of flowtask',
    text: yaml('name: x', 'steps:', ok, 'events:', '  publish: true', '  completed:', '    - WebHook: { url: "https://example.org" }'),
    faults: [
      [I, 5, 3],
      [I, 6, 3],
    ],
    says: '`succeeded`',
  },
  {
    what: 'actions that are none',
    text: yaml(
      'name: x',
      'steps:',
      ok,
      'events:',
      '  failed:',
      '    - webhok: { url: "https://example.org" }',
      '    - webhook: { url: "ftp://example.org" }',
      '    - log: { mesage: a }',
      '    - delete: ..',
    ),
    faults: [
      [I, 6, 7],
      [I, 7, 23],
      [I, 8, 12],
      [I, 8, 14],
      [I, 9, 15],
    ],
  },
  // several at once
  {
    what: 'a bit of everything',
    text: yaml(
      'name: x',
      'titel: y',
      'variables: { a: "{b}" }',
      'steps:',
      '  - ImportPrice: { bind: { source: "file:{c}.csv" } }',
      '  - NormalisePrices:',
      '      bind: { rew: x }',
      '      params: { factor: many }',
      '      onErr: skip',
      '  - SumPrices: { depends: [nope], bind: { prices: { from: NormalisePrices.price } } }',
    ),
    faults: [
      [I, 2, 1],
      [I, 3, 18],
      ['PROCESSOR_UNKNOWN', 5, 5],
      [I, 5, 42],
      ['PORT_UNKNOWN', 7, 15],
      ['PARAMS_INVALID', 8, 25],
      [I, 9, 7],
      ['STEP_UNKNOWN', 10, 28],
      ['PORT_UNKNOWN', 10, 59],
    ],
  },
  // what a stranger tried
  { what: 'a tag that YAML has and Millrace does not', text: yaml('name: !!binary aGk=', 'steps:', ok), faults: [[I, 1, 7]], says: 'tag' },
  {
    what: 'text in quotes that is never closed, told with where it begins',
    text: yaml('name: "x', 'steps:', ok.replaceAll('"', '')),
    faults: [[I, 4, 1]],
    says: 'no end',
  },
  {
    what: 'a directive that there is none',
    text: yaml('%FOO bar', '---', 'name: x', 'steps:', ok),
    faults: [[I, 1, 1]],
    says: 'Take the line',
  },
  { what: 'a NUL', text: yaml('name: x\0y', 'steps:', ok), faults: [[I, 1, 8]], says: '0x00' },
  { what: 'UTF-16 that does not say so', text: Uint8Array.from(Buffer.from('name: x', 'utf16le')), faults: [[I, 1, 2]], says: 'UTF-8' },
  {
    what: 'keys without values',
    text: yaml('name: x', 'title:', 'tags:', 'events:', 'steps:', '  - ImportPrices: { bind: { source: a, rows: b }, keep: , timeout: }'),
    faults: [
      [I, 2, 1],
      [I, 6, 51],
      [I, 6, 59],
    ],
    says: 'or leave it out',
  },
  {
    what: 'numbers that no number holds',
    text: yaml('name: x', 'variables: { a: 9007199254740993, b: 1e999, c: 9007199254740992 }', 'steps:', ok),
    faults: [
      [I, 2, 17],
      [I, 2, 38],
    ],
    says: 'quotes',
  },
  {
    what: 'a number that no number holds, in JSON',
    ext: '.json',
    text: '{ "name": "x", "variables": { "a": -9007199254740993 },\n "steps": [{ "ImportPrices": { "bind": { "source": "a", "rows": "b" } } }] }',
    faults: [[I, 1, 36]],
  },
  {
    what: 'a number that no number holds, in TOML',
    ext: '.toml',
    text: 'name = "x"\nvariables.a = 9_007_199_254_740_993\n[[steps]]\nImportPrices.bind = { source = "a", rows = "b" }\n',
    faults: [[I, 2, 15]],
  },
  {
    what: 'a time of day where a date belongs, in TOML',
    ext: '.toml',
    text: 'name = "x"\n[[steps]]\nNormalisePrices = { bind = { raw = "a" }, params = { since = 10:00:00 } }\n',
    faults: [['PARAMS_INVALID', 3, 62]],
  },
  {
    what: 'variables where names are',
    text: yaml(
      'name: "{a}"',
      'variables: { a: ImportPrices }',
      'steps:',
      '  - ImportPrices: { name: "x{a}", bind: { source: b, rows: c }, tags: ["{a}"] }',
      '  - NormalisePrices: { depends: ["{a}"], bind: { raw: { from: "{a}.rows" } } }',
      '  - workflow: { path: "{a}.yaml" }',
    ),
    faults: [
      [I, 1, 7],
      [I, 4, 27],
      [I, 4, 72],
      [I, 5, 34],
      [I, 5, 63],
      [I, 6, 23],
    ],
    says: 'no variable stands in it',
  },
  {
    what: 'references that name nothing',
    text: yaml('name: x', 'steps:', '  - command: { command: sh, args: ["{env}", "{env:}", "{run:id}"] }'),
    faults: [
      [I, 3, 37],
      [I, 3, 46],
      [I, 3, 56],
    ],
    says: '{env:NAME}',
  },
  {
    what: 'nothing within a text',
    text: yaml('name: x', 'variables: { a: null }', 'steps:', '  - ImportPrices: { bind: { source: "x{a}", rows: b } }'),
    faults: [[I, 4, 39]],
  },
  {
    what: 'a million laughs by variables',
    text: yaml(
      'name: x',
      'variables:',
      '  v0: lol',
      ...Array.from({ length: 12 }, (_, at) => `  v${String(at + 1)}: "${`{v${String(at)}}`.repeat(10)}"`),
      'steps:',
      ok,
    ),
    faults: [[I, 10, 7]],
    says: 'too large',
  },
  {
    what: 'a million laughs by lists of variables',
    text: yaml(
      'name: x',
      'variables:',
      '  v0: [1, 2, 3]',
      ...Array.from({ length: 12 }, (_, at) => `  v${String(at + 1)}: [${`"{v${String(at)}}",`.repeat(10)}]`),
      'steps:',
      ok,
    ),
    faults: [[I, 8, 43]],
    says: 'too large',
  },
  {
    what: 'variables that stand in each other without end',
    text: yaml(
      'name: x',
      'variables:',
      ...Array.from({ length: 80 }, (_, at) => `  v${String(at)}: "{v${String(at + 1)}}"`),
      '  v80: 1',
      'steps:',
      ok,
    ),
    faults: [[I, 67, 3]],
    says: 'more than 64 deep',
  },
  ...['yyyy-mm-dd', 'yyyy-MM-ddTHH:mm', "yyyy 'open", 'P', 'n'].map((format) => ({
    what: `the format ${format}`,
    text: yaml('name: x', 'steps:', `  - ImportPrices: { bind: { source: "a{today:${format}}", rows: b } }`),
    faults: [[I, 3, 39]] as const,
    says: 'format',
  })),
  {
    what: 'an empty format',
    text: yaml('name: x', 'steps:', '  - ImportPrices: { bind: { source: "a{today:}", rows: b } }'),
    faults: [[I, 3, 39]],
    says: 'empty',
  },
  {
    what: 'a parameter that is like no other',
    text: yaml('name: x', 'steps:', ok, '  - NormalisePrices: { bind: { raw: raw }, params: { zzzzzz: 1 } }'),
    faults: [['PARAMS_INVALID', 4, 54]],
    says: "unknown parameter 'zzzzzz' Known: 'base'",
  },
  {
    what: 'files that name each other in three folders',
    text: yaml('name: x', 'steps:', '  - workflow: { path: b/b.yaml }'),
    besides: {
      'b/b.yaml': 'name: b\nsteps:\n  - workflow: { path: ../c/c.yaml }\n',
      'c/c.yaml': 'name: c\nsteps:\n  - workflow: { path: ../broken.yaml }\n',
    },
    faults: [['WORKFLOW_CYCLE', 3, 23]],
    says: 'broken.yaml -> b/b.yaml -> c/c.yaml -> broken.yaml',
  },
  {
    what: 'files that double each other',
    text: yaml('name: x', 'steps:', '  - workflow: { path: f0.yaml }'),
    besides: Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [
        `f${String(at)}.yaml`,
        at === 19
          ? yaml('name: f', 'steps: [{ command: { command: ls } }]')
          : yaml('name: f', 'steps:', ...['a', 'b'].map((name) => `  - workflow: { name: ${name}, path: f${String(at + 1)}.yaml }`)),
      ]),
    ),
    faults: [[I, 3, 5]],
    says: 'more than 20,000 steps',
  },
  {
    what: 'a workflow within whose name is no name for a step',
    text: yaml('name: x', 'steps:', '  - workflow: { path: b.yaml }'),
    besides: { 'b.yaml': `name: b/c\nsteps:\n${ok}\n` },
    faults: [[I, 3, 15]],
    says: 'Give it a `name`',
  },
  {
    what: 'two writers by a default binding and by a file around',
    text: yaml(
      'name: x',
      'steps:',
      '  - NormalisePrices: { bind: { raw: raw } }',
      '  - workflow:',
      '      path: b.yaml',
      '      bind:',
      '        NormalisePrices:',
      '          prices: prices',
    ),
    besides: { 'b.yaml': 'name: b\nsteps:\n  - NormalisePrices: { bind: { raw: raw, prices: own } }\n' },
    faults: [['BINDING_CONFLICT', 3, 5]],
  },
  {
    what: 'an action that cannot be done',
    text: yaml(
      'name: x',
      'steps:',
      ok,
      'events:',
      '  failed:',
      '    - webhook: "{env:MILLRACE_NO_SUCH}"',
      '    - webhook: { url: "{env:MILLRACE_NO_SUCH}" }',
      '    - webhook: { url: "https://example.org", headers: { "a b": c, d: "e\\nf" }, timeout: 2h }',
      '    - delete: [broken.yaml, "*.csv"]',
      '    - copy: { from: "{nothing}", to: a }',
    ),
    faults: [
      [I, 6, 17],
      [I, 7, 24],
      [I, 8, 57],
      [I, 8, 67],
      [I, 8, 89],
      [I, 9, 16],
      [I, 9, 29],
      [I, 10, 22],
    ],
    says: 'is or holds the definition itself',
  },
  {
    what: 'events that are a list',
    text: yaml('name: x', 'steps:', ok, 'events: [failed]'),
    faults: [[I, 4, 9]],
    says: 'a map of events is expected',
  },
  {
    what: 'groups that are begun from within, or that nothing begins',
    text: yaml(
      'name: x',
      'steps:',
      '  - ImportPrices: { bind: { source: a, rows: b }, Group: G, to_group: G }',
      '  - NormalisePrices: { bind: { raw: a }, Group: H, to_group: I }',
      '  - SumPrices: { bind: { prices: c }, Group: I, to_group: H }',
    ),
    faults: [
      [I, 3, 58],
      [I, 4, 49],
      [I, 5, 46],
    ],
    says: 'is begun by a step within it',
  },
  {
    what: 'ports and parameters in the place of keys, and both words for one thing',
    text: yaml('name: x', 'steps:', '  - NormalisePrices: { raw: a, base: EUR, skipError: skip, onError: stop, bind: { raw: a } }'),
    faults: [
      [I, 3, 24],
      [I, 3, 32],
      [I, 3, 43],
    ],
    says: '`params: { base: … }`',
  },
  {
    what: 'components of flowtask that are not here',
    text: yaml('name: x', 'steps:', '  - DownloadFromIMAP', '  - CopyToPg', '  - PrintMessage'),
    faults: [
      ['PROCESSOR_UNKNOWN', 3, 5],
      ['PROCESSOR_UNKNOWN', 4, 5],
      ['PROCESSOR_UNKNOWN', 5, 5],
    ],
    says: 'Write a class with @Processor that does it.',
  },
  {
    what: 'an upsert without a key, and options of the other kind of port',
    text: yaml(
      'name: x',
      'steps:',
      '  - ImportPrices: { bind: { source: { collection: a, mode: append }, rows: { collection: b, mode: upsert } } }',
      '  - ImportPrices: { name: again, bind: { source: a, rows: { collection: c, mode: upsert, key: sku, limit: 5 } } }',
    ),
    faults: [
      ['BINDING_INVALID', 3, 54],
      ['BINDING_INVALID', 3, 99],
      ['BINDING_INVALID', 4, 100],
    ],
    says: "mode 'upsert' needs a key",
  },
  {
    what: 'a step that writes what another one may only read',
    text: yaml(
      'name: x',
      'steps:',
      '  - ImportPrices: { bind: { source: b, rows: a } }',
      '  - ImportPrices: { name: reads, bind: { source: a, rows: c } }',
      '  - Keep: { bind: { kept: a } }',
    ),
    faults: [['PORT_READ_ONLY', 3, 46]],
    says: "which input port 'kept' of step 'Keep' may only read",
  },
  {
    what: 'a binding that is none, and links that miss by a letter: what they were to bind is not told, too',
    text: yaml(
      'name: x',
      'steps:',
      '  - ImportPrices: { bind: [a] }',
      '  - ImportPrices: { name: other, bind: { source: a } }',
      '  - NormalisePrices: { bind: { raw: { from: othr.rows } } }',
      '  - NormalisePrices: { name: more, bind: { raw: { from: other.row }, prices: p } }',
    ),
    faults: [
      [I, 3, 27],
      ['STEP_UNKNOWN', 5, 45],
      ['PORT_UNKNOWN', 6, 57],
    ],
  },
  {
    what: 'events of a workflow within',
    text: yaml('name: x', 'steps:', '  - workflow: { path: inner.yaml }'),
    besides: { 'inner.yaml': yaml('name: y', 'steps:', ok, 'events: { faild: [] }') },
    faults: [[I, 4, 11]],
    says: "Did you mean 'failed'?",
  },
  {
    what: 'a command, a group and a workflow within that are a text',
    text: yaml('name: x', 'steps:', ok, '  - command: ls', '  - group: a', '  - workflow: b.yaml'),
    faults: [
      [I, 4, 14],
      [I, 5, 12],
      [I, 6, 15],
    ],
    says: 'Write workflow: { path: … }.',
  },
];
