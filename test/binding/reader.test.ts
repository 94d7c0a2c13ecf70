import { collection, Input, Processor, rows, type App, type Reader, type RowError, type TaskError } from 'millrace';
import { createTestApp, runProcessor } from 'millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bad, Copy, item, Item, items, Rejecting } from './fixtures.js';

/** Hands its reader to the test. */
@Processor()
class Probe {
  static look: (reader: Reader<Item>) => Promise<unknown>;
  @Input({ schema: Item }) readonly from!: Reader<Item>;
  async run(): Promise<void> {
    await Probe.look(this.from);
  }
}

let app: App;
beforeEach(async () => {
  app = await createTestApp({ processors: [Probe, Copy] });
});
afterEach(() => app.close());

async function look<R>(source: unknown, use: (reader: Reader<Item>) => Promise<R>): Promise<R> {
  let seen: R | undefined;
  Probe.look = async (reader) => (seen = await use(reader));
  await app
    .task(Probe)
    .bind({ from: source as Item[] })
    .run();
  return seen as R;
}

const sources: [string, () => Promise<unknown>][] = [
  ['rows in memory', async () => items(2500)],
  ['a function', async () => rows(() => items(2500))],
  [
    'a collection',
    async () => {
      await app.store().insert('items', items(2500));
      return collection('items', { projection: { _id: 0 } });
    },
  ],
];

describe.each(sources)('a reader of %s', (_name, make) => {
  it('gives every row in order, row by row and by batches', async () => {
    const [byRow, sizes, all] = await look(await make(), async (reader) => {
      const skus: string[] = [];
      for await (const { sku } of reader) skus.push(sku);
      const batches: number[] = [];
      for await (const batch of reader.batches(600)) batches.push(batch.length);
      return [skus, batches, await reader.toArray()] as const;
    });
    expect(byRow).toEqual(items(2500).map(({ sku }) => sku));
    expect(sizes.reduce((sum, size) => sum + size)).toBe(2500);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(600);
    expect(all).toEqual(items(2500));
  });

  it('counts, gives the first, and is narrowed by find, again and again', async () => {
    const answer = await look(await make(), async (reader) => ({
      count: await reader.count(),
      first: await reader.first(),
      none: await reader.find({ filter: { sku: 'none' } }).first(),
      narrowed: await reader.find({ filter: { amount: { $gte: 2000 } }, sort: { amount: -1 }, skip: 1, limit: 2 }).toArray(),
      twice: await reader
        .find({ filter: { amount: { $gte: 10 } } })
        .find({ filter: { amount: { $lt: 12 } } })
        .toArray(),
      cut: await reader
        .find({ limit: 5 })
        .find({ filter: { amount: { $gte: 4 } } })
        .count(),
    }));
    expect(answer).toEqual({
      count: 2500,
      first: item('s0', 0),
      none: undefined,
      narrowed: [item('s2498', 2498), item('s2497', 2497)],
      twice: [item('s10', 10), item('s11', 11)],
      cut: 1,
    });
  });

  it.each([
    ['an unknown option', { filtr: {} }, /a query has no 'filtr'\. Did you mean 'filter'\?/],
    ['an unknown operator', { filter: { amount: { $gtt: 1 } } }, /\$gtt/],
    ['a limit that is none', { limit: -1 }, /limit/],
  ])('refuses %s', async (_what, query, message) => {
    const source = await make();
    await expect(look(source, (reader) => reader.find(query as never).toArray())).rejects.toMatchObject({
      cause: { code: 'QUERY_INVALID', message: expect.stringMatching(message) as string },
    });
  });

  it('is iterated while it is being iterated', async () => {
    const pairs = await look(await make(), async (reader) => {
      let count = 0;
      for await (const { amount } of reader) {
        if (amount > 2) break;
        for await (const batch of reader.batches()) count += batch.length;
      }
      return count;
    });
    expect(pairs).toBe(3 * 2500);
  });
});

