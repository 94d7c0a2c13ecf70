import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BindingError,
  collection,
  createApp,
  file,
  Input,
  memoryStore,
  Output,
  Processor,
  rows,
  sink,
  type App,
  type Fault,
  type Reader,
  type Writer,
} from 'millrace';
import { createTestApp } from 'millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Copy, item, Item } from './fixtures.js';

@Processor()
class Two {
  @Input({ name: 'source', schema: Item, readOnly: true }) readonly from!: Reader<Item>;
  @Input({ schema: Item, optional: true }) readonly extra!: Reader<Item>;
  @Output({ schema: Item }) readonly left!: Writer<Item>;
  @Output({ schema: Item, mode: 'upsert' }) readonly right!: Writer<Item>;
  run(): void {
    // bindings are what is tested
  }
}

class Plain {
  sku!: string;
}
@Processor()
class Ruleless {
  @Input({ schema: Plain, binding: 'items' }) readonly from!: Reader<Plain>;
}

let app: App;
let folder: string;
beforeEach(async () => {
  app = await createTestApp({ processors: [Copy, Two], stores: { warehouse: memoryStore() } });
  folder = await mkdtemp(join(tmpdir(), 'millrace-prepare-'));
});
afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

async function faultsOf(prepared: Promise<unknown>): Promise<readonly Fault[]> {
  const error: unknown = await prepared.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BindingError);
  return (error as BindingError).faults;
}

