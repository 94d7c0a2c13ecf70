import { describe, expect, it } from 'vitest';
import { loadWorkflow } from '../../../src/workflow/definition/load-workflow.js';
import { broken } from './broken.js';
import { faultsOf, processors, useFolder } from './support.js';

describe('a broken definition file', () => {
  const folder = useFolder();

  it.each(broken)('is told at its place: $what', async ({ text, ext = '.yaml', faults: expected, says, besides = {} }) => {
    const path = folder.write({ [`broken${ext}`]: text, ...besides });
    const faults = await faultsOf(loadWorkflow(path, { processors }));
    const places = faults.map(({ code, where }) => {
      const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(where[0] ?? '') ?? [];
      return [code, Number(line), Number(column), file === path] as const;
    });
    const found = places.map(([code, line, column]) => [code, line, column]);
    expect([...found].sort(), JSON.stringify(faults, null, 1)).toEqual([...expected].sort());
    expect(places.filter(([, , , own]) => !own).length).toBeLessThanOrEqual(Object.keys(besides).length);
    for (const fault of faults) {
      expect(fault.fix).toMatch(/\S.*[.?]\)?$/);
      expect(fault.message).not.toMatch(/undefined|\[object|\bat .*[.]js\b/);
    }
    if (says !== undefined) expect(faults.map(({ message, fix }) => `${message} ${fix}`).join('\n')).toContain(says);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