describe('a reader', () => {
  it('calls a function of rows anew for each pass', async () => {
    let calls = 0;
    await look(
      rows(() => {
        calls++;
        return items(1);
      }),
      async (reader) => {
        await reader.toArray();
        await reader.toArray();
      },
    );
    expect(calls).toBe(2);
  });

  it('gives what a slow source has given without waiting for more, and lets go of it early', async () => {
    let proceed: () => void = () => expect.fail('too early');
    const wait = (): Promise<void> => new Promise((resolve) => (proceed = resolve));
    const read: string[] = [];
    await look(
      rows(async function* () {
        yield item('a');
        yield item('b');
        await wait();
        yield item('c');
        await wait();
      }),
      async (reader) => {
        for await (const { sku } of reader) {
          read.push(sku);
          if (sku === 'b') proceed();
          if (sku === 'c') break;
        }
      },
    );
    expect(read).toEqual(['a', 'b', 'c']);
  });

  it('ends a source that it leaves early before it goes on', async () => {
    let ended = false;
    await look(
      rows(async function* () {
        try {
          for (;;) {
            await new Promise((resolve) => setImmediate(resolve));
            yield item('a');
          }
        } finally {
          ended = true;
        }
      }),
      async (reader) => {
        await reader.first();
        expect(ended).toBe(true);
      },
    );
  });

  it('says which function gave no rows', async () => {
    await expect(
      look(
        rows(() => 5 as never),
        (reader) => reader.toArray(),
      ),
    ).rejects.toThrow("input port 'from': the function returned 5, not an iterable");
  });

  it('is a snapshot of the array it was bound to', async () => {
    const source = items(2);
    const task = app.task(Copy).bind({ from: source, to: [] });
    source.push(item('late'));
    expect((await task.run()).inputs['from']?.rows).toBe(2);
  });

  it('names port, index, property, rule and value of an invalid row', async () => {
    const error = await look([item('a'), bad('b')], (reader) => reader.toArray()).catch((thrown: unknown) => thrown as TaskError);
    const cause = (error as TaskError).cause as RowError;
    expect(cause).toMatchObject({ code: 'ROW_INVALID', port: 'from', index: 1 });
    expect(cause.message).toMatch(/Processor 'Probe' input port 'from': row 1 is invalid: amount must not be less than 0.*min.*-1/);
  });

  it('names the _id of an invalid row', async () => {
    await app.store().insert('items', [Object.assign({ _id: 'x1' }, bad('b'))]);
    await expect(look('items', (reader) => reader.toArray())).rejects.toThrow('row 0 (_id x1) is invalid');
  });

  it('fails the task for an invalid row even where the action swallows the error', async () => {
    await expect(look([bad('b')], (reader) => reader.toArray().catch(() => undefined))).rejects.toMatchObject({
      cause: { code: 'ROW_INVALID' },
    });
  });

  it.each([[5], [null], ['text'], [[1]]])('refuses %j as a row', async (value) => {
    await expect(
      look(
        rows(() => [value] as never),
        (reader) => reader.toArray(),
      ),
    ).rejects.toThrow('a row is an object, not');
  });

  it('checks a projected row on what it keeps', async () => {
    await app.store().insert('items', [item('a')]);
    const kept = await look(collection('items', { projection: { sku: 1, _id: 0 } }), (reader) => reader.toArray());
    expect(kept).toEqual([{ sku: 'a' }]);
  });

  it('leaves invalid rows out where they are rejected, and counts them once', async () => {
    const { outputs, rejects, result } = await runProcessor(Rejecting, { inputs: { from: [item('a'), bad('b'), item('c')] } });
    expect(outputs.to).toEqual([item('a'), item('c')]);
    expect(rejects['from']).toEqual([{ row: bad('b'), reasons: [expect.stringContaining('amount')] }]);
    expect(result.inputs['from']).toEqual({ rows: 3, rejected: 1 });
    expect(result.outputs['to']).toEqual({ rows: 2, rejected: 0 });
  });

  it('refuses a batch size that is none', async () => {
    await expect(look(items(1), async (reader) => reader.batches(0))).rejects.toThrow('a whole number of rows from 1');
  });
});
