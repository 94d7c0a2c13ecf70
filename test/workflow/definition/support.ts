import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { IsBoolean, IsDate, IsIn, IsNumber, IsOptional, IsString, Min } from 'class-validator';
import { Input, Output, Params, Processor, Secret, type Reader, type Writer } from 'millrace';
import { afterAll, beforeAll } from 'vitest';
import { DefinitionError, type Fault } from '../../../src/errors.js';

export class RawPrice {
  @IsString() sku!: string;
  @IsNumber() @Min(0) amount!: number;
}
export class Price {
  @IsString() sku!: string;
  @IsNumber() euros!: number;
}
export class Total {
  @IsString() name!: string;
  @IsNumber() euros!: number;
}
export class CleanParams {
  @IsString() base = 'EUR';
  @IsNumber() factor = 2;
  @IsOptional() @IsDate() since?: Date;
  @IsOptional() @IsBoolean() strict?: boolean;
  @IsOptional() @IsIn(['all', 'some']) mode?: string;
  @IsOptional() @IsString() @Secret() token?: string;
}
export class NeedyParams {
  @IsNumber() limit!: number;
}

@Processor({ tags: ['daily'] })
export class ImportPrices {
  @Input({ schema: RawPrice }) readonly source!: Reader<RawPrice>;
  @Output({ schema: RawPrice }) readonly rows!: Writer<RawPrice>;
  async run(): Promise<void> {
    await this.rows.write(this.source);
  }
}

@Processor()
export class NormalisePrices {
  @Params({ schema: CleanParams }) readonly params!: CleanParams;
  @Input({ schema: RawPrice }) readonly raw!: Reader<RawPrice>;
  @Output({ schema: Price, binding: 'prices' }) readonly prices!: Writer<Price>;
  async run(): Promise<void> {
    for await (const { sku, amount } of this.raw)
      await this.prices.write({ sku: `${sku}${this.params.base}`, euros: amount * this.params.factor });
  }
}

@Processor()
export class SumPrices {
  @Input({ schema: Price }) readonly prices!: Reader<Price>;
  @Output({ schema: Total, binding: 'totals' }) readonly totals!: Writer<Total>;
  async run(): Promise<void> {
    let euros = 0;
    for await (const price of this.prices) euros += price.euros;
    await this.totals.write({ name: 'all', euros });
  }
}

/** Ports whose own names differ from their properties, and an input and an output of one name. */
@Processor()
export class Rename {
  @Input({ name: 'incoming-rows' }) readonly from!: Reader<object>;
  @Input({ name: 'data', optional: true }) readonly more!: Reader<object>;
  @Output({ name: 'data' }) readonly to!: Writer<object>;
  async run(): Promise<void> {
    await this.to.write(this.from);
  }
}

@Processor()
export class Needy {
  @Params({ schema: NeedyParams }) readonly params!: NeedyParams;
}

@Processor()
export class Keep {
  @Input({ readOnly: true }) readonly kept!: Reader<object>;
  run(): void {
    // only its port is looked at
  }
}

export const processors = [ImportPrices, NormalisePrices, SumPrices, Rename, Needy, Keep];

/** A folder for the tests of a `describe`. */
export function useFolder(): { readonly path: string; write(files: Readonly<Record<string, string | Uint8Array>>): string } {
  let path = '';
  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'millrace-definition-'));
  });
  afterAll(() => {
    rmSync(path, { recursive: true });
  });
  let next = 0;
  return {
    get path() {
      return path;
    },
    /** Answers the path of the first. */
    write(files) {
      const folder = join(path, String(next++));
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      return join(folder, Object.keys(files)[0] ?? '');
    },
  };
}

/** The faults that something is refused with. */
export async function faultsOf(refused: Promise<unknown>): Promise<readonly Fault[]> {
  try {
    await refused;
  } catch (error) {
    if (error instanceof DefinitionError) return error.faults;
    throw error;
  }
  throw new Error('nothing was refused');
}
