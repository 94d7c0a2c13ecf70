import { workflow } from 'millrace';
import { CompareCities } from './compare-cities.js';
import { FindExtremes } from './find-extremes.js';
import { ReadDays } from './read-days.js';
import { SelectDays } from './select-days.js';
import { SumRain } from './sum-rain.js';

/** The same as weather.yaml says. */
export const weather = workflow('weather-in-typescript', (w) => {
  const read = w.step(ReadDays, { bind: { source: 'file:node_modules/vega-datasets/data/weather.csv' } });
  const select = w.step(SelectDays, { bind: { days: read.output('days') }, keep: true });
  const rain = w.step(SumRain, { bind: { days: select.output('selected') } });
  const extremes = w.step(FindExtremes, { bind: { days: select.output('selected') } });
  w.step(CompareCities, { bind: { rain: rain.output('months'), extremes: extremes.output('extremes') } });
});
