import { describe, expect, it } from 'vitest';
import { createContainer } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import { forward, token } from '../../src/container/token.js';
import { Depends } from '../../src/decorators/depends.js';
import { Processor } from '../../src/decorators/processor.js';
import { CompositionError } from '../../src/errors.js';
import { Scope } from '../../src/types.js';
import { rejection } from './support.js';

const place = expect.stringMatching(/test\/container\/check\.test\.ts:\d+$/) as string;
let made = 0;
/** Counts the factories that ran. */
const never = (): number => ++made;

interface Settings {
  readonly url: string;
}
const settings = token<Settings>('settings');
const scratch = resource(function scratch() {
  return never();
});
const cache = resource([[Scope.Task, scratch]], function cache(n) {
  return n + never();
});

describe('check', () => {
  it('finds nothing wrong with what is right, and answers a frozen list', () => {
    class Right {
      @Depends(Scope.Worker, scratch) readonly scratch!: number;
    }
    const faults = createContainer({ processors: [Right, Right], provide: [[settings, { url: '' }]] }).check();
    expect(faults).toEqual([]);
    expect(Object.isFrozen(faults)).toBe(true);
  });

  it('tells of a token that nothing provides', () => {
    class Importer {
      @Depends(Scope.Task, settings) readonly settings!: Settings;
    }
    expect(createContainer({ processors: [Importer] }).check()).toEqual([
      {
        code: 'DEPENDENCY_MISSING',
        message: "Importer needs 'settings' (field 'settings'), but nothing provides it.",
        where: [place, place],
        path: ['Importer', 'settings'],
        fix: 'Provide it: provide: [[settings, value, resource or class]].',
      },
    ]);
  });

  it('points at a namesake that is provided in its place', () => {
    class Importer {
      @Depends(Scope.Task, settings) readonly settings!: Settings;
    }
    const [fault] = createContainer({ processors: [Importer], provide: [[token<Settings>('settings'), { url: '' }]] }).check();
    expect(fault?.fix).toMatch(/What is provided is another 'settings' \(test\/container\/check\.test\.ts:\d+\)/);
  });

  it('tells of a circle, once, with its path', () => {
    const a = resource([forward(() => Service)], function a(service) {
      return service;
    });
    const b = resource([a], function b(one): unknown {
      return one;
    });
    class Service {
      @Depends(Scope.Task, b) readonly b!: unknown;
    }
    class One {
      @Depends(Scope.Task, b) readonly b!: unknown;
      @Depends(Scope.Task, a) readonly a!: unknown;
      @Depends(Scope.Task, Service) readonly s!: unknown;
    }
    const faults = createContainer({ processors: [One] }).check();
    expect(faults.map(({ code }) => code)).toEqual(['DEPENDENCY_CIRCULAR']);
    expect(faults[0]?.message).toBe('Dependencies go round in a circle: b -> a -> Service -> b.');
    expect(faults[0]?.path).toEqual(['b', 'a', 'Service', 'b']);
    expect(faults[0]?.where.length).toBeGreaterThan(1);
  });

  it('tells of a dependency on itself, and of provisions that lead back', () => {
    class Narcissus {
      @Depends(Scope.Task, forward(() => Narcissus))
      readonly self!: object;
    }
    const [x, y] = [token<object>('x'), token<object>('y')];
    class X {}
    class Y {}
    const faults = createContainer({
      processors: [Narcissus],
      provide: [
        [X, Y],
        [Y, X],
      ],
    }).check();
    expect(faults.map(({ path }) => path?.join(' -> '))).toEqual(['Narcissus -> Narcissus', 'X -> Y -> X']);
    expect(
      createContainer({
        provide: [
          [x, resource([y], (one) => one)],
          [y, resource([x], (one) => one)],
        ],
      }).check(),
    ).toHaveLength(1);
  });

  it('tells of a longer life that needs a shorter one, with both ends and both ways out', () => {
    class Reader {
      @Depends(Scope.Worker, cache) readonly cache!: number;
    }
    const [fault, ...others] = createContainer({ processors: [Reader] }).check();
    expect(others).toEqual([]);
    expect(fault).toEqual({
      code: 'DEPENDENCY_CAPTIVE',
      message: 'cache lives for WORKER, but needs scratch for TASK (need 1), which ends sooner: Reader -> cache -> scratch.',
      where: [place, place],
      path: ['Reader', 'cache', 'scratch'],
      fix: 'Ask for scratch with the life WORKER or a longer one, or let cache live for TASK.',
    });
  });

  it('never calls captive what is given as a value', () => {
    class Reader {
      @Depends(Scope.Worker, cache) readonly cache!: number;
    }
    expect(createContainer({ processors: [Reader], provide: [[scratch, 5]] }).check()).toEqual([]);
  });

  it('tells of a class that is captive by its fields', () => {
    class Repository {
      @Depends() readonly db!: Database;
    }
    class Reader {
      @Depends(Scope.Worker, Repository) readonly repository!: Repository;
    }
    const [fault] = createContainer({ processors: [Reader] }).check();
    expect(fault?.message).toBe(
      "Repository lives for WORKER, but needs Database for TASK (field 'db'), which ends sooner: Reader -> Repository -> Database.",
    );
  });

  it('tells of what is provided twice, with both', () => {
    const pool = resource(function pool() {
      return { url: '' };
    });
    const [fault, ...others] = createContainer({
      provide: [
        [settings, { url: 'a' }],
        [settings, pool],
        [scratch, 1],
      ],
    }).check();
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ code: 'DUPLICATE_NAME', message: "'settings' is provided 2 times: a value (object), resource pool." });
    expect(fault?.where).toEqual([place, place]);
  });

  it('tells of two processors of one name', () => {
    @Processor({ name: 'same' })
    class One {}
    @Processor({ name: 'same' })
    class Other {}
    expect(createContainer({ processors: [One, Other] }).check()).toMatchObject([
      { code: 'DUPLICATE_NAME', message: "Two processors are named 'same'.", where: [place, place] },
    ]);
  });

  it('tells why the declared type is not known: an interface, a primitive, none emitted', () => {
    class Typed {
      @Depends() readonly a!: Settings;
      @Depends() readonly b!: string;
    }
    class Untyped {
      declare readonly c: Database;
      constructor(readonly d: Database) {}
    }
    // as esbuild and tsx compile it
    Depends(Scope.Worker)(Untyped.prototype, 'c');
    Depends()(Untyped as never, undefined as never, 0 as never);
    const faults = createContainer({ processors: [Typed, Untyped] }).check();
    expect(faults.map(({ code }) => code)).toEqual(Array(4).fill('DEPENDENCY_TYPE_ERASED'));
    expect(faults.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^Typed field 'a' names no provider, and its declared type is gone at run time: it is an interface, a union, or imported by `import type`/,
      ),
      expect.stringMatching(/^Typed field 'b' .* is String at run time/),
      expect.stringMatching(/^Untyped constructor parameter 1 .* was not emitted: .*esbuild and tsx never do/),
      expect.stringMatching(/^Untyped field 'c' .* was not emitted/),
    ]);
    expect(faults.map(({ fix }) => fix)[3]).toBe('Name the provider: @Depends(Scope.Worker, resource, token or class).');
    expect(faults[0]?.where).toEqual([place]);
  });

  it('tells of a constructor parameter without @Depends and without a default', () => {
    class Partly {
      constructor(
        @Depends(Scope.Task, scratch) readonly a: number,
        readonly b: number,
        readonly c = 1,
      ) {}
    }
    class Plain {
      constructor(readonly a: number) {}
    }
    const faults = createContainer({ processors: [Partly, Plain] }).check();
    expect(faults.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringMatching(/^DEPENDENCY_TYPE_ERASED: Partly constructor parameter 2 has neither @Depends\(\) nor a default value/),
      expect.stringMatching(/^DEPENDENCY_TYPE_ERASED: Plain constructor parameter 1 has neither/),
    ]);
  });

  it('tells of an entry that names nothing, without throwing', () => {
    const [fault] = createContainer({ provide: [[undefined, 1]] as never }).check();
    expect(fault).toMatchObject({ code: 'DEPENDENCY_MISSING', message: 'Entry 1 of `provide` is for undefined, which is no dependency.' });
  });

  it('tells of a processor that is no class, without throwing', () => {
    const container = createContainer({ processors: [undefined, Database] as never });
    expect(container.check()).toMatchObject([
      { code: 'PROCESSOR_UNKNOWN', message: 'Entry 1 of `processors` is undefined, which is no class.' },
    ]);
    expect(container.graph().nodes).toEqual([{ id: 'Database', kind: 'class' }]);
  });

  it('tells all at once, runs nothing, and throws nothing before something is asked for', async () => {
    class Reader {
      @Depends(Scope.Worker, cache) readonly cache!: number;
      @Depends(Scope.Task, settings) readonly settings!: Settings;
      @Depends() readonly url!: string;
    }
    const before = made;
    const container = createContainer({
      processors: [Reader],
      provide: [
        [scratch, scratch],
        [scratch, 2],
      ],
    });
    expect(
      container
        .check()
        .map(({ code }) => code)
        .sort(),
    ).toEqual(['DEPENDENCY_CAPTIVE', 'DEPENDENCY_MISSING', 'DEPENDENCY_TYPE_ERASED', 'DUPLICATE_NAME']);
    const task = container.open(Scope.Task);
    const error = await rejection(task.build(Reader));
    expect(error).toBeInstanceOf(CompositionError);
    expect((error as CompositionError).faults).toHaveLength(4);
    expect(made).toBe(before);
    await container.close();
  });

  it('is made of what is asked for too: a get that is faulty rejects, others do not', async () => {
    await using container = createContainer();
    const worker = container.open(Scope.Worker);
    const error = await rejection(worker.get(cache));
    expect(error).toMatchObject({ code: 'DEPENDENCY_CAPTIVE' });
    expect(await worker.open(Scope.Task).get(resource([scratch], () => 'fine'))).toBe('fine');
    const task = worker.open(Scope.Task);
    expect(await task.get(resource([cache], () => 'fine'))).toBe('fine');
    await task.get(cache);
    expect(await rejection(worker.get(cache))).toMatchObject({ code: 'DEPENDENCY_CAPTIVE' });
    expect(await rejection(worker.get(settings))).toMatchObject({
      code: 'DEPENDENCY_MISSING',
      message: expect.stringMatching(/^'settings' is asked for/) as string,
    });
  });
});

class Database {
  readonly kind = 'db';
}
