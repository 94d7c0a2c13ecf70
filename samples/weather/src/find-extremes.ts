import { Input, Output, Processor, type Reader, type Writer } from 'millrace';
import { Day, Extremes } from './documents.js';

@Processor({ title: 'Find extremes', description: 'The warmest and the coldest day of each city.' })
export class FindExtremes {
  @Input({ schema: Day }) readonly days!: Reader<Day>;
  @Output({ schema: Extremes, binding: 'extremes' }) readonly extremes!: Writer<Extremes>;

  async run(): Promise<void> {
    const cities = new Map<string, Extremes>();
    for await (const { city, date, warmest, coldest } of this.days) {
      const known = cities.get(city) ?? { city, warmest: -Infinity, warmestOn: date, coldest: Infinity, coldestOn: date };
      if (warmest > known.warmest) Object.assign(known, { warmest, warmestOn: date });
      if (coldest < known.coldest) Object.assign(known, { coldest, coldestOn: date });
      cities.set(city, known);
    }
    await this.extremes.write([...cities.values()]);
  }
}