describe('prepare', () => {
  it('reports every unbound port in order, inputs first, by the name of the port', async () => {
    const faults = await faultsOf(app.task(Two).prepare());
    expect(faults.map(({ code, message }) => [code, message])).toEqual([
      ['PORT_UNBOUND', "Processor 'Two' input port 'source' is not bound"],
      ['PORT_UNBOUND', "Processor 'Two' output port 'left' is not bound"],
      ['PORT_UNBOUND', "Processor 'Two' output port 'right' is not bound"],
    ]);
  });

  it('holds the message of every fault in its own', async () => {
    const error = await app
      .task(Two)
      .prepare()
      .catch((thrown: unknown) => thrown as BindingError);
    for (const { message } of (error as BindingError).faults) expect((error as BindingError).message).toContain(message);
  });

  it('names the nearest port for one that is not there, and does not throw before', async () => {
    const task = app.task(Copy);
    expect(() => task.bind({ form: [] } as never)).not.toThrow();
    const [fault] = await faultsOf(task.prepare());
    expect(fault).toMatchObject({ code: 'PORT_UNKNOWN', message: "Processor 'Copy' has no port 'form'", fix: "Did you mean 'from'?" });
    const [named] = await faultsOf(
      app
        .task(Two)
        .bind({ source: [] } as never)
        .prepare(),
    );
    expect(named).toMatchObject({ code: 'PORT_UNKNOWN', fix: "In TypeScript a port goes by its property: 'from'." });
  });

  it('tells inputs from outputs', async () => {
    const faults = await faultsOf(
      app
        .task(Copy)
        .bindInput('to' as never, [] as never)
        .bindOutput('from' as never, [] as never)
        .prepare(),
    );
    expect(faults.map(({ message }) => message)).toEqual(["Processor 'Copy' has no input 'to'", "Processor 'Copy' has no output 'from'"]);
  });

  it.each([
    ['a number', 5],
    ['null', null],
    ['a function', () => []],
    ['a set', new Set([item('a')])],
    ['a sink', sink(() => undefined)],
    ['an empty name', ''],
  ])('refuses %s as an input', async (_what, value) => {
    const [fault, ...more] = await faultsOf(
      app
        .task(Copy)
        .bindInput('from', value as never)
        .prepare(),
    );
    expect(more).toEqual([]);
    expect(fault?.code).toBe('BINDING_INVALID');
    expect(fault?.message).toContain("Processor 'Copy' input port 'from'");
  });

  it.each([
    ['one row', item('a')],
    ['rows from a function', rows(() => [])],
    ['a narrowed collection', collection('copies', { filter: { sku: 'a' } })],
    ["a collection of Millrace's own", '_millrace_runs'],
  ])('refuses %s as an output', async (_what, value) => {
    const [fault] = await faultsOf(
      app
        .task(Copy)
        .bindOutput('to', value as never)
        .prepare(),
    );
    expect(fault?.code).toBe('BINDING_INVALID');
  });

  it('names the nearest store for one that is not there', async () => {
    const [fault] = await faultsOf(app.task(Copy).bind({ from: 'items@warehuose' }).prepare());
    expect(fault).toMatchObject({ code: 'STORE_UNKNOWN', fix: "Did you mean 'warehouse'?" });
  });

  it("tells of stores whose URL is no store's along with the rest", async () => {
    await using own = await createApp({ processors: [Two], stores: { default: memoryStore(), bad: 'memry:' }, log: 'silent' });
    const faults = await faultsOf(own.task(Two).bind({ from: 'x@bad', left: 'y' }).prepare());
    expect(faults.map(({ code }) => code)).toEqual(['STORE_UNKNOWN', 'PORT_UNBOUND']);
    expect(faults[0]?.message).toContain("no store has URLs like 'memry:…'");
  });

  it('refuses two outputs in one place, whatever they call it', async () => {
    const bound = app.task(Two).bind({ from: [], left: 'x', right: collection('x', { store: 'default', key: 'sku' }) });
    expect((await faultsOf(bound.prepare())).map(({ code }) => code)).toEqual(['BINDING_CONFLICT']);
    const array: Item[] = [];
    expect((await faultsOf(app.task(Two).bind({ from: [], left: array, right: array }).prepare())).map(({ code }) => code)).toContain(
      'BINDING_CONFLICT',
    );
  });

  it('refuses an output on the collection of a readOnly input, and allows it on any other', async () => {
    const bound = app.task(Two).bind({ from: 'x', left: 'x', right: collection('y', { key: 'sku' }) });
    expect((await faultsOf(bound.prepare())).map(({ code }) => code)).toEqual(['PORT_READ_ONLY']);
    await expect(app.task(Copy).bind({ from: 'x', to: 'x' }).prepare()).resolves.toBeUndefined();
  });

  it('refuses options of the other kind of port, which would do nothing', async () => {
    const codes = async (from: unknown, to: unknown): Promise<string[]> =>
      (
        await faultsOf(
          app
            .task(Copy)
            .bind({ from: from as Item[], to: to as Item[] })
            .prepare(),
        )
      ).map(({ message }) => message);
    expect(await codes(collection('x', { mode: 'append' }), collection('y', { limit: 1 }))).toEqual([
      "Processor 'Copy' input port 'from': an input takes no 'mode'",
      "Processor 'Copy' output port 'to': an output takes no 'limit'",
    ]);
  });

  it('refuses options and values that a binding does not know, with the nearest', async () => {
    const faults = await faultsOf(
      app
        .task(Two)
        .bind({
          from: collection('x', { filtr: {} } as never),
          left: collection('y', { mode: 'upsrt' as never }),
          right: file('z.csv', { format: 'cvs' as never, mode: 'append' }),
        })
        .prepare(),
    );
    expect(faults.map(({ message, fix }) => [message, fix])).toEqual([
      ["Processor 'Two' input port 'source': its binding has an unknown option 'filtr'", "Did you mean 'filter'?"],
      ["Processor 'Two' output port 'left': its binding has an unknown mode \"upsrt\"", "Did you mean 'upsert'?"],
      ["Processor 'Two' output port 'right': its binding has an unknown format \"cvs\"", "Did you mean 'csv'?"],
    ]);
  });

  it('refuses names and paths that are no strings', async () => {
    const faults = await faultsOf(
      app
        .task(Two)
        .bind({ from: file(5 as never), left: collection(5 as never), right: [] })
        .prepare(),
    );
    expect(faults.slice(0, 2).map(({ message }) => message)).toEqual([
      "Processor 'Two' input port 'source': a file's path is a string, not 5",
      "Processor 'Two' output port 'left': a collection's name is a string, not 5",
    ]);
  });

  it('wants a key for upsert', async () => {
    const [fault] = await faultsOf(app.task(Two).bind({ from: [], left: [], right: 'y' }).prepare());
    expect(fault).toMatchObject({ code: 'BINDING_INVALID', message: "Processor 'Two' output port 'right': mode 'upsert' needs a key" });
  });

  it('tells of files that are missing, folders, or of no known format', async () => {
    await writeFile(join(folder, 'items.txt'), '');
    const codes = async (from: string): Promise<string[]> =>
      (await faultsOf(app.task(Copy).bind({ from }).prepare())).map(({ code }) => code);
    expect(await codes(`file:${folder}/nothing.csv`)).toEqual(['FILE_UNREADABLE']);
    expect(await codes(`file:${folder}?format=csv`)).toEqual(['FILE_UNREADABLE']);
    expect(await codes(`file:${folder}/items.txt`)).toEqual(['BINDING_INVALID']);
    await expect(
      app
        .task(Copy)
        .bind({ from: file(join(folder, 'items.txt'), { format: 'csv' }) })
        .prepare(),
    ).resolves.toBeUndefined();
  });

  it('reports faults of ports and of parameters in one error', async () => {
    const faults = await faultsOf(
      app
        .task(Copy)
        .bind({ from: 'items@nowhere', params: { mark: 5 as never } })
        .prepare(),
    );
    expect(faults.map(({ code }) => code)).toEqual(['STORE_UNKNOWN', 'PARAMS_INVALID']);
  });

  it('refuses a schema without rules, since it would check nothing', async () => {
    const [fault] = await faultsOf(app.task(Ruleless).prepare());
    expect(fault?.message).toContain('its schema Plain has no validation rules');
  });

  it('touches no data', async () => {
    await app
      .task(Copy)
      .bind({ from: [item('a')], to: 'copies' })
      .prepare();
    expect(await app.store().collections()).toEqual([]);
  });
});

describe('inputBindings, outputBindings', () => {
  it('show what will be used, defaults included, credentials masked', () => {
    const task = app.task(Copy).bind({ from: [item('a'), item('b')], params: { mark: 'x' } });
    expect(task.inputBindings()).toEqual({ from: '[2 rows]', params: '{"mark":"x"}' });
    expect(task.outputBindings()).toEqual({ to: 'copies' });
    expect(
      app
        .task(Copy)
        .bind({ from: file('prices.csv') })
        .inputBindings(),
    ).toEqual({ from: 'file:prices.csv' });
  });
});
