// A process that publishes again and again: publisher URL DATABASE NAME RUNS ROWS two|one LEASE
import { once } from 'node:events';

import { IsInt, IsString } from 'class-validator';
import 'reflect-metadata';

import { Output } from '../../../src/decorators/output.js';
import { Params } from '../../../src/decorators/params.js';
import { Processor } from '../../../src/decorators/processor.js';
import { createApp } from '../../../src/project/create-app.js';
import { mongoStore } from '../../../src/storage/open.js';
import type { TaskContext, Writer } from '../../../src/types.js';

const [url = '', database = '', name = '', runs = '1', rows = '100', mode = 'two', lease = '30000'] = process.argv.slice(2);

class Row {
  @IsInt() k!: number;
  @IsString() run!: string;
}
class Which {
  @IsString() run = '';
}

@Processor({ name: 'PublishTwo' })
class PublishTwo {
  @Params({ schema: Which }) readonly params!: Which;
  @Output({ schema: Row, binding: 'replaced' }) readonly replaced!: Writer<Row>;
  @Output({ schema: Row, binding: 'upserted', mode: 'upsert', key: 'k' }) readonly upserted!: Writer<Row>;

  async run(_context: TaskContext): Promise<void> {
    for (let k = 0; k < Number(rows); k++) {
      await this.replaced.write({ k, run: this.params.run });
      await this.upserted.write({ k, run: this.params.run });
    }
  }
}

@Processor({ name: 'PublishOne' })
class PublishOne {
  @Params({ schema: Which }) readonly params!: Which;
  @Output({ schema: Row, binding: 'replaced' }) readonly replaced!: Writer<Row>;

  async run(): Promise<void> {
    for (let k = 0; k < Number(rows); k++) await this.replaced.write({ k, run: this.params.run });
  }
}

const app = await createApp({
  processors: [PublishTwo, PublishOne],
  stores: { default: mongoStore({ url, database, lease: Number(lease) }) },
  log: 'silent',
});
console.log('ready');
await once(process.stdin, 'data'); // the word to begin
for (let run = 0; run < Number(runs); run++) {
  const params = { run: `${name}-${String(run)}` };
  const task = mode === 'two' ? app.task(PublishTwo).bind({ params }) : app.task(PublishOne).bind({ params });
  try {
    const { runId } = await task.run();
    console.log(`published ${params.run} ${runId}`);
  } catch (error) {
    console.log(
      `failed ${params.run} ${(error as { cause?: unknown }).cause instanceof Error ? ((error as Error).cause as Error).message : (error as Error).message}`,
    );
    process.exitCode = 1;
  }
}
await app.close();
process.stdin.destroy();
