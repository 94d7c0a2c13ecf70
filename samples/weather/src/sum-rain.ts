import { Input, Output, Processor, type Reader, type Writer } from 'millrace';
import { Day, MonthOfRain } from './documents.js';

@Processor({ title: 'Sum rain', description: 'The rain of each month in an average year.' })
export class SumRain {
  @Input({ schema: Day }) readonly days!: Reader<Day>;
  @Output({ schema: MonthOfRain, binding: 'rain' }) readonly months!: Writer<MonthOfRain>;

  async run(): Promise<void> {
    const cities = new Map<string, { readonly months: number[]; readonly years: Set<number> }>();
    for await (const { city, date, rain } of this.days) {
      const { months, years } = cities.get(city) ?? { months: new Array<number>(12).fill(0), years: new Set<number>() };
      months[date.getUTCMonth()] = (months[date.getUTCMonth()] ?? 0) + rain;
      cities.set(city, { months, years: years.add(date.getUTCFullYear()) });
    }
    for (const [city, { months, years }] of cities) {
      await this.months.write(months.map((rain, index) => ({ city, month: index + 1, rain: Math.round((10 * rain) / years.size) / 10 })));
    }
  }
}
