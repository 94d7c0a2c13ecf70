import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  collection,
  embeddedStore,
  file,
  Input,
  memoryStore,
  Output,
  Processor,
  sink,
  type App,
  type Reader,
  type TaskError,
  type Writer,
} from 'millrace';
import { createTestApp } from 'millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bad, Copy, item, Item, items, Rejecting } from './fixtures.js';

@Processor()
class Split {
  @Input({ schema: Item }) readonly from!: Reader<Item>;
  @Output({ schema: Item }) readonly left!: Writer<Item>;
  @Output({ schema: Item }) readonly right!: Writer<Item>;
  async run(): Promise<void> {
    for await (const row of this.from) {
      if (row.sku === 'fail') throw new Error('half way');
      await (row.amount % 2 === 0 ? this.left : this.right).write(row);
    }
  }
}

@Processor()
class Direct {
  @Input({ schema: Item }) readonly from!: Reader<Item>;
  @Output({ schema: Item, atomic: false, binding: 'copies' }) readonly to!: Writer<Item>;
  async run(): Promise<void> {
    await this.to.write(this.from);
  }
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-publish-'));
});
afterEach(() => rm(folder, { recursive: true }));

const stores: [string, () => ReturnType<typeof memoryStore>][] = [
  ['memory', () => memoryStore()],
  ['embedded', () => embeddedStore({ path: join(folder, 'data') })],
];

const plain = { projection: { _id: 0 } } as const;

