import { fileURLToPath } from 'node:url';
import { file, workflow } from 'millrace';
import { CompareCities } from './compare-cities.js';
import { FindExtremes } from './find-extremes.js';
import { ReadDays } from './read-days.js';
import { SelectDays } from './select-days.js';
import { SumRain } from './sum-rain.js';

/** Wherever it is run from: in TypeScript relative paths are relative to the working directory. */
const days = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/weather.csv', import.meta.url));

/** The same as weather.yaml says. */
export const weather = workflow('weather-in-typescript', (w) => {
  const read = w.step(ReadDays, { bind: { source: file(days) } });
  const select = w.step(SelectDays, { bind: { days: read.output('days') }, keep: true });
  const rain = w.step(SumRain, { bind: { days: select.output('selected') } });
  const extremes = w.step(FindExtremes, { bind: { days: select.output('selected') } });
  w.step(CompareCities, { bind: { rain: rain.output('months'), extremes: extremes.output('extremes') } });
});
