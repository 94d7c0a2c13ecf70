import 'reflect-metadata';
import { createApp, DefinitionError, memoryStore, workflow } from 'millrace';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleaning, main, pricing, summing } from '../types/cases/workflow.js';

describe('the workflow that the design shows', () => {
  const before = process.cwd();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-cases-'));
    writeFileSync(join(folder, 'prices.csv'), 'sku,amount,currency\na,2,USD\nb,3,EUR\n');
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });

  it('runs', async () => {
    expect(await main()).toMatchObject([{ name: 'all' }]);
  });

  it('tells its steps, what comes before each, and draws itself', () => {
    expect(pricing.steps).toEqual([
      { name: 'ImportPrices', processor: 'ImportPrices', after: [] },
      { name: 'clean', processor: 'NormalisePrices', after: ['ImportPrices'] },
      { name: 'SumPrices', processor: 'SumPrices', after: ['clean'] },
      { name: 'again', processor: 'SumPrices', after: ['clean', 'ImportPrices'] },
    ]);
    expect(pricing.toMermaid()).toContain('s1 -->|"prices"| s2');
    expect(JSON.parse(JSON.stringify(pricing))).toMatchObject({
      name: 'pricing',
      steps: [{ name: 'ImportPrices', tags: ['daily'] }, {}, {}, {}],
    });
    expect(Object.isFrozen(pricing) && Object.isFrozen(pricing.steps)).toBe(true);
  });

  it('runs within another', async () => {
    expect(cleaning.outputs.prices).toMatchObject({ kind: 'link', step: 'NormalisePrices', port: 'prices' });
    expect(summing.steps.map(({ name }) => name)).toEqual(['cleaning/NormalisePrices', 'SumPrices']);
    await using app = await createApp({ workflows: [summing], stores: { default: memoryStore() }, log: 'silent' });
    const { steps } = await app.workflow('summing').run();
    expect(steps['SumPrices']?.status).toBe('succeeded');
    expect(await app.store().find('totals').toArray()).toMatchObject([{ name: 'all', euros: 0 }]);
  });

  it('is refused whole where it cannot be', () => {
    expect(() => workflow('empty', () => undefined)).toThrow(DefinitionError);
  });
});
