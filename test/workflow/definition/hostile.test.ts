import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DefinitionError } from '../../../src/errors.js';
import { loadWorkflow } from '../../../src/workflow/definition/load-workflow.js';
import { parseTemplate } from '../../../src/workflow/definition/template.js';
import { processors, useFolder } from './support.js';

const yaml = `name: w
variables: { base: EUR, source: "{base}.csv" }
steps:
  - ImportPrices: { bind: { source: "file:{source}", rows: raw } }
  - NormalisePrices:
      bind: { raw: { from: ImportPrices.rows } }
      params: { base: "{base}", factor: 2 }
      when: { rows: ImportPrices.rows, above: 0 }
  - group: { name: g, steps: [SumPrices, { command: { command: sh, args: [-c, "echo {today:yyyy}"] } }] }
events:
  failed: [ { log: "{run:id}" } ]
`;
const json = JSON.stringify(
  { name: 'w', steps: [{ ImportPrices: { bind: { source: 'a', rows: 'b' }, retry: { attempts: 2 } } }, 'NormalisePrices'] },
  undefined,
  1,
);
const toml = `name = "w"\n[variables]\na = 1\n[[steps]]\nImportPrices.bind = { source = "a", rows = "b" }\n[[steps]]\n[steps.NormalisePrices]\nparams.base = "{a}"\n`;

/** A text with a few pieces put in, taken out or doubled. */
const mutated = (text: string): fc.Arbitrary<string> => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    "'",
    '- ',
    '\n',
    '\t',
    '  ',
    '&a ',
    '*a',
    '!!x ',
    '|',
    '>',
    '#',
    '%',
    '@',
    '{{',
    '{x}',
    '{env:',
    '__proto__',
    'null',
    '~',
    '\u0000',
    '\uFEFF',
    '\u2028',
    '=',
    '[[',
    'é',
    '\ud83d\ude00',
  );
  const edit = fc.record({ at: fc.nat(text.length), length: fc.nat(8), put: fc.oneof(piece, fc.string({ maxLength: 3 })) });
  return fc
    .array(edit, { minLength: 1, maxLength: 4 })
    .map((edits) => edits.reduce((whole, { at, length, put }) => whole.slice(0, at) + put + whole.slice(at + length), text));
};

describe('any text at all', () => {
  const folder = useFolder();

  it.each([
    ['yaml', yaml],
    ['json', json],
    ['toml', toml],
  ])('is a workflow, or is refused with places and fixes (%s)', async (ext, text) => {
    await fc.assert(
      fc.asyncProperty(mutated(text), async (broken) => {
        const path = folder.write({ [`w.${ext}`]: broken });
        try {
          await loadWorkflow(path, { processors });
        } catch (error) {
          if (!(error instanceof DefinitionError)) throw error;
          expect(error.faults.length).toBeGreaterThan(0);
          for (const { where, fix, message } of error.faults) {
            expect(where[0]).toMatch(/:\d+:\d+$/);
            expect(fix).not.toBe('');
            expect(message).not.toMatch(/undefined|\[object/);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('a text with variables', () => {
  it('falls into parts that make it up again', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('{', '}', '{{', '}}', 'a', '{b}', '{c:d}', ' ')), (pieces) => {
        const text = pieces.join('');
        const parts = parseTemplate(text);
        const plain = parts
          .map((part) => (part.kind === 'text' ? part.text.length : part.written.length))
          .reduce((sum, size) => sum + size, 0);
        expect(plain).toBeLessThanOrEqual(text.length);
        if (!text.includes('{')) expect(parts).toEqual([{ kind: 'text', text }]);
      }),
    );
  });

  it.each([
    ['{{x}', '{x}'],
    ['{{x}}', '{x}'],
    ['a}}b', 'a}}b'],
    ['{{"a": {{"b": 1}}}}', '{"a": {"b": 1}}'],
    ['{{{{', '{{'],
  ])('reads %s as %s', (text, plain) => {
    expect(parseTemplate(text)).toEqual([{ kind: 'text', text: plain }]);
  });
});
