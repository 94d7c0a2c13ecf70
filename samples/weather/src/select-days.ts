import { IsInt } from 'class-validator';
import { Input, Output, Params, Processor, type Reader, type Writer } from 'millrace';
import { Day } from './documents.js';

export class SelectDaysParams {
  /** The first year, and the last. */
  @IsInt() from = 2012;
  @IsInt() to = 2015;
}

@Processor({ title: 'Select days', description: 'Days of whole years, so that averages are fair.' })
export class SelectDays {
  @Params({ schema: SelectDaysParams }) readonly params!: SelectDaysParams;
  @Input({ schema: Day }) readonly days!: Reader<Day>;
  @Output({ schema: Day }) readonly selected!: Writer<Day>;

  async run(): Promise<void> {
    const { from, to } = this.params;
    for await (const batch of this.days.batches()) {
      await this.selected.write(batch.filter(({ date }) => date.getUTCFullYear() >= from && date.getUTCFullYear() <= to));
    }
  }
}
