// Each of these must not compile: mistakes.test.ts takes the comments away and looks where errors come up.
/* eslint-disable @typescript-eslint/no-unused-expressions, @typescript-eslint/no-unsafe-call -- mistakes */
import 'reflect-metadata';
import {
  createApp,
  createContainer,
  Depends,
  Input,
  Output,
  Params,
  Processor,
  resource,
  Scope,
  token,
  workflow,
  type Reader,
  type Writer,
} from 'millrace';
import { runProcessor } from 'millrace/testing';
import { NormalisePrices, Price, PriceParams, RateTable, rateTable, RawPrice } from './cases/prices.js';
import { cleaning, ImportPrices, SumPrices } from './cases/workflow.js';

const count = resource(() => 1);
const clock = token<{ now(): Date }>('clock');

@Processor()
export class Mistakes {
  // @ts-expect-error the field's document is not the schema's
  @Input({ schema: RawPrice }) a!: Reader<Price>;
  // @ts-expect-error narrower than the schema
  @Input({ schema: Price }) b!: Reader<Price & { extra: number }>;
  // @ts-expect-error an input is read
  @Input({ schema: Price }) c!: Writer<Price>;
  // @ts-expect-error an input is read, with or without a schema
  @Input() d!: Writer<Price>;
  // @ts-expect-error an output is written
  @Output({ schema: Price }) e!: Reader<Price>;
  // @ts-expect-error not the class of the parameters
  @Params({ schema: PriceParams }) f!: Price;
  // @ts-expect-error the resource gives another type
  @Depends(Scope.Worker, count) g!: RateTable;
  // @ts-expect-error no such scope
  @Depends('worker', rateTable) h!: RateTable;
  constructor(
    // @ts-expect-error the resource gives another type
    @Depends(Scope.Task, count) readonly i: RateTable,
  ) {}
}

export async function main(): Promise<void> {
  const app = await createApp();
  const task = app.task(NormalisePrices);
  // @ts-expect-error no such port
  task.bind({ row: [] });
  // @ts-expect-error rows of another type
  task.bind({ raw: [{ sku: 1 }] });
  // @ts-expect-error an output takes no single row
  task.bind({ prices: { sku: 'a', euros: 1 } });
  // @ts-expect-error not an input
  task.bindInput('prices', []);
  // @ts-expect-error not a parameter
  task.bindParams({ bass: 'EUR' });
  workflow('w', (w) => {
    const imported = w.step(ImportPrices);
    // @ts-expect-error the link carries another document
    w.step(SumPrices, { bind: { prices: imported.output('rows') } });
    // @ts-expect-error no such output
    imported.output('source');
  });
  // @ts-expect-error not what the token stands for
  createContainer({ provide: [[clock, { now: () => 1 }]] });
  // @ts-expect-error the fake does not fit
  app.override(rateTable, { of: () => 'x' });
  // @ts-expect-error the fake does not fit
  await runProcessor(NormalisePrices, { depends: [[rateTable, { of: () => 'x' }]] });
  // @ts-expect-error rows of another type
  await runProcessor(NormalisePrices, { inputs: { raw: [{ sku: 1 }] } });
  const { outputs } = await runProcessor(NormalisePrices);
  // @ts-expect-error no such output
  outputs.raw;
}

class Logger {
  write(): void {}
}
resource([Logger, [Scope.Worker, clock]], (logger, now) => {
  logger.write();
  // @ts-expect-error a Clock has no such method
  now.later();
  return now.now();
});
// @ts-expect-error no such scope
resource([['SOON', clock]], () => 1);

// @ts-expect-error an action takes a TaskContext
@Processor()
export class WrongAction {
  run(_rows: string[]): void {}
}

workflow('outer', (w) => {
  const inner = w.workflow(cleaning);
  // @ts-expect-error no such output
  inner.output('rows');
  // @ts-expect-error the link carries another document
  w.step(ImportPrices, { bind: { source: inner.output('prices') } });
});

class Greeter {
  greet(): string {
    return '';
  }
}
class Unrelated {
  other = 1;
}
class LoudGreeter extends Greeter {
  shout(): void {}
}
// a subtype, a class and a resource of one are all welcome
createContainer({
  provide: [
    [Greeter, LoudGreeter],
    [Greeter, new LoudGreeter()],
    [Greeter, resource(() => new LoudGreeter())],
  ],
});
// @ts-expect-error not a Greeter
createContainer({ provide: [[Greeter, 42]] });
// @ts-expect-error not a Greeter
createContainer({ provide: [[Greeter, Unrelated]] });
// @ts-expect-error not a Greeter
createContainer({ provide: [[Greeter, resource(() => new Unrelated())]] });
