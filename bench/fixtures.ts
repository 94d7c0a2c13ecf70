import 'reflect-metadata';
import { IsInt, IsNumber, IsString, Min } from 'class-validator';
import { Depends, Input, Output, Processor, resource, Scope, type Reader, type Writer } from 'millrace';

export class Sale {
  @IsInt() id!: number;
  @IsString() product!: string;
  @IsNumber() @Min(0) price!: number;
}

export function* sales(count: number): Generator<Sale> {
  for (let id = 0; id < count; id++) yield sale(id);
}
export function sale(id: number): Sale {
  return { id, product: `product ${String(id % 1000)}`, price: (id % 997) / 10 };
}

export const session = resource(function* session() {
  yield { open: true };
});

@Processor()
export class NoOp {
  @Depends(Scope.Task, session) readonly session!: { open: boolean };
  run(): void {
    // what is measured is everything round it
  }
}

@Processor()
export class CopyBatches {
  @Input() readonly from!: Reader<Sale>;
  @Output() readonly to!: Writer<Sale>;
  async run(): Promise<void> {
    for await (const batch of this.from.batches()) await this.to.write(batch);
  }
}

@Processor()
export class CopyRows {
  @Input() readonly from!: Reader<Sale>;
  @Output() readonly to!: Writer<Sale>;
  async run(): Promise<void> {
    for await (const row of this.from) await this.to.write(row);
  }
}

@Processor()
export class CopyChecked {
  @Input({ schema: Sale }) readonly from!: Reader<Sale>;
  @Output() readonly to!: Writer<Sale>;
  async run(): Promise<void> {
    for await (const batch of this.from.batches()) await this.to.write(batch);
  }
}

/** A transformation, so that rows written are not rows read. */
@Processor()
export class Reprice {
  @Input() readonly from!: Reader<Sale>;
  @Output() readonly to!: Writer<Sale>;
  async run(): Promise<void> {
    for await (const batch of this.from.batches(1000)) await this.to.write(batch.map(reprice));
  }
}
export function reprice({ id, product, price }: Sale): Sale {
  return { id, product, price: price * 1.1 };
}

@Processor()
export class UpsertBatches {
  @Input() readonly from!: Reader<Sale>;
  @Output({ mode: 'upsert', key: 'id' }) readonly to!: Writer<Sale>;
  async run(): Promise<void> {
    for await (const batch of this.from.batches()) await this.to.write(batch);
  }
}
