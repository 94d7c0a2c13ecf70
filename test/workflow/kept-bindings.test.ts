import { collection, file, rows } from 'millrace';
import { describe, expect, it } from 'vitest';
import { parseBinding } from '../../src/binding/binding.js';
import { keepBindings, restoreBindings } from '../../src/workflow/kept-bindings.js';

/** As another process has them. */
const elsewhere = (bind: Parameters<typeof keepBindings>[1]) => ({ _id: 'elsewhere', name: 'w', bind: keepBindings('here', bind) });

describe('the bindings of a run that is gone on with', () => {
  it('are those of the run, and in their place what is given now', () => {
    const bind = {
      import: { from: 'prices@warehouse', to: file('out.csv', { format: 'tsv' }) },
      clean: { from: collection('raw', { filter: { n: 1 }, store: 'other' }), to: parseBinding('file:x.csv', '/data') },
    };
    const restored = restoreBindings(elsewhere(bind), { clean: { from: 'mine' } });
    // bindings show by methods of their own what they are: the rest of them is data
    expect(JSON.stringify(restored)).toBe(JSON.stringify({ import: bind.import, clean: { from: 'mine', to: bind.clean.to } }));
    expect(String(restored['clean']?.['to'])).toBe('file:x.csv');
  });

  it('are given again where no record keeps them', () => {
    const bind = {
      import: { from: rows(() => []), to: 'out', params: { token: 'secret' } },
      tell: { to: 'file:https://me:word@host/x.csv' },
    };
    const record = elsewhere(bind);
    expect(JSON.stringify(record)).not.toMatch(/secret|word/);
    expect(() => restoreBindings(record, { import: { from: [] } })).toThrow(
      "run elsewhere of workflow 'w' was given bindings of its own for 'import.params', 'tell.to', which no record keeps",
    );
    expect(restoreBindings(record, { import: { from: [], params: {} }, tell: { to: 'x' } })).toEqual({
      import: { from: [], to: 'out', params: {} },
      tell: { to: 'x' },
    });
  });

  it('are remembered by the process that ran it', () => {
    const bind = { import: { from: [{ n: 1 }] } };
    expect(restoreBindings({ _id: 'run', name: 'w', bind: keepBindings('run', bind) })).toEqual(bind);
  });
});
