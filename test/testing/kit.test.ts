import 'reflect-metadata';
import { Depends, Input, Output, Processor, resource, Scope, type Reader, type Writer } from 'millrace';
import { createTestApp, runProcessor, turnedClock } from 'millrace/testing';
import { describe, expect, it } from 'vitest';

const counter = resource(async function* counter(): AsyncGenerator<{ next(): number }> {
  let count = 0;
  yield { next: () => ++count };
});

@Processor()
class Number_ {
  @Input({ optional: true }) readonly from!: Reader<{ name: string; nested?: { deep: number } }>;
  @Output() readonly to!: Writer<{ name: string; number: number }>;
  @Depends(Scope.Worker, counter) readonly counter!: { next(): number };
  async run(): Promise<void> {
    for await (const { name } of this.from) await this.to.write({ name, number: this.counter.next() });
  }
}

@Processor()
class Careless {
  @Input() readonly from!: Reader<{ nested: { deep: number } }>;
  async run(): Promise<void> {
    for await (const row of this.from) row.nested.deep = 1;
  }
}

describe('runProcessor', () => {
  it('runs a processor in memory and tells what was set up and closed', async () => {
    const { outputs, lifecycle, log } = await runProcessor(Number_, { inputs: { from: [{ name: 'a' }, { name: 'b' }] } });
    expect(outputs.to).toEqual([
      { name: 'a', number: 1 },
      { name: 'b', number: 2 },
    ]);
    expect(lifecycle).toEqual([
      { what: 'counter', event: 'setup', scope: 'WORKER' },
      { what: 'counter', event: 'close', scope: 'WORKER' },
    ]);
    expect(log).toEqual([]);
  });

  it('uses what stands in for a dependency, and sets the real one up not at all', async () => {
    const { outputs, lifecycle } = await runProcessor(Number_, {
      inputs: { from: [{ name: 'a' }] },
      depends: [[counter, { next: () => 7 }]],
    });
    expect(outputs.to).toEqual([{ name: 'a', number: 7 }]);
    expect(lifecycle).toEqual([]);
  });

  it('takes rows from an async iterable', async () => {
    const { outputs } = await runProcessor(Number_, {
      inputs: {
        from: (async function* () {
          yield { name: 'a' };
        })(),
      },
    });
    expect(outputs.to).toHaveLength(1);
  });

  it('freezes rows all the way down, so that a processor which changes one fails', async () => {
    await expect(runProcessor(Careless, { inputs: { from: [{ nested: { deep: 0 } }] } })).rejects.toThrow(/read only|Cannot assign/);
  });

  it('refuses an input that is none', async () => {
    await expect(runProcessor(Number_, { inputs: { form: [] } as never })).rejects.toMatchObject({ code: 'PORT_UNKNOWN' });
    await expect(runProcessor(Number_, { inputs: { to: [] } as never })).rejects.toMatchObject({ code: 'PORT_UNKNOWN' });
  });
});

describe('createTestApp', () => {
  it('has memory stores in place of those that are named by URL', async () => {
    await using app = await createTestApp({ stores: { warehouse: 'embedded:/nowhere' } });
    expect(app.store('warehouse').url).toMatch(/^memory:/);
  });

  it('throws on disposal where a scope is still open', async () => {
    const app = await createTestApp({ processors: [Number_] });
    app.container.open(Scope.Worker);
    await expect(app.close()).rejects.toThrow(/WORKER/);
  });

  it('throws on disposal where a closer failed', async () => {
    const failing = resource(function* failing() {
      yield 1;
      throw new Error('stuck');
    });
    const app = await createTestApp({});
    const scope = app.container.open(Scope.Task);
    await scope.get(failing);
    await scope.close().catch(() => undefined);
    await expect(app.close()).rejects.toMatchObject({ code: 'SCOPE_CLOSE_FAILED' });
  });
});

describe('turnedClock', () => {
  it('wakes sleepers in order of time, and lets what they start run first', async () => {
    const clock = turnedClock(new Date(0));
    const woken: string[] = [];
    const sleeper = async (name: string, ms: number, again?: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push(`${name} ${String(clock.now().getTime())}`);
      if (again !== undefined) await sleeper(`${name} again`, again);
    };
    void sleeper('b', 20);
    void sleeper('a', 10, 5);
    await clock.turn(30);
    expect(woken).toEqual(['a 10', 'a again 15', 'b 20']);
    expect(clock.now().getTime()).toBe(30);
  });

  it('ends a sleep with the reason of its signal', async () => {
    const clock = turnedClock();
    const controller = new AbortController();
    const sleep = clock.sleep(10, controller.signal);
    controller.abort(new Error('woken'));
    await expect(sleep).rejects.toThrow('woken');
  });
});
