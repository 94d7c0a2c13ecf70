import { Input, Output, Processor, type Reader, type Writer } from 'millrace';
import { Day, RawDay } from './documents.js';

@Processor({ title: 'Read days', description: 'Days of the file with the names that we use.', tags: ['daily'] })
export class ReadDays {
  @Input({ schema: RawDay, onInvalid: 'reject', rejects: 'day_rejects' }) readonly source!: Reader<RawDay>;
  @Output({ schema: Day }) readonly days!: Writer<Day>;

  async run(): Promise<void> {
    for await (const batch of this.source.batches()) {
      await this.days.write(
        batch.map((raw) => ({
          city: raw.location,
          date: raw.date,
          rain: raw.precipitation,
          warmest: raw.temp_max,
          coldest: raw.temp_min,
          kind: raw.weather,
        })),
      );
    }
  }
}