describe.each(stores)('publish to the %s store', (_name, open) => {
  let app: App;
  beforeEach(async () => {
    app = await createTestApp({ processors: [Copy, Split, Rejecting, Direct], stores: { default: open(), other: memoryStore() } });
  });
  afterEach(() => app.close());
  const held = (name: string): Promise<Item[]> => app.store().find<Item>(name, plain).toArray();

  it('replaces what the last run published', async () => {
    for (const from of [items(3), [item('z')]]) await app.task(Copy).bind({ from }).run();
    expect(await held('copies')).toEqual([item('z')]);
  });

  it('appends, and upserts by key', async () => {
    const append = collection<Item>('log', { mode: 'append' });
    for (const from of [items(2), [item('z')]]) await app.task(Copy).bind({ from, to: append }).run();
    expect(await held('log')).toEqual([...items(2), item('z')]);
    const upsert = collection<Item>('stock', { mode: 'upsert', key: 'sku' });
    for (const from of [items(3), [item('s1', 99), item('new'), item('s1', 100)]]) await app.task(Copy).bind({ from, to: upsert }).run();
    expect((await held('stock')).sort((a, b) => a.sku.localeCompare(b.sku))).toEqual([
      item('new'),
      item('s0', 0),
      item('s1', 100),
      item('s2', 2),
    ]);
  });

  it('takes an upsert row without its key for invalid', async () => {
    const to = collection<Item>('stock', { mode: 'upsert', key: ['sku', 'place'] });
    await expect(
      app
        .task(Copy)
        .bind({ from: items(1), to })
        .run(),
    ).rejects.toMatchObject({ cause: { code: 'ROW_INVALID', port: 'to' } });
  });

  it('leaves every output as it was when the run fails', async () => {
    await app
      .task(Split)
      .bind({ from: items(4), left: 'left', right: 'right' })
      .run();
    const before = [await held('left'), await held('right')];
    const failing = app.task(Split).bind({ from: [...items(2000), item('fail')], left: 'left', right: 'right' });
    await expect(failing.run()).rejects.toMatchObject({ code: 'TASK_FAILED', cause: new Error('half way') });
    expect([await held('left'), await held('right')]).toEqual(before);
    const fresh = app.task(Split).bind({ from: [item('fail')], left: 'new_left', right: 'new_right' });
    await expect(fresh.run()).rejects.toThrow('half way');
    expect(await app.store().collections()).toEqual(['left', 'right']);
  });

  it('fills an array when the run has succeeded, and not otherwise', async () => {
    const out = [item('old')];
    await expect(
      app
        .task(Split)
        .bind({ from: [item('a', 2), item('fail')], left: out, right: [] })
        .run(),
    ).rejects.toThrow('half way');
    expect(out).toEqual([item('old')]);
    await app
      .task(Split)
      .bind({ from: [item('a', 2)], left: out, right: [] })
      .run();
    expect(out).toEqual([item('a', 2)]);
  });

  it('refuses a collection that no run has published to, unless it is told', async () => {
    await app.store().insert('copies', [item('precious')]);
    await expect(
      app
        .task(Copy)
        .bind({ from: items(1) })
        .run(),
    ).rejects.toMatchObject({ cause: { code: 'COLLECTION_NOT_OURS' } });
    expect(await held('copies')).toEqual([item('precious')]);
    await app
      .task(Copy)
      .bind({ from: items(1), to: collection('copies', { overwrite: true }) })
      .run();
    expect(await held('copies')).toEqual(items(1));
  });

  it('writes straight through to its own collections only', async () => {
    const direct = app.task(Direct).bind({ from: items(2) });
    await app.store().insert('precious', [item('precious')]);
    const refused = app
      .task(Direct)
      .bind({ from: items(2), to: 'precious' })
      .run();
    await expect(refused).rejects.toMatchObject({ cause: { code: 'COLLECTION_NOT_OURS' } });
    expect(await held('precious')).toEqual([item('precious')]);
    for (let run = 0; run < 2; run++) await direct.run();
    expect(await held('copies')).toEqual(items(2));
    await app
      .task(Copy)
      .bind({ from: items(3) })
      .run();
    await app.task(Direct).bind({ from: [] }).run();
    expect(await held('copies')).toEqual([]);
  });

  it('keeps the indexes of what it replaces, and leaves it when a unique one is violated', async () => {
    await app
      .task(Copy)
      .bind({ from: items(2) })
      .run();
    await app.store().createIndex('copies', { sku: 1 }, { unique: true });
    await app
      .task(Copy)
      .bind({ from: items(3) })
      .run();
    expect(await app.store().indexes('copies')).toMatchObject([{ keys: { sku: 1 }, unique: true }]);
    await expect(
      app
        .task(Copy)
        .bind({ from: [item('a'), item('a')] })
        .run(),
    ).rejects.toMatchObject({ cause: { code: 'KEY_DUPLICATE' } });
    await expect(
      app
        .task(Copy)
        .bind({ from: [item('s1')], to: collection('copies', { mode: 'append' }) })
        .run(),
    ).rejects.toMatchObject({ cause: { code: 'KEY_DUPLICATE' } });
    expect(await held('copies')).toEqual(items(3));
  });

  it('publishes an empty output, and reads its own input while it writes to it', async () => {
    await app.task(Copy).bind({ from: [] }).run();
    expect(await app.store().collections()).toEqual(['copies']);
    await app
      .task(Copy)
      .bind({ from: items(1500), to: 'self' })
      .run();
    const result = await app.task(Copy).bind({ from: 'self', to: 'self' }).run();
    expect(result.outputs['to']?.rows).toBe(1500);
    expect(await app.store().count('self')).toBe(1500);
  });

  it('publishes rejects with the outputs, and replaces them with each run', async () => {
    await app.store().insert('items', [item('a'), Object.assign({ _id: 7 }, bad('b'))]);
    const result = await app.task(Rejecting).run();
    const [reject, ...more] = await app.store().find('items_rejects', plain).toArray();
    expect(more).toEqual([]);
    expect(reject).toMatchObject({ row: { _id: 7, sku: 'b' }, port: 'from', index: 1, runId: result.runId });
    await app
      .task(Rejecting)
      .bind({ from: [bad('c')] })
      .run();
    expect(await app.store().count('Rejecting_from_rejects')).toBe(1);
    await app.store().delete('items', { sku: 'b' });
    await app.task(Rejecting).run();
    expect(await app.store().count('items_rejects')).toBe(0);
  });

  it('makes no collection for rejects that there are none of', async () => {
    await app
      .task(Rejecting)
      .bind({ from: items(2) })
      .run();
    expect(await app.store().collections()).toEqual(['copies']);
  });

  it('publishes to several stores and files at once, and to none of them when one refuses', async () => {
    const path = join(folder, 'out', 'right.csv');
    const bound = (from: Item[]): Promise<unknown> =>
      app
        .task(Split)
        .bind({ from, left: 'left@other', right: file(path) })
        .run();
    await bound(items(4));
    expect(await app.store('other').count('left')).toBe(2);
    expect(await readFile(path, 'utf8')).toBe('sku,amount\ns1,1\ns3,3\n');
    await app.store('other').createIndex('left', { sku: 1 }, { unique: true });
    await expect(bound([item('a', 2), item('a', 4), item('b', 1)])).rejects.toMatchObject({ cause: { code: 'KEY_DUPLICATE' } });
    expect(await readFile(path, 'utf8')).toBe('sku,amount\ns1,1\ns3,3\n');
    expect(await readdir(join(folder, 'out'))).toEqual(['right.csv']);
  });
});

