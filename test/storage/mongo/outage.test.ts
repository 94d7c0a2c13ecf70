import { setTimeout as sleep } from 'node:timers/promises';
import { IsInt, IsString } from 'class-validator';
import { expect, it } from 'vitest';

import { Input } from '../../../src/decorators/input.js';
import { Output } from '../../../src/decorators/output.js';
import { Params } from '../../../src/decorators/params.js';
import { Processor } from '../../../src/decorators/processor.js';
import { MillraceError, TaskError } from '../../../src/errors.js';
import { createApp } from '../../../src/project/create-app.js';
import { mongoStore } from '../../../src/storage/open.js';
import type { Store } from '../../../src/storage/store.js';
import type { Reader, Writer } from '../../../src/types.js';
import { Proxy } from './proxy.js';
import { describeMongo } from './server.js';

const inCi = (process.env['CI'] ?? '') !== '';
/** MILLRACE_CUTS says otherwise. */
const cuts = Number(process.env['MILLRACE_CUTS'] ?? (inCi ? 24 : 6));
const rows = 6000;
const keys = 500;
/** Milliseconds. */
const timeout = 8000;
/** What a run may take beyond its time-out to say how it ended: closing, and the publish that is under way. */
const grace = 22_000;

class Source {
  @IsInt() n!: number;
}
class Result {
  @IsInt() n!: number;
  @IsString() run!: string;
}
class Which {
  @IsString() run = '';
}

@Processor({ timeout })
class Copy {
  @Params({ schema: Which }) readonly params!: Which;
  @Input({ schema: Source, binding: 'source' }) readonly source!: Reader<Source>;
  @Output({ schema: Result, binding: 'replaced' }) readonly replaced!: Writer<Result>;
  @Output({ schema: Result, binding: 'upserted', mode: 'upsert', key: 'n' }) readonly upserted!: Writer<Result>;

  async run(): Promise<void> {
    const { run } = this.params;
    for await (const batch of this.source.batches()) {
      await this.replaced.write(batch.map(({ n }) => ({ n, run })));
      await this.upserted.write(batch.filter(({ n }) => n < keys).map(({ n }) => ({ n, run })));
    }
  }
}

type Fault = 'cut' | 'reset' | 'stall' | 'gone';
const faults: readonly Fault[] = ['cut', 'reset', 'stall', 'gone'];

describeMongo('A run whose connection to MongoDB fails', ({ open, db, url, database }) => {
  it(
    `ends within its time-out, and leaves its outputs as they were or as they should be, at ${String(cuts)} random instants`,
    async () => {
      const direct = open();
      await direct.insert(
        'source',
        Array.from({ length: rows }, (_, n) => ({ n })),
      );
      await using proxy = new Proxy(url);
      await proxy.listen();
      const ended: Record<string, number> = {};
      let longest = 0;
      let late = 0;
      await runOnce(proxy, 'first');
      const start = performance.now();
      await runOnce(proxy, 'second');
      const took = performance.now() - start;
      for (let at = 0, hits = 0; hits < cuts; at++) {
        const fault = faults[at % faults.length] as Fault;
        let running = true;
        const injected = inject(proxy, fault, 0.9 * Math.random() * took, () => {
          if (running) hits++;
          else late++;
        });
        const start = performance.now();
        const outcome = await runOnce(proxy, `run-${String(at)}`);
        running = false;
        const ms = performance.now() - start;
        longest = Math.max(longest, ms);
        expect(ms, `${fault}: ${outcome}`).toBeLessThan(timeout + grace);
        await injected;
        const held = await settled(direct);
        if (outcome === 'succeeded') expect(held).toBe(`run-${String(at)}`);
        const how = `${fault}: ${outcome}${outcome !== 'succeeded' && held === `run-${String(at)}` ? ', but published' : ''}`;
        ended[how] = (ended[how] ?? 0) + 1;
        if (ms > 6000) console.log(`${how} after ${(ms / 1000).toFixed(1)} s`);
      }
      console.log(
        `the longest run took ${(longest / 1000).toFixed(1)} s; ${String(late)} more faults came when the run had ended; ${JSON.stringify(ended, undefined, 1)}`,
      );
    },
    60_000 + cuts * (timeout + grace),
  );

  async function runOnce(proxy: Proxy, run: string): Promise<string> {
    const options = 'serverSelectionTimeoutMS=1500&connectTimeoutMS=1000&socketTimeoutMS=2000&heartbeatFrequencyMS=1000';
    const store = mongoStore({ url: `mongodb://127.0.0.1:${String(proxy.port)}/?${options}`, database, lease: 1500 });
    await using app = await createApp({ processors: [Copy], stores: { default: store }, log: 'silent' });
    try {
      await app.task(Copy).bind({ params: { run } }).run();
      return 'succeeded';
    } catch (error) {
      expect(error).toBeInstanceOf(TaskError);
      const { code, cause } = error as TaskError;
      if (code === 'TASK_TIMEOUT') return code;
      expect(cause, String((error as Error).stack)).toBeInstanceOf(MillraceError);
      const { code: why, message } = cause as MillraceError;
      expect(['STORE_UNAVAILABLE', 'COLLECTION_REPLACED'], message).toContain(why);
      expect(message).toMatch(/127\.0\.0\.1:\d+.* while |stage/);
      return why;
    }
  }

  async function inject(proxy: Proxy, fault: Fault, after: number, begins: () => void): Promise<void> {
    await sleep(after);
    begins();
    const lasts = Math.random() * 3000;
    if (fault === 'cut' || fault === 'reset') {
      proxy.cut(fault === 'reset');
    } else if (fault === 'stall') {
      proxy.stall();
      await sleep(lasts);
      proxy.resume();
    } else {
      await proxy.leave();
      await sleep(lasts);
      await proxy.listen();
    }
  }

  /** Waits until nobody has anything left to do; answers which run the outputs are of. */
  async function settled(direct: Store): Promise<string> {
    const until = performance.now() + 20_000;
    for (;;) {
      await using store = open();
      await store.collections(); // recovers
      const left = await nothingLeft();
      if (left.length === 0) break;
      if (performance.now() > until) expect(left).toEqual([]);
      await sleep(100);
    }
    const replaced = await direct.find<Result>('replaced', { sort: { n: 1 } }).toArray();
    const upserted = await direct.find<Result>('upserted', { sort: { n: 1 } }).toArray();
    const runs = new Set([...replaced, ...upserted].map(({ run }) => run));
    if (runs.size === 0) return '';
    expect(replaced.map(({ n }) => n)).toEqual(Array.from({ length: rows }, (_, n) => n));
    expect(upserted.map(({ n }) => n)).toEqual(Array.from({ length: keys }, (_, n) => n));
    expect([...runs]).toHaveLength(1);
    return [...runs][0] ?? '';
  }

  async function nothingLeft(): Promise<readonly string[]> {
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    const records = await db.collection('_millrace_stages').find().toArray();
    const locks = await db.collection('_millrace_locks').find().toArray();
    return [...names.filter((name) => name.startsWith('_millrace_stage_')), ...[...records, ...locks].map(({ _id }) => String(_id))];
  }
});
