import { describe, expect, it } from 'vitest';
import { createContainer } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import { external, forward, isExternal, token } from '../../src/container/token.js';
import { Depends } from '../../src/decorators/depends.js';
import { MillraceError } from '../../src/errors.js';
import { Scope } from '../../src/types.js';
import { failure } from './support.js';

const get = async <T>(what: Parameters<ReturnType<ReturnType<typeof createContainer>['open']>['get']>[0]): Promise<T> => {
  await using container = createContainer();
  return (await container.open(Scope.Task).get(what)) as T;
};

describe('resource', () => {
  it('takes plain and async functions, generators and async generators', async () => {
    expect(await get(resource(() => 1))).toBe(1);

    expect(await get(resource(async () => 2))).toBe(2);
    expect(
      await get(
        resource(function* () {
          yield 3;
        }),
      ),
    ).toBe(3);
    expect(
      await get(
        resource(async function* () {
          yield 4;
        }),
      ),
    ).toBe(4);
  });

  it('takes a function that hands out a generator', async () => {
    function* inner(): Generator<string> {
      yield 'inner';
    }
    expect(await get(resource(() => inner()))).toBe('inner');
  });

  it('gives undefined and null as they are', async () => {
    expect(await get(resource(() => undefined))).toBeUndefined();
    expect(await get(resource(() => null))).toBeNull();
  });

  it('is named after its function, else after where it stands', () => {
    function makePool(): number {
      return 1;
    }
    expect(resource(makePool).name).toBe('makePool');
    expect(resource(() => 1).name).toMatch(/test\/container\/resource\.test\.ts:\d+$/);
    expect(resource(() => 1).kind).toBe('resource');
  });

  it('gives its needs to the factory in their order', async () => {
    const a = resource(() => 'a');
    class B {
      readonly name = 'b';
    }
    expect(await get(resource([a, [Scope.Worker, B]], (first, second) => `${first}${second.name}`))).toBe('ab');
  });

  it('takes a plain factory as it stands', async () => {
    class Clock {
      @Depends(Scope.Task, () => 5) readonly sync!: number;
      @Depends(Scope.Task, () => Promise.resolve(6)) readonly later!: number;
    }
    expect(await get<Clock>(Clock)).toMatchObject({ sync: 5, later: 6 });
  });

  it.each([
    [() => resource(5 as never), /the factory must be a function, not 5/],
    [() => resource([['SOON', token('t')]] as never, (() => 1) as never), /need 1 has the unknown scope 'SOON'/],
    [() => resource([undefined] as never, (() => 1) as never), /need 1 is undefined: it is used before it is defined/],
    [() => resource([42] as never, (() => 1) as never), /need 1 must be a resource, a token or a class, not 42/],
    [() => token(''), /the name must be a string with a letter/],
    [() => forward(1 as never), /a function that answers the class/],
  ])('refuses what it cannot use, and says where: %#', (make, message) => {
    expect(make).toThrow(MillraceError);
    expect(make).toThrow(message);
    expect(make).toThrow(/resource\.test\.ts:\d+/);
  });

  it('says so when a generator never yields', async () => {
    await using container = createContainer();
    const empty = resource(function* empty(): Generator<number> {
      // nothing
    });
    const error = await failure(container.open(Scope.Task).get(empty), 'DEPENDENCY_FAILED');
    expect(error.message).toMatch(/'empty' could not be set up: its generator ended without a value/);
  });
});

describe('forward', () => {
  it('stands for a class that is declared further down', async () => {
    class Early {
      @Depends(Scope.Task, forward(() => Late))
      readonly late!: { readonly name: string };
    }
    class Late {
      readonly name = 'late';
    }
    expect((await get<Early>(Early)).late).toBeInstanceOf(Late);
    await using container = createContainer();
    await using task = container.open(Scope.Task);
    expect(await task.get(forward(() => Late))).toBe(await task.get(Late));
  });

  it('is a fault among the others when its class is not declared yet', () => {
    class Early {
      @Depends(Scope.Task, forward(() => Late)) readonly late!: unknown;
    }
    const container = createContainer({ processors: [Early], provide: [[undefined as never, 1]] });
    expect(container.check().map(({ message }) => message)).toEqual([
      'Entry 1 of `provide` is for undefined, which is no dependency.',
      "Early field 'late' refers to a class that is not defined.",
    ]);
    class Late {}
    expect(container.check()).toHaveLength(1);
  });

  it('is missing when it answers nothing', async () => {
    const error = await failure(get(resource([forward(() => undefined as never)], () => 1)), 'DEPENDENCY_MISSING');
    expect(error.message).toMatch(/need 1 refers to a class that is not defined/);
  });
});

describe('external', () => {
  it('answers the value itself, and marks it', () => {
    const value = {};
    expect(isExternal(value)).toBe(false);
    expect(external(value)).toBe(value);
    expect(isExternal(value)).toBe(true);
    expect(external(5)).toBe(5);
    expect(isExternal(5)).toBe(false);
  });
});
