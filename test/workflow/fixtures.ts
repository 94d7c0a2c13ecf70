import 'reflect-metadata';
import { Input, NonRetryableError, Output, Processor, type Reader, type Writer } from 'millrace';

export interface Item {
  n: number;
}
export const items = (count: number, from = 0): Item[] => Array.from({ length: count }, (_, at) => ({ n: from + at }));

/** Writes what it reads. */
@Processor()
export class Copy {
  @Input() readonly from!: Reader<Item>;
  @Output() readonly to!: Writer<Item>;
  async run(): Promise<void> {
    for await (const batch of this.from.batches()) await this.to.write([...batch]);
  }
}

/** Reads to the end. */
@Processor()
export class Drain {
  @Input() readonly from!: Reader<Item>;
  async run(): Promise<void> {
    for await (const _batch of this.from.batches());
  }
}

/** Reads two inputs, one after the other. */
@Processor()
export class Join {
  @Input() readonly left!: Reader<Item>;
  @Input() readonly right!: Reader<Item>;
  @Output() readonly to!: Writer<Item>;
  async run(): Promise<void> {
    for await (const batch of this.left.batches()) await this.to.write([...batch]);
    for await (const batch of this.right.batches()) await this.to.write([...batch]);
  }
}

@Processor()
export class Idle {
  async run(): Promise<void> {
    // nothing to do
  }
}

/** Fails when it has read everything. */
@Processor()
export class Broken {
  @Input({ optional: true }) readonly from!: Reader<Item>;
  @Output({ optional: true }) readonly to!: Writer<Item>;
  async run(): Promise<void> {
    for await (const batch of this.from.batches()) await this.to.write([...batch]);
    throw new NonRetryableError('broken');
  }
}
