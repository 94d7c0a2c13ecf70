/** What a project that `millrace init` makes is built with, by package, with a range of versions. */
export interface Requirements {
  readonly runtime: Readonly<Record<string, string>>;
  readonly development: Readonly<Record<string, string>>;
}

/** The processor that is in the project. */
export const firstProcessor = 'CleanPrices';

/** The files of a new project, by path. */
export function projectFiles(name: string, { runtime, development }: Requirements): Readonly<Record<string, string>> {
  const manifest = {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    scripts: { start: `millrace run ${firstProcessor}`, test: 'vitest run', check: 'tsc && millrace check' },
    dependencies: runtime,
    devDependencies: development,
  };
  return {
    'package.json': `${JSON.stringify(manifest, undefined, 2)}\n`,
    'tsconfig.json': tsconfig,
    'millrace.config.ts': config(name),
    'src/clean-prices.ts': processor,
    'test/clean-prices.test.ts': test,
    'data/prices.csv': sample,
    '.gitignore': 'node_modules/\n.millrace/\n',
  };
}

const tsconfig = `{
  "compilerOptions": {
    "target": "es2022",
    "module": "nodenext",
    "lib": ["ES2023", "ESNext.Disposable"],
    "types": ["node"],
    "strict": true,
    "experimentalDecorators": true,
    "emitDecoratorMetadata": true,
    "skipLibCheck": true,
    "noEmit": true
  }
}
`;

function config(name: string): string {
  return `import { defineProject } from 'millrace';
import { CleanPrices } from './src/clean-prices.js';

export default defineProject({
  name: '${name}',
  processors: [CleanPrices],
});
`;
}

const processor = `import { IsIn, IsNumber, IsString, Matches, Min } from 'class-validator';
import { Input, Output, Params, Processor, type Reader, type TaskContext, type Writer } from 'millrace';

export class RawPrice {
  @IsString() @Matches(/^[a-z]+-\\d+$/) sku!: string;
  @IsNumber() @Min(0) amount!: number;
  @IsIn(['EUR', 'USD']) currency!: string;
}

export class Price {
  @IsString() sku!: string;
  @IsNumber() euros!: number;
}

export class CleanPricesParams {
  /** Euros for one US dollar. */
  @IsNumber() @Min(0) rate = 0.9;
}

@Processor({ title: 'Clean prices', description: 'Every price in euros; what cannot be used is kept with its reasons.' })
export class CleanPrices {
  @Params({ schema: CleanPricesParams }) readonly params!: CleanPricesParams;

  @Input({ title: 'Raw prices', schema: RawPrice, binding: 'file:data/prices.csv', onInvalid: 'reject', rejects: 'prices_rejects' })
  readonly raw!: Reader<RawPrice>;

  @Output({ title: 'Prices', schema: Price, binding: 'prices' })
  readonly prices!: Writer<Price>;

  async run({ metric }: TaskContext): Promise<void> {
    let converted = 0;
    for await (const { sku, amount, currency } of this.raw) {
      const rate = currency === 'EUR' ? 1 : this.params.rate;
      if (rate !== 1) converted++;
      await this.prices.write({ sku, euros: Math.round(amount * rate * 100) / 100 });
    }
    metric('prices converted', converted);
  }
}
`;

const test = `import { runProcessor } from 'millrace/testing';
import { expect, it } from 'vitest';
import { CleanPrices } from '../src/clean-prices.js';

it('gives every price in euros, and keeps what it cannot use', async () => {
  const { outputs, rejects } = await runProcessor(CleanPrices, {
    params: { rate: 0.5 },
    inputs: {
      raw: [
        { sku: 'pen-1', amount: 3, currency: 'USD' },
        { sku: 'ink-7', amount: 4.2, currency: 'EUR' },
        { sku: 'cap-2', amount: -1, currency: 'EUR' },
      ],
    },
  });
  expect(outputs.prices).toEqual([
    { sku: 'pen-1', euros: 1.5 },
    { sku: 'ink-7', euros: 4.2 },
  ]);
  expect(rejects['raw']).toHaveLength(1);
});
`;

const sample = `sku,amount,currency
pen-1,3.00,USD
pen-2,2.80,EUR
ink-7,12.50,EUR
ink-8,n/a,EUR
cap-1,0.40,USD
cap-2,-1,EUR
nib-3,6.10,USD
Nib 4,6.10,GBP
`;
