import { actionEvents } from '../action/action.js';
import { formerOfEvents } from './former.js';
import { flag, text, texts, type Key, type ObjectShape, type Shape } from './shape.js';

const environment: Shape = { kind: 'map', of: { kind: 'text', orNumber: true }, names: 'names of environment variables' };

/** Of a program, as a step and as an action. */
export const programKeys: Readonly<Record<string, Key>> = {
  command: { shape: text, description: 'The program: a path, or a name that PATH finds. No shell is between.' },
  args: { shape: texts, description: 'Its arguments.' },
  cwd: { shape: text, description: 'The folder that it runs in; default that of the definition file.' },
  env: { shape: environment, description: 'Added to its environment.' },
};

const log: ObjectShape = {
  kind: 'object',
  what: 'a log action',
  keys: {
    message: { shape: text, description: 'What is logged; {run:status} and the like stand for facts of the run.' },
    level: { shape: { kind: 'choice', values: ['debug', 'info', 'warn', 'error'] }, description: 'Default info.' },
  },
  required: ['message'],
};

const webhook: ObjectShape = {
  kind: 'object',
  what: 'a webhook',
  keys: {
    url: { shape: text, description: 'Where the request goes: http or https.' },
    method: { shape: { kind: 'choice', values: ['POST', 'PUT', 'PATCH', 'GET'] }, description: 'Default POST.' },
    headers: { shape: { kind: 'map', of: { kind: 'text', orNumber: true }, names: 'headers' }, description: 'Besides the content type.' },
    body: {
      shape: { kind: 'any' },
      description: 'Sent as JSON; text is sent as it is. Default: workflow, runId, status, at, ms, error and the status of every step.',
    },
    timeout: { shape: { kind: 'time', positive: true, most: 60_000 }, description: "For one attempt; default '10s', at most '60s'." },
    attempts: { shape: { kind: 'number', least: 1, most: 10, whole: true }, description: 'How many, the first included; default 3.' },
  },
  required: ['url'],
};

const copy: ObjectShape = {
  kind: 'object',
  what: 'a copy action',
  keys: {
    from: { shape: text, description: 'The file or folder that is copied.' },
    to: { shape: text, description: 'Where it goes; missing folders are made.' },
    overwrite: { shape: flag, description: 'Whether a file that is there is replaced; default true.' },
  },
  required: ['from', 'to'],
};

export const actions: ObjectShape = {
  kind: 'object',
  what: 'an action',
  keys: {
    log: { shape: { kind: 'either', scalar: text, map: log }, description: 'Writes a line to the log.' },
    webhook: {
      shape: { kind: 'either', scalar: text, map: webhook },
      description: 'Sends a request; it is bounded in time, tried again, and never fails the run.',
    },
    command: {
      shape: {
        kind: 'object',
        what: 'a command',
        keys: { ...programKeys, timeout: { shape: { kind: 'time', positive: true }, description: "Default '60s'." } },
        required: ['command'],
      },
      description: 'Runs a program without a shell.',
    },
    copy: { shape: copy, description: 'Copies a file or a folder.' },
    delete: { shape: texts, description: 'Deletes files and folders; one that is not there is no fault.' },
    run: {
      shape: {
        kind: 'either',
        scalar: text,
        map: {
          kind: 'object',
          what: 'a run action',
          keys: {
            workflow: { shape: text, description: 'The name of a workflow of the same app.' },
            variables: { shape: { kind: 'map', of: { kind: 'any' }, names: 'variables' }, description: 'Of that run.' },
          },
          required: ['workflow'],
        },
      },
      description: 'Runs another workflow of the same app, and waits for it.',
    },
  },
};

/** What is done when a run begins and ends. */
export const events: ObjectShape = {
  kind: 'object',
  what: 'a map of events',
  keys: Object.fromEntries(
    actionEvents.map((event) => [
      event,
      {
        shape: { kind: 'list', of: actions },
        description:
          event === 'started'
            ? 'What is done when a run begins, before its first step.'
            : `What is done when a run has ended and its status is '${event}'.`,
      } as const,
    ]),
  ),
  former: formerOfEvents,
};
