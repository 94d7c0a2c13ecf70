import { defineProject } from 'millrace';
import { CompareCities } from './src/compare-cities.js';
import { FindExtremes } from './src/find-extremes.js';
import { ReadDays } from './src/read-days.js';
import { SelectDays } from './src/select-days.js';
import { SumRain } from './src/sum-rain.js';
import { weather } from './src/weather.js';

export default defineProject({
  name: 'weather',
  title: 'Weather',
  description: 'A workflow twice: in YAML and in TypeScript.',
  processors: [ReadDays, SelectDays, SumRain, FindExtremes, CompareCities],
  workflows: ['weather.yaml', weather],
});
