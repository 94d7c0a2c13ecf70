import 'reflect-metadata';
import { createApp, defineProject, memoryStore, Processor, type CompositionError } from 'millrace';
import { afterEach, describe, expect, it } from 'vitest';

@Processor()
class Ready {
  run(): void {
    // composing it is what is tested
  }
}
class Undecorated {}

const faultsOf = (processors: unknown[]): Promise<string[]> =>
  createApp({ processors: processors as never, stores: { default: memoryStore() }, log: 'silent' }).then(
    () => [],
    (error: unknown) => (error as CompositionError).faults.map(({ code, message }) => `${code}: ${message}`),
  );

describe('createApp', () => {
  it('tells of everything among the processors that is none', async () => {
    expect(await faultsOf([Ready, Undecorated, undefined, 'Ready'])).toEqual([
      'PROCESSOR_UNKNOWN: Undecorated is among the processors and is none',
      expect.stringContaining('Entry 3 of `processors` is undefined'),
      expect.stringContaining('Entry 4 of `processors` is "Ready"'),
    ]);
  });

  it('counts a processor once that is listed twice, and refuses two of one name', async () => {
    const Other = (() => {
      @Processor({ name: 'Ready' })
      class Other {}
      return Other;
    })();
    expect(await faultsOf([Ready, Ready])).toEqual([]);
    expect(await faultsOf([Ready, Other])).toEqual([expect.stringContaining("DUPLICATE_NAME: Two processors are named 'Ready'")]);
  });

  it('adds what it is given to its project, stores of the same name in place of its own', async () => {
    const own = memoryStore();
    const project = defineProject({ name: 'shop', processors: [Ready], stores: { default: 'nonsense:', extra: memoryStore() } });
    await using app = await createApp({ project, stores: { default: own }, log: 'silent' });
    expect(app.store()).toBe(own);
    expect((await app.task('Ready').run()).processor).toBe('Ready');
    expect(() => app.store('extr')).toThrow("store 'extr' is not known. Did you mean 'extra'?");
  });

  it('says what is among its stores and is none, and takes one that is undefined for not given', async () => {
    const stores = { default: undefined, odd: { path: './data' } } as never;
    await using app = await createApp({ stores, log: 'silent' });
    expect(() => app.store('odd')).toThrow(/^store 'odd' is an object, and no store: give what memoryStore\(\)/);
    expect(app.store().url).toContain('.millrace/data');
  });

  it('refuses a project that was not defined', async () => {
    await expect(createApp({ project: { name: 'x' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(() => defineProject({} as never)).toThrow('a name is expected, not undefined');
  });
});

describe('the default store', () => {
  const before = process.env['MILLRACE_STORE'];
  afterEach(() => {
    if (before === undefined) delete process.env['MILLRACE_STORE'];
    else process.env['MILLRACE_STORE'] = before;
  });

  it('is the one given, else that of MILLRACE_STORE', async () => {
    process.env['MILLRACE_STORE'] = 'memory:';
    await using app = await createApp({ log: 'silent' });
    expect(app.store().url).toBe('memory:');
    process.env['MILLRACE_STORE'] = 'nonsense:x';
    await using other = await createApp({ log: 'silent' });
    expect(() => other.store()).toThrow("no store has URLs like 'nonsense:…'");
  });
});
