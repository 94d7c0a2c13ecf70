import 'reflect-metadata';
import { IsNumber, IsString, Min } from 'class-validator';
import { Input, Output, Params, Processor, type Reader, type Writer } from 'millrace';

export class Item {
  @IsString() sku!: string;
  @IsNumber() @Min(0) amount!: number;
}
export const item = (sku: string, amount = 1): Item => ({ sku, amount });
export const items = (count: number): Item[] => Array.from({ length: count }, (_, index) => item(`s${String(index)}`, index));
/** Not an Item, for all that TypeScript knows. */
export const bad = (sku: string): Item => ({ sku, amount: -1 });

export class CopyParams {
  @IsString() mark = '';
}

/** Copies its input, row by row or whole. */
@Processor()
export class Copy {
  @Params({ schema: CopyParams }) readonly params!: CopyParams;
  @Input({ schema: Item, binding: 'items' }) readonly from!: Reader<Item>;
  @Output({ schema: Item, binding: 'copies' }) readonly to!: Writer<Item>;
  async run(): Promise<void> {
    await this.to.write(this.from);
  }
}

@Processor()
export class Rejecting {
  @Input({ schema: Item, binding: 'items', onInvalid: 'reject' }) readonly from!: Reader<Item>;
  @Output({ schema: Item, binding: 'copies' }) readonly to!: Writer<Item>;
  async run(): Promise<void> {
    for await (const row of this.from) await this.to.write(row);
  }
}
