import type { CommandSpec, OptionSpec } from './command.js';
import { addNames, addText, parseConcurrency, parseDuration, parseLimit, parseOnFailure, parseSort } from './parse.js';

const store: OptionSpec = {
  flags: '--store <url>',
  description: "the default store: a path, 'embedded:PATH', 'memory:' or 'mongodb://HOST/DATABASE'",
};

/** Every command, in the order in which a newcomer meets them. What runs it is loaded when it is called. */
export const commands: readonly CommandSpec[] = [
  {
    name: 'init',
    summary: 'make a project that runs: config, a processor, its test, sample data',
    details: ['Nothing is overwritten: files that are there already are left as they are.'],
    arguments: [{ syntax: '[dir]', description: 'where; default the working directory' }],
    options: [],
    examples: ['millrace init shop'],
    load: async () => (await import('./command/init.js')).init,
  },
  {
    name: 'run',
    summary: 'run a processor or a workflow',
    details: [
      "Bindings are collections ('prices', 'prices@warehouse') or files ('file:./prices.csv'), by the ports' own names.",
      "Where an input and an output have one name, write 'in:NAME=…' and 'out:NAME=…'.",
      'Values of --params are JSON, else text; dots lead into nested objects; --params file:params.json reads them from a file.',
      "Of a workflow, ports are written 'STEP.PORT', and --from, --to, --only, --ignore and --tags say which steps run; names repeat or are joined by commas.",
    ],
    arguments: [{ syntax: '<name>', description: 'the processor or workflow' }],
    options: [
      {
        flags: '-b, --bind <port=binding>',
        description: 'what a port is connected to; of a workflow STEP.PORT=BINDING; may be repeated',
        parse: addText,
      },
      { flags: '-p, --params <key=value>', description: 'a parameter; may be repeated', parse: addText },
      store,
      {
        flags: '--timeout <time>',
        description: "for one attempt, of a workflow for the whole: '500ms', '30s', '5m'; a bare number is milliseconds",
        parse: parseDuration,
      },
      { flags: '--plan', description: 'say what would run and why; nothing is run' },
      { flags: '--resume [run]', description: 'go on with a run that failed or was killed: the last unfinished one, or that of an id' },
      { flags: '--from <steps>', description: 'these steps and all after them', parse: addNames },
      { flags: '--to <steps>', description: 'these steps and all before them', parse: addNames },
      { flags: '--only <steps>', description: 'just these steps', parse: addNames },
      { flags: '--ignore <steps>', description: 'all but these steps', parse: addNames },
      { flags: '--tags <tags>', description: 'steps with any of these tags', parse: addNames },
      {
        flags: '--variables <name=value>',
        description: 'a variable of the definition, as JSON, else text; may be repeated',
        parse: addText,
      },
      { flags: '--concurrency <steps>', description: 'steps that run at once; default the cores of this machine', parse: parseConcurrency },
      {
        flags: '--on-failure <how>',
        description: "'stop' at the first failure (default), or 'finish-branches' that do not depend on it",
        parse: parseOnFailure,
      },
    ],
    examples: [
      'millrace run CleanPrices',
      'millrace run CleanPrices --bind raw=file:./may.csv --bind prices=prices_may --params rate=0.85',
      'millrace run CleanPrices --json | jq .event',
      'millrace run pricing --plan',
      'millrace run pricing --from clean --variables day=2026-05-01 --bind ImportPrices.source=file:may.csv',
      'millrace run pricing --resume',
    ],
    load: async () => (await import('./command/run.js')).run,
  },
  {
    name: 'list',
    summary: 'the processors and workflows of the project',
    arguments: [],
    options: [],
    examples: ['millrace list', 'millrace list --json'],
    load: async () => (await import('./command/list.js')).list,
  },
  {
    name: 'show',
    summary: 'ports, schemas, defaults and dependencies of a processor; steps and variables of a workflow',
    arguments: [{ syntax: '<name>', description: 'the processor or workflow' }],
    options: [],
    examples: ['millrace show CleanPrices'],
    load: async () => (await import('./command/show.js')).show,
  },
  {
    name: 'check',
    summary: 'every mistake in wiring, default bindings and definition files; nothing is run',
    arguments: [{ syntax: '[file]', description: 'a definition file; default the whole project' }],
    options: [],
    examples: ['millrace check', 'millrace check pricing.yaml', 'millrace check --json'],
    load: async () => (await import('./command/check.js')).check,
  },
  {
    name: 'graph',
    summary: 'what reads, writes and needs what, as Mermaid (or JSON with --json)',
    arguments: [{ syntax: '[name]', description: 'a processor or a workflow; default all processors' }],
    options: [],
    examples: ['millrace graph > graph.mmd', 'millrace graph CleanPrices --json'],
    load: async () => (await import('./command/graph.js')).graph,
  },
  {
    name: 'schema',
    summary: 'the JSON Schema of definition files, for editors',
    details: ['In a project it knows its processors, with their ports and parameters.'],
    arguments: [],
    options: [{ flags: '--general', description: 'without the processors of the project' }],
    examples: ['millrace schema > workflow.schema.json'],
    load: async () => (await import('./command/schema.js')).schema,
  },
  {
    name: 'runs',
    summary: 'what ran, newest first; or one run in detail',
    arguments: [{ syntax: '[id]', description: 'a run, by the beginning of its id' }],
    options: [store, { flags: '-n, --limit <count>', description: 'at most so many; 0 is all (default: 20)', parse: parseLimit }],
    examples: ['millrace runs', 'millrace runs 6745', 'millrace runs --json --limit 1'],
    load: async () => (await import('./command/runs.js')).runs,
  },
  {
    name: 'data',
    summary: 'the collections of the stores; or rows of one',
    details: [
      "A filter is a MongoDB filter as JSON, with ids and dates as in MongoDB's Extended JSON:",
      `'{"_id": {"$oid": "6745…"}}', '{"seen": {"$gte": {"$date": "2026-05-01T00:00:00Z"}}}'.`,
      'With --to all rows are written, unless there is a --limit.',
    ],
    arguments: [{ syntax: '[collection]', description: "its name; 'name@store' for another store than the default" }],
    options: [
      { flags: '-f, --filter <json>', description: 'only rows that match' },
      { flags: '-s, --sort <names>', description: "by properties, joined by commas; '-name' is descending", parse: parseSort },
      { flags: '-n, --limit <count>', description: 'at most so many rows; 0 is all (default: 20)', parse: parseLimit },
      { flags: '-t, --to <file>', description: 'write them to a file: .csv, .tsv, .json, .ndjson, .jsonl, each also with .gz' },
      store,
    ],
    examples: [
      'millrace data',
      `millrace data prices --filter '{"euros": {"$gt": 10}}' --sort -euros,sku`,
      'millrace data prices --to prices.csv.gz',
    ],
    load: async () => (await import('./command/data.js')).data,
  },
];