describe('a writer', () => {
  @Processor()
  class Probe {
    static use: (writer: Writer<Item>) => unknown;
    @Output({ schema: Item }) readonly to!: Writer<Item>;
    run(): unknown {
      return Probe.use(this.to);
    }
  }
  let app: App;
  beforeEach(async () => {
    app = await createTestApp({ processors: [Probe] });
  });
  afterEach(() => app.close());
  const write = async (use: (writer: Writer<Item>) => unknown, to: unknown = []): Promise<unknown> => {
    Probe.use = use;
    await app
      .task(Probe)
      .bind({ to: to as Item[] })
      .run();
    return to;
  };

  it('takes a row, rows, an iterable, an async iterable', async () => {
    const written = await write(async (writer) => {
      await writer.write(item('one'));
      await writer.write([item('two'), item('three')]);
      await writer.write(new Set(items(2)));
      await writer.write(
        (async function* () {
          yield* items(2);
        })(),
      );
      await writer.write([]);
    });
    expect(written).toEqual([item('one'), item('two'), item('three'), ...items(2), ...items(2)]);
  });

  it('waits for a write that the action did not', async () => {
    const written = await write((writer) => {
      void writer.write(
        (async function* () {
          for (const row of items(3)) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            yield row;
          }
        })(),
      );
    });
    expect(written).toEqual(items(3));
  });

  it('fails the task for an invalid row that nobody awaited', async () => {
    await expect(write((writer) => void writer.write(bad('b')))).rejects.toMatchObject({
      cause: { code: 'ROW_INVALID', port: 'to', index: 0 },
    });
  });

  it('refuses to write when the task has ended', async () => {
    let late: Writer<Item> | undefined;
    await write((writer) => void (late = writer));
    await expect(late?.write(item('late'))).rejects.toMatchObject({ code: 'PORT_CLOSED' });
  });

  it('hands batches to a sink, one after the other, and fails with its error', async () => {
    const sizes: number[] = [];
    let busy = false;
    await write(
      (writer) => writer.write(items(2500)),
      sink(async (batch) => {
        expect(busy).toBe(false);
        busy = true;
        await new Promise((resolve) => setImmediate(resolve));
        busy = false;
        sizes.push(batch.length);
      }),
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBe(2500);
    const full = new Error('full');
    const error = await write(
      (writer) => writer.write(items(5000)),
      sink(() => {
        throw full;
      }),
    ).catch((thrown: unknown) => thrown as TaskError);
    expect((error as TaskError).cause).toBe(full);
  });

  it('holds a fast writer back while its target is slow', async () => {
    let taken = 0;
    let ahead = 0;
    await write(
      async (writer) => {
        for (let index = 0; index < 20_000; index++) {
          await writer.write(item('x', index));
          ahead = Math.max(ahead, index - taken);
        }
      },
      sink(async (batch) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        taken += batch.length;
      }),
    );
    expect(taken).toBe(20_000);
    expect(ahead).toBeLessThanOrEqual(4000);
  });
});

describe('files', () => {
  it('are read with the types of the schema, and written beside their target', async () => {
    await using app = await createTestApp({ processors: [Copy] });
    const [from, to] = [join(folder, 'in.csv'), join(folder, 'out.ndjson.gz')];
    await writeFile(from, 'sku,amount\na,1.5\n"b ""x""",2\n');
    await app
      .task(Copy)
      .bind({ from: `file:${from}`, to: `file:${to}` })
      .run();
    await app
      .task(Copy)
      .bind({ from: `file:${to}`, to: 'back' })
      .run();
    expect(await app.store().find('back', plain).toArray()).toEqual([item('a', 1.5), item('b "x"', 2)]);
    expect((await readdir(folder)).sort()).toEqual(['in.csv', 'out.ndjson.gz']);
  });

  it('are appended to by several runs at once, and lose no row', async () => {
    await using app = await createTestApp({ processors: [Copy] });
    const path = join(folder, 'all.csv');
    const append = (count: number): Promise<unknown> =>
      app
        .task(Copy)
        .bind({ from: items(count), to: file(path, { mode: 'append' }) })
        .run();
    await Promise.all([1, 20, 300].map(append));
    expect((await readFile(path, 'utf8')).trimEnd().split('\n')).toHaveLength(1 + 321);
    expect(await readdir(folder)).toEqual(['all.csv']);
  });

  it('name line and column of what is wrong in them, and leave nothing behind', async () => {
    await using app = await createTestApp({ processors: [Copy] });
    const [from, to] = [join(folder, 'in.csv'), join(folder, 'out.csv')];
    await writeFile(from, 'sku,amount\na,1\nb,2,3\n');
    await expect(
      app
        .task(Copy)
        .bind({ from: `file:${from}`, to: `file:${to}` })
        .run(),
    ).rejects.toThrow(/in\.csv:3:\d+/);
    expect(await readdir(folder)).toEqual(['in.csv']);
  });
});
