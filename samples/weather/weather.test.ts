import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, embeddedStore, memoryStore, type App } from 'millrace';
import { runProcessor } from 'millrace/testing';
import { afterAll, describe, expect, it } from 'vitest';
import project from './millrace.config.js';
import { notes, Notes } from './src/compare-cities.js';
import { SumRain } from './src/sum-rain.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-weather-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const cities = [
  { city: 'New York', wettestMonth: 6, rainAYear: expect.any(Number) as number, span: expect.any(Number) as number },
  {
    city: 'Seattle',
    wettestMonth: 11,
    rainAYear: expect.any(Number) as number,
    span: expect.any(Number) as number,
    note: 'Umbrellas are for visitors.',
  },
];
const rows = async (app: App, name: string): Promise<object[]> =>
  app
    .store()
    .find<object>(name, { projection: { _id: 0 }, sort: { city: 1, month: 1 } })
    .toArray();

describe('SumRain', () => {
  it('averages the rain of each month over the years', async () => {
    const day = (date: string, rain: number) => ({ city: 'Here', date: new Date(date), rain, warmest: 2, coldest: 1, kind: 'rain' });
    const { outputs } = await runProcessor(SumRain, {
      inputs: { days: [day('2012-01-01', 4), day('2012-01-09', 2), day('2013-01-01', 1)] },
    });
    expect(outputs.months.slice(0, 2)).toEqual([
      { city: 'Here', month: 1, rain: 3.5 },
      { city: 'Here', month: 2, rain: 0 },
    ]);
  });
});

describe('the weather', () => {
  it('is the same from YAML and from TypeScript', async () => {
    await using app = await createApp({ project, stores: { default: memoryStore() }, log: 'silent' });
    const results: Record<string, object[]>[] = [];
    for (const name of ['weather', 'weather-in-typescript']) {
      const { status, steps } = await app.workflow(name).run();
      expect([status, Object.values(steps).map((step) => step.status)]).toEqual(['succeeded', new Array(5).fill('succeeded')]);
      results.push({ cities: await rows(app, 'cities'), rain: await rows(app, 'rain'), extremes: await rows(app, 'extremes') });
    }
    expect(results[0]).toEqual(results[1]);
    expect(results[0]?.['cities']).toMatchObject(cities);
    expect(results[0]?.['rain']).toHaveLength(24);
  });

  it('takes years as variables', async () => {
    await using app = await createApp({ project, stores: { default: memoryStore() }, log: 'silent' });
    const { steps } = await app.workflow('weather').run({ variables: { from: 2015 } });
    expect(steps['SelectDays']?.result?.outputs['selected']?.rows).toBe(730);
  });

  it('goes on after a step that failed, and ends with the same rows', async () => {
    await using undisturbed = await createApp({ project, stores: { default: memoryStore() }, log: 'silent' });
    await undisturbed.workflow('weather').run();

    await using app = await createApp({ project, stores: { default: embeddedStore({ path: folder }) }, log: 'silent' });
    const workflow = app.workflow('weather');
    const broken = new Notes();
    broken.of = () => Promise.reject(new Error('nobody answers'));
    const restore = app.override(notes, broken);
    await expect(workflow.run()).rejects.toMatchObject({
      code: 'WORKFLOW_FAILED',
      message: expect.stringContaining('nobody answers') as string,
    });
    restore[Symbol.dispose]();

    const { status, steps } = await workflow.resume();
    expect(status).toBe('succeeded');
    expect(Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, step.status]))).toEqual({
      ReadDays: 'reused',
      SelectDays: 'reused',
      SumRain: 'reused',
      FindExtremes: 'reused',
      CompareCities: 'succeeded',
    });
    for (const name of ['cities', 'rain', 'extremes']) expect(await rows(app, name)).toEqual(await rows(undisturbed, name));
  });
});
