import { events, programKeys } from './action-keys.js';
import { formerOfRoot, formerOfSteps } from './former.js';
import { flag, name, names, prose, text, texts, time, type Key, type ObjectShape, type Shape } from './shape.js';

const amount: Shape = { kind: 'number' };

const condition: ObjectShape = {
  kind: 'object',
  what: 'a condition',
  keys: {
    rows: {
      shape: name,
      description: "An output, as 'Step.port': how many rows it wrote is compared; without a comparison, there are any.",
    },
    variable: { shape: name, description: 'A variable whose value is compared.' },
    is: { shape: { kind: 'any' }, description: 'It is equal to this.' },
    not: { shape: { kind: 'any' }, description: 'It is not equal to this.' },
    in: { shape: { kind: 'list', of: { kind: 'any' } }, description: 'It is equal to one of these.' },
    above: { shape: amount, description: 'It is more than this.' },
    below: { shape: amount, description: 'It is less than this.' },
  },
};

const retry: ObjectShape = {
  kind: 'object',
  what: 'a retry',
  keys: {
    attempts: { shape: { kind: 'number', least: 1, whole: true }, description: 'How many, the first included.' },
    delay: { shape: time, description: 'Before the second attempt; default 0.' },
    backoff: {
      shape: { kind: 'choice', values: ['fixed', 'exponential'] },
      description: 'The same delay each time (default), or twice the one before.',
    },
    jitter: { shape: { kind: 'number', least: 0, most: 1 }, description: 'The share of the delay that is random, 0 to 1; default 0.' },
  },
  required: ['attempts'],
};

const stepName: Key = { shape: name, description: 'The name of the step; default the name of its processor.' };
const depends: Key = {
  shape: { kind: 'list', of: { kind: 'text', literal: true, orNumber: true }, orOne: true },
  description: 'Steps and groups that it comes after, in place of the step before it; an empty list: it waits for none.',
};

/** What each step may say, a group for all of its own. */
const common: Readonly<Record<string, Key>> = {
  depends,
  tags: { shape: names, description: "Names that slices select by (`--tags`), besides its processor's." },
  timeout: {
    shape: { kind: 'time', positive: true },
    description: "For one attempt, in milliseconds or as '30s'; default the processor's.",
  },
  retry: { shape: retry, description: "How often it is attempted; default the processor's, else the run's." },
  onError: {
    shape: { kind: 'choice', values: ['stop', 'skip'] },
    description: 'When it fails: stop the run (default), or skip what reads from it and go on.',
  },
  when: {
    shape: { kind: 'list', of: condition, orOne: true },
    description: 'Where one of these conditions does not hold, the step is skipped, and what reads from it.',
  },
  keep: {
    shape: flag,
    description: 'Keep what it gives to other steps until the workflow has succeeded, so that a resumed run can start after it.',
  },
  skipError: {
    shape: { kind: 'choice', values: ['skip', 'log', 'enforce'] },
    description: "As flowtask has it: 'skip' and 'log' are `onError: skip`, 'enforce' is `onError: stop`.",
    former: true,
  },
  conditions: {
    shape: { kind: 'map', of: { kind: 'any' }, names: 'variables' },
    description: 'As flowtask has it: variables and the values that they must have.',
    former: true,
  },
  Group: { shape: name, description: 'As flowtask has it: the group that the step belongs to.', former: true },
  to_group: { shape: name, description: 'As flowtask has it: the steps of that Group run right after this one.', former: true },
};

export const processorStep: ObjectShape = {
  kind: 'object',
  what: 'a step',
  keys: {
    name: stepName,
    bind: {
      shape: { kind: 'map', of: { kind: 'binding' }, names: 'ports' },
      description: "What its ports are connected to, by the ports' own names.",
    },
    params: { shape: { kind: 'params' }, description: 'Its parameters by name; or the collection or file that has them.' },
    ...common,
  },
  former: formerOfSteps,
};

export const commandStep: ObjectShape = {
  kind: 'object',
  what: 'a command',
  keys: {
    name: { shape: name, description: "The name of the step; default 'command'." },
    ...programKeys,
    bind: {
      shape: { kind: 'map', of: { kind: 'binding' }, names: 'ports' },
      description: 'Where the lines of its standard output go: port `lines`, rows `{ line }`.',
    },
    ...common,
  },
  required: ['command'],
};

