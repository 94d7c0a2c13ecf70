import { readFileSync } from 'node:fs';
import { Validator } from '@cfworker/json-schema';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { getProcessorSpec } from '../../../src/metadata/registry.js';
import { toJsonSchema } from '../../../src/workflow/definition/json-schema.js';
import { broken } from './broken.js';
import { processors } from './support.js';

const general = new Validator(toJsonSchema(), '7');
const own = new Validator(toJsonSchema(processors.map((processor) => getProcessorSpec(processor))), '7');
const valid = (validator: Validator, text: string): boolean => validator.validate(parse(text, { logLevel: 'silent' })).valid;

const right = `
$schema: ./workflow.schema.json
name: pricing
title: Prices
tags: [a]
timezone: Europe/Berlin
variables: { source: data/prices.csv, base: EUR, limit: 5 }
steps:
  - ImportPrices: { bind: { source: "file:{source}", rows: { collection: raw, sort: { sku: 1 }, mode: append } } }
  - NormalisePrices:
      name: clean
      bind: { raw: { from: ImportPrices.rows } }
      params: { base: "{base}", factor: "{limit}" }
      onError: skip
      when: { rows: ImportPrices.rows, above: 0 }
      retry: { attempts: "{limit}", delay: 200ms, backoff: exponential }
      timeout: 5m
  - SumPrices:
  - SumPrices: { name: one, depends: [clean, 2], bind: { prices: [{ sku: a, euros: 1 }] }, tags: daily, keep: true }
  - Rename: { bind: { incoming-rows: { sku: 1 }, "out:data": x } }
  - command: { name: tell, command: sh, args: [-c, "echo {today}", 5], depends: [] }
  - group: { name: extras, onError: skip, steps: [ SumPrices, { command: { command: ls } } ] }
  - workflow: { name: nightly, path: nightly.yaml, variables: { a: 1 }, bind: { X: { y: z } } }
events:
  started: [ { log: hello } ]
  failed: [ { webhook: { url: "{env:ALERT_URL}" } }, { webhook: "https://example.org" }, { run: { workflow: x, variables: { a: 1 } } } ]
  succeeded: { delete: [a, b] }
`;

describe('the JSON Schema of definitions', () => {
  it('takes what the checker takes', () => {
    for (const validator of [general, own])
      expect(validator.validate(parse(right)).errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`)).toEqual([]);
  });

  it.each([
    'nam: x',
    'steps: []',
    'name: x\nsteps:\n  - { A: {}, B: {} }',
    'name: x\nsteps: [A]\nevents: { completed: [] }',
    'name: x\nsteps:\n  - A: { timeout: soon }',
    'name: x\nsteps:\n  - A: { onErr: skip }',
    'name: x\nsteps:\n  - group: { steps: [A] }',
    'name: x\nsteps:\n  - A: { bind: { b: { from: c.d, e: 1 } } }',
  ])('refuses %j', (text) => {
    expect(valid(general, text)).toBe(false);
  });

  it('knows the processors of a project, and their ports', () => {
    expect(valid(own, 'name: x\nsteps: [ImportPrice]')).toBe(false);
    expect(valid(own, 'name: x\nsteps:\n  - ImportPrices: { bind: { sorce: a } }')).toBe(false);
    expect(valid(general, 'name: x\nsteps:\n  - ImportPrice: { bind: { sorce: a } }')).toBe(true);
  });

  it('refuses nothing that is wrong for another reason than its shape', () => {
    const meaning = broken.filter(
      ({ text, ext, faults }) =>
        ext === undefined &&
        typeof text === 'string' &&
        faults.every(([code]) =>
          ['STEP_UNKNOWN', 'WORKFLOW_CYCLE', 'PORT_UNBOUND', 'DUPLICATE_NAME', 'BINDING_CONFLICT', 'FILE_UNREADABLE'].includes(code),
        ),
    );
    expect(meaning.length).toBeGreaterThan(8);
    for (const { text, what } of meaning) expect(valid(general, text as string), what).toBe(true);
  });

  it('is published as it is', () => {
    const path = new URL('../../../workflow.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(toJsonSchema())));
  });
});
