import { Depends, Input, Output, Processor, resource, Scope, type Reader, type Writer } from 'millrace';
import { CityReport, Extremes, MonthOfRain } from './documents.js';

/** What people say of a city; in earnest it would come from somewhere that is not always there. */
export class Notes {
  async of(city: string): Promise<string | undefined> {
    return { Seattle: 'Umbrellas are for visitors.' }[city];
  }
}
export const notes = resource((): Notes => new Notes());

@Processor({ title: 'Compare cities', description: 'Rain and temperatures side by side.' })
export class CompareCities {
  @Input({ schema: MonthOfRain }) readonly rain!: Reader<MonthOfRain>;
  @Input({ schema: Extremes }) readonly extremes!: Reader<Extremes>;
  @Output({ schema: CityReport, binding: 'cities' }) readonly cities!: Writer<CityReport>;
  @Depends(Scope.Worker, notes) readonly notes!: Notes;

  async run(): Promise<void> {
    const months = await this.rain.toArray();
    for await (const { city, warmest, coldest } of this.extremes) {
      const own = months.filter((month) => month.city === city);
      const wettest = own.reduce((most, month) => (month.rain > most.rain ? month : most), { month: 1, rain: 0 });
      const total = own.reduce((sum, { rain }) => sum + rain, 0);
      const note = await this.notes.of(city);
      await this.cities.write({
        city,
        wettestMonth: wettest.month,
        rainAYear: Math.round(total),
        span: Math.round(10 * (warmest - coldest)) / 10,
        ...(note === undefined ? {} : { note }),
      });
    }
  }
}