export const groupStep: ObjectShape = {
  kind: 'object',
  what: 'a group',
  keys: {
    name: { shape: name, description: 'Its steps are named `group/step`.' },
    steps: { shape: { kind: 'steps' }, description: 'In file order, like those of the file.' },
    ...Object.fromEntries(Object.entries(common).filter(([, { former }]) => former !== true)),
  },
  required: ['name', 'steps'],
};

export const workflowStep: ObjectShape = {
  kind: 'object',
  what: 'a workflow within',
  keys: {
    name: { shape: name, description: "Its steps are named `name/step`; default the workflow's own name." },
    path: { shape: name, description: 'Its definition file, relative to this one.' },
    variables: {
      shape: { kind: 'map', of: { kind: 'any' }, names: 'variables' },
      description: 'In place of those that its file declares.',
    },
    bind: {
      shape: { kind: 'map', of: { kind: 'map', of: { kind: 'binding' }, names: 'ports' }, names: 'steps' },
      description: 'In place of what its file binds, by step and port.',
    },
    ...Object.fromEntries(Object.entries(common).filter(([, { former }]) => former !== true)),
  },
  required: ['path'],
};

const direction: Shape = { kind: 'map', of: { kind: 'any' }, names: 'properties' };

/** What a port may be bound to besides text and rows, by the key that tells them apart. */
export const bindings = {
  from: {
    kind: 'object',
    what: 'a link',
    keys: { from: { shape: name, description: "The output that it reads, as 'Step.port'." } },
    required: ['from'],
  },
  collection: {
    kind: 'object',
    what: 'a collection',
    keys: {
      collection: { shape: text, description: 'Its name.' },
      store: { shape: text, description: "The app's store; default 'default'." },
      filter: { shape: direction, description: 'Which rows are read: a MongoDB filter.' },
      sort: { shape: direction, description: '1 ascending, -1 descending, by property.' },
      projection: { shape: direction, description: 'Which properties are read: 1 or 0.' },
      skip: { shape: { kind: 'number', least: 0, whole: true }, description: 'So many rows are passed over.' },
      limit: { shape: { kind: 'number', least: 0, whole: true }, description: 'At most so many rows are read.' },
      pipeline: { shape: { kind: 'list', of: { kind: 'any' } }, description: 'An aggregation whose result is read.' },
      mode: {
        shape: { kind: 'choice', values: ['replace', 'append', 'upsert'] },
        description: "How an output meets what is there; default the port's.",
      },
      key: { shape: texts, description: 'Properties that identify a row, for upsert.' },
      overwrite: { shape: flag, description: 'Let replace take the place of a collection that no run has published to.' },
    },
    required: ['collection'],
  },
  file: {
    kind: 'object',
    what: 'a file',
    keys: {
      file: { shape: text, description: 'Its path, relative to the definition file.' },
      format: { shape: { kind: 'choice', values: ['csv', 'tsv', 'json', 'ndjson'] }, description: 'Default: by its extension.' },
      mode: {
        shape: { kind: 'choice', values: ['replace', 'append'] },
        description: "How an output meets what is there; default the port's.",
      },
    },
    required: ['file'],
  },
} as const satisfies Readonly<Record<string, ObjectShape>>;

/** The whole file. */
export const root: ObjectShape = {
  kind: 'object',
  what: 'a workflow',
  keys: {
    $schema: { shape: prose, description: 'Where editors find the schema of this file.' },
    name: { shape: name, description: 'What the workflow is called.' },
    title: { shape: prose, description: 'A few words for people.' },
    description: { shape: prose, description: 'A few sentences for people.' },
    tags: { shape: names, description: 'Every step has these.' },
    variables: {
      shape: { kind: 'map', of: { kind: 'any' }, names: 'variables' },
      description: 'Values for {name}; those of the run and of the loader take their place.',
    },
    timezone: { shape: name, description: 'Of {today}, {now} and {yesterday}; default UTC.' },
    steps: { shape: { kind: 'steps' }, description: 'In file order: a step without `depends` or a link comes after the one before it.' },
    events: { shape: events, description: 'What is done when a run begins and ends.' },
  },
  required: ['name', 'steps'],
  former: formerOfRoot,
};
