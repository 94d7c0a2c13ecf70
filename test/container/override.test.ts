import { describe, expect, it } from 'vitest';
import { createContainer } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import { token } from '../../src/container/token.js';
import { Depends } from '../../src/decorators/depends.js';
import { CompositionError } from '../../src/errors.js';
import { Scope, type Resource } from '../../src/types.js';

const pool = resource((): { name: string } => ({ name: 'pool' }));
const service = resource([[Scope.Worker, pool]], (one) => ({ pool: one }));

describe('override', () => {
  it('reaches every later get until it is disposed; what was built before keeps what it has', async () => {
    await using container = createContainer();
    await using worker = container.open(Scope.Worker);
    const before = await worker.get(service);
    const fake = { name: 'fake' };
    {
      using _ = container.override(pool, fake);
      expect(await worker.get(pool)).toBe(fake);
      expect((await worker.get(service)).pool).toBe(fake);
      expect((await container.use(Scope.Task, (task) => task.get(service))).pool).toBe(fake);
      expect(before.pool.name).toBe('pool');
    }
    expect(await worker.get(service)).toBe(before);
    expect(await worker.get(pool)).toBe(before.pool);
  });

  it('leaves alone what does not need what it replaces', async () => {
    await using container = createContainer();
    await using worker = container.open(Scope.Worker);
    const other = resource([resource(() => ({}))], (one) => ({ one }));
    const before = await worker.get(other);
    using _ = container.override(pool, { name: 'fake' });
    expect(await worker.get(other)).toBe(before);
  });

  it('closes what it had set up with the scope that owns it, also when it was taken off before', async () => {
    const log: string[] = [];
    const container = createContainer();
    const worker = container.open(Scope.Worker);
    await worker.get(service);
    const fake = container.override(
      pool,
      resource(function* () {
        yield { name: 'fake' };
        log.push('close fake');
      }),
    );
    expect((await worker.get(service)).pool.name).toBe('fake');
    fake[Symbol.dispose]();
    expect(log).toEqual([]);
    await worker.close();
    expect(log).toEqual(['close fake']);
  });

  it('comes off in any order, each only itself, and does no harm when it comes off twice', async () => {
    await using container = createContainer({ provide: [[pool, { name: 'provided' }]] });
    await using task = container.open(Scope.Task);
    const name = async (): Promise<string> => (await task.get(pool)).name;
    const [one, two, three] = ['one', 'two', 'three'].map((fake) => container.override(pool, { name: fake })) as [
      Disposable,
      Disposable,
      Disposable,
    ];
    expect(await name()).toBe('three');
    two[Symbol.dispose]();
    expect(await name()).toBe('three');
    three[Symbol.dispose]();
    three[Symbol.dispose]();
    expect(await name()).toBe('one');
    one[Symbol.dispose]();
    expect(await name()).toBe('provided');
  });

  it('replaces a class by a value, a class or a resource, and a token', async () => {
    class Greeter {
      greet(): string {
        return 'hello';
      }
    }
    class Loud extends Greeter {
      override greet(): string {
        return 'HELLO';
      }
    }
    class User {
      @Depends() readonly greeter!: Greeter;
    }
    await using container = createContainer();
    await using task = container.open(Scope.Task);
    for (const by of [Loud, new Loud(), resource(() => new Loud())]) {
      using _ = container.override(Greeter, by);
      expect((await task.build(User)).greeter.greet()).toBe('HELLO');
      expect((await task.get(User)).greeter.greet()).toBe('HELLO');
    }
    expect((await task.build(User)).greeter.greet()).toBe('hello');
    const text = token<string>('text');
    using _ = container.override(text, 'given');
    expect(await task.get(text)).toBe('given');
  });

  it('may give undefined, null or a function', async () => {
    await using container = createContainer();
    await using task = container.open(Scope.Task);
    const call = token<(() => number) | null | undefined>('call');
    for (const value of [undefined, null, () => 1]) {
      using _ = container.override(call, value);
      expect(await task.get(call)).toBe(value);
    }
  });

  it('throws for a fault that it makes, and changes nothing', async () => {
    const missing = token<{ name: string }>('missing');
    class Reader {
      @Depends(Scope.Worker, pool) readonly pool!: { name: string };
    }
    await using container = createContainer({ processors: [Reader] });
    await using worker = container.open(Scope.Worker);
    const before = await worker.get(pool);
    const scratch = resource(() => ({ name: 'scratch' }));
    const faulty: [Resource<{ name: string }>, string][] = [
      [resource([missing], (one) => one), 'DEPENDENCY_MISSING'],
      [resource([pool], (one) => one), 'DEPENDENCY_CIRCULAR'],
      [resource([[Scope.Task, scratch]], (one) => one), 'DEPENDENCY_CAPTIVE'],
    ];
    for (const [by, code] of faulty) {
      expect(() => container.override(pool, by)).toThrow(CompositionError);
      expect(() => container.override(pool, by)).toThrow(expect.objectContaining({ code }) as Error);
    }
    expect(await worker.get(pool)).toBe(before);
    expect(container.check()).toEqual([]);
  });

  it('sees the faults that it makes for what was only ever asked for by get', async () => {
    await using container = createContainer();
    await container.use(Scope.Worker, (worker) => worker.get(pool));
    const scratch = resource(() => ({ name: 'scratch' }));
    expect(() =>
      container.override(
        pool,
        resource([[Scope.Task, scratch]], (one) => one),
      ),
    ).toThrow(/lives for WORKER/);
  });

  it('is not refused for faults that were there before', async () => {
    const missing = token<number>('missing');
    class Reader {
      @Depends(Scope.Task, missing) readonly missing!: number;
    }
    await using container = createContainer({ processors: [Reader] });
    using _ = container.override(pool, { name: 'fake' });
    expect(container.check()).toHaveLength(1);
    using mended = container.override(missing, 1);
    expect(container.check()).toEqual([]);
    mended[Symbol.dispose]();
    expect(container.check()).toHaveLength(1);
  });

  it('refuses what is no dependency', () => {
    expect(() => createContainer().override(undefined as never, 1)).toThrow(
      /override\(\) takes a resource, a token or a class, not undefined/,
    );
  });
});
