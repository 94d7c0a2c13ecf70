import { describe, expect, it } from 'vitest';
import { createContainer } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import { token } from '../../src/container/token.js';
import { Depends } from '../../src/decorators/depends.js';
import { MillraceError } from '../../src/errors.js';
import { Scope } from '../../src/types.js';
import { deferred, failure, logged, rejection, turn } from './support.js';

describe('an owner', () => {
  it('has one instance, also under concurrent first use', async () => {
    await using container = createContainer();
    await using task = container.open(Scope.Task);
    let made = 0;
    const slow = resource(async () => {
      made++;
      await turn();
      return { made };
    });
    const [a, b] = await Promise.all([task.get(slow), task.get(slow)]);
    expect(a).toBe(b);
    expect(await task.get(slow)).toBe(a);
    expect(made).toBe(1);
  });

  it('is the nearest scope of that life up the chain', async () => {
    await using container = createContainer();
    const shared = resource(() => ({}));
    const user = resource([[Scope.Worker, shared]], (one) => one);
    await using one = container.open(Scope.Worker);
    await using other = container.open(Scope.Worker);
    const [a, b, c] = await Promise.all([one.open(Scope.Task), one.open(Scope.Task), other.open(Scope.Task)].map((task) => task.get(user)));
    expect(a).toBe(b);
    expect(a).toBe(await one.get(shared));
    expect(a).not.toBe(c);
  });

  it('is the container for lives that no scope was opened for', async () => {
    const log: string[] = [];
    const shared = logged('shared', log);
    const user = resource([[Scope.Broker, shared]], (one) => one);
    const container = createContainer();
    await container.use(Scope.Worker, (worker) => worker.get(user));
    await container.use(Scope.Task, (task) => task.get(user));
    expect(log).toEqual(['open shared']);
    await container.close();
    expect(log).toEqual(['open shared', 'close shared']);
  });

  it('gives a need without a scope the life of the one who needs it', async () => {
    await using container = createContainer();
    const inner = resource(() => ({}));
    const outer = resource([inner], (one) => ({ one }));
    const user = resource([[Scope.Worker, outer]], (one) => one);
    await using worker = container.open(Scope.Worker);
    await using task = worker.open(Scope.Task);
    expect((await task.get(user)).one).toBe(await worker.get(inner));
    expect(await task.get(inner)).not.toBe(await worker.get(inner));
  });

  it('shares nothing with that of another container', async () => {
    const shared = resource(() => ({}));
    const [one, other] = [createContainer(), createContainer()];
    expect(await one.open(Scope.Task).get(shared)).not.toBe(await other.open(Scope.Task).get(shared));
    await Promise.all([one.close(), other.close()]);
  });

  it('does nothing before it is asked', async () => {
    let made = 0;
    const eager = resource(() => ++made);
    const container = createContainer({ provide: [[token<number>('t'), eager]] });
    container.open(Scope.Task);
    container.check();
    container.graph();
    await container.close();
    expect(made).toBe(0);
  });
});

describe('build and get', () => {
  class Part {
    readonly name = 'part';
  }
  class Whole {
    @Depends(Scope.Task, Part) readonly field!: Part;
    constructor(@Depends(Scope.Worker, Part) readonly parameter: Part) {}
  }

  it('set constructor parameters and fields', async () => {
    await using container = createContainer();
    await using worker = container.open(Scope.Worker);
    await using task = worker.open(Scope.Task);
    const whole = await task.build(Whole);
    expect(whole).toBeInstanceOf(Whole);
    expect(whole.field).toBe(await task.get(Part));
    expect(whole.parameter).toBe(await worker.get(Part));
    expect(whole.field).not.toBe(whole.parameter);
  });

  it('make one for the owner, or a new one each time', async () => {
    await using container = createContainer();
    await using task = container.open(Scope.Task);
    expect(await task.get(Whole)).toBe(await task.get(Whole));
    expect(await task.build(Whole)).not.toBe(await task.build(Whole));
    expect(await task.build(Whole)).not.toBe(await task.get(Whole));
  });

  it('use the declared class where no provider is named', async () => {
    class Declared {
      @Depends() readonly part!: Part;
      constructor(@Depends(Scope.Worker) readonly other: Part) {}
    }
    await using container = createContainer();
    await using task = container.open(Scope.Task);
    const built = await task.build(Declared);
    expect(built.part).toBeInstanceOf(Part);
    expect(built.other).toBeInstanceOf(Part);
  });

  it('inherit @Depends, of which a subclass has the last word', async () => {
    class Base {
      @Depends(Scope.Task, () => 'base') readonly a!: string;
      @Depends(Scope.Task, () => 'base') readonly b!: string;
    }
    class Derived extends Base {
      @Depends(Scope.Task, () => 'derived') declare readonly b: string;
    }
    await using container = createContainer();
    expect(await container.open(Scope.Task).build(Derived)).toMatchObject({ a: 'base', b: 'derived' });
  });

  it('leave a parameter with a default to its default', async () => {
    class Patient {
      constructor(
        readonly a = 'default',
        @Depends(Scope.Task, () => 'given') readonly b = 'other',
      ) {}
    }
    await using container = createContainer();
    expect(await container.open(Scope.Task).build(Patient)).toMatchObject({ a: 'default', b: 'given' });
  });

  it('follow what is provided for a class: a class to build, a resource, a value', async () => {
    class Loud extends Part {}
    const value = new Part();
    await using classes = createContainer({ provide: [[Part, Loud]] });
    await using resources = createContainer({ provide: [[Part, resource(() => new Loud())]] });
    await using values = createContainer({ provide: [[Part, value]] });
    const scopes = [classes, resources, values].map((container) => container.open(Scope.Task));
    const [a, b, c] = await Promise.all(scopes.map((scope) => scope.get(Part)));
    expect(a).toBeInstanceOf(Loud);
    expect(b).toBeInstanceOf(Loud);
    expect(c).toBe(value);
    expect(await scopes[0]?.build(Part)).not.toBe(a);
    expect(await scopes[2]?.build(Part)).toBe(value);
  });

  it('refuse what is no dependency', async () => {
    await using container = createContainer();
    await using task = container.open(Scope.Task);
    expect((await failure(task.get(undefined as never), 'DEPENDENCY_MISSING')).message).toMatch(
      /get\(\) takes a resource, a token or a class, not undefined/,
    );
    expect((await failure(task.build(resource(() => 1) as never), 'DEPENDENCY_MISSING')).message).toMatch(/build\(\) takes a class/);
  });
});

describe('set-up', () => {
  it('runs independent needs side by side, and dependents after what they need', async () => {
    const log: string[] = [];
    const gate = deferred();
    const slow = (name: string) =>
      resource(async () => {
        log.push(`begin ${name}`);
        await gate.promise;
        log.push(`end ${name}`);
        return name;
      });
    const both = resource([slow('a'), slow('b')], (a, b) => log.push(`both ${a}${b}`));
    await using container = createContainer();
    const got = container.open(Scope.Task).get(both);
    await turn();
    expect(log).toEqual(['begin a', 'begin b']);
    gate.resolve();
    await got;
    expect(log).toEqual(['begin a', 'begin b', 'end a', 'end b', 'both ab']);
  });

  it('rejects for everyone who waited when it fails, and is tried again by the next', async () => {
    let attempts = 0;
    const cause = new Error('no route to host');
    const flaky = resource(async function flaky() {
      const attempt = ++attempts;
      await turn();
      if (attempt === 1) throw cause;
      return attempt;
    });
    await using container = createContainer();
    await using worker = container.open(Scope.Worker);
    const user = resource([[Scope.Worker, flaky]], (n) => n);
    const waiting = [worker.get(flaky), worker.get(flaky), worker.open(Scope.Task).get(user)];
    for (const error of await Promise.all(waiting.map((one) => failure(one, 'DEPENDENCY_FAILED')))) expect(error.cause).toBe(cause);
    expect(attempts).toBe(1);
    expect(await worker.get(flaky)).toBe(2);
    expect(await worker.open(Scope.Task).get(user)).toBe(2);
  });

  it('fails once, however many needs fail: a late one does not disturb who tries again', async () => {
    const gates = [deferred(), deferred()] as const;
    let round = 0;
    const need = (index: 0 | 1) =>
      resource(async () => {
        if (round > 0) return index;
        await gates[index].promise;
        throw new Error(`need ${String(index)}`);
      });
    const many = Array.from({ length: 20 }, () => resource(() => 1)); // so that the owner has an index
    const user = resource([need(0), need(1)], function user() {
      return {};
    });
    await using container = createContainer();
    const worker = container.open(Scope.Worker);
    await Promise.all(many.map((one) => worker.get(one)));
    const first = failure(worker.get(user), 'DEPENDENCY_FAILED');
    gates[0].resolve();
    expect((await first).message).toMatch(/need 0/);
    round++;
    const again = failure(worker.get(user), 'DEPENDENCY_FAILED'); // need 1 is under way still
    gates[1].resolve();
    expect((await again).message).toMatch(/need 1/);
    const third = await worker.get(user);
    expect(await worker.get(user)).toBe(third);
  });

  it('tells the chain, the place and the untouched cause of a failure', async () => {
    const cause = new Error('refused');
    const pool = resource(function pool(): number {
      throw cause;
    });
    const table = resource([pool], function table(p) {
      return p;
    });
    class Importer {
      @Depends(Scope.Task, table) readonly table!: number;
    }
    await using container = createContainer();
    const error = await failure(container.open(Scope.Task).build(Importer), 'DEPENDENCY_FAILED');
    expect(error.path).toEqual(['Importer', 'table', 'pool']);
    expect(error.cause).toBe(cause);
    expect(error.message).toBe("Dependency 'pool' could not be set up: refused (Importer -> table -> pool)");
    expect(error.where[0]).toMatch(/scope\.test\.ts:\d+$/);
  });

  it('wraps what is thrown that is no Error, and what a constructor throws', async () => {
    class Thrower {
      constructor() {
        throw 'a string';
      }
    }
    await using container = createContainer();
    const error = await failure(container.open(Scope.Task).get(Thrower), 'DEPENDENCY_FAILED');
    expect(error.cause).toBe('a string');
    expect(error.message).toMatch(/a string/);
  });

  it('closes what a set-up that failed in part had opened, when its scope closes', async () => {
    const log: string[] = [];
    const gate = deferred();
    const slow = resource(async function* slow() {
      await gate.promise;
      log.push('open slow');
      yield 1;
      log.push('close slow');
    });
    const broken = resource(async () => {
      await turn();
      throw new Error('broken');
    });
    const both = resource([logged('quick', log), slow, broken], () => 1);
    await using container = createContainer();
    const task = container.open(Scope.Task);
    await failure(task.get(both), 'DEPENDENCY_FAILED');
    expect(log).toEqual(['open quick']);
    gate.resolve();
    await turn();
    await task.close();
    expect(log).toEqual(['open quick', 'open slow', 'close slow', 'close quick']);
  });

  it('does not mistake a value for a promise or a generator when a class made it', async () => {
    class Lookalike {
      readonly then = 'later';
      next(): void {
        // no step
      }
      throw(): void {
        // of no generator
      }
      return(): void {
        // either
      }
      *[Symbol.iterator](): Generator<number> {
        yield 1;
      }
    }
    await using container = createContainer();
    expect(await container.open(Scope.Task).get(Lookalike)).toBeInstanceOf(Lookalike);
  });
});

describe('open', () => {
  it('refuses the same or a longer life, and a scope that is none', async () => {
    await using container = createContainer();
    await using worker = container.open(Scope.Worker);
    expect(worker.scope).toBe('WORKER');
    for (const scope of [Scope.Worker, Scope.Broker, Scope.Storage, Scope.GlobalConfig])
      expect(() => worker.open(scope)).toThrow(MillraceError);
    expect(worker.open(Scope.Task).scope).toBe('TASK');
    expect(() => container.open('SOON' as never)).toThrow(expect.objectContaining({ code: 'DECORATOR_MISUSED' }) as Error);
    expect(() => container.open('TASKS' as never)).toThrow(/Did you mean 'TASK'/);
    expect(() => container.open(undefined as never)).toThrow(/must be one of Scope/);
    for (const scope of Object.values(Scope)) expect(container.open(scope).scope).toBe(scope);
  });
});

describe('use', () => {
  it('resolves to what the body answers, and closes with success', async () => {
    const log: string[] = [];
    await using container = createContainer();
    expect(await container.use(Scope.Task, async (task) => `${await task.get(logged('a', log))}!`)).toBe('a!');
    expect(log).toEqual(['open a', 'close a']);
  });

  it("rejects with the body's own error, also when a closer fails, of which the events tell", async () => {
    const cause = new Error('body');
    const bad = resource(function* bad(): Generator<number> {
      try {
        yield 1;
      } finally {
        // eslint-disable-next-line no-unsafe-finally -- what is tested
        throw new Error('tear-down');
      }
    });
    await using container = createContainer();
    const failing = container.use(Scope.Task, async (task) => {
      await task.get(bad);
      throw cause;
    });
    expect(await rejection(failing)).toBe(cause);
  });

  it('takes a body that throws at once or answers at once', async () => {
    await using container = createContainer();
    const cause = new Error('at once');
    const thrower = (): never => {
      throw cause;
    };
    expect(await rejection(container.use(Scope.Task, thrower))).toBe(cause);
    expect(await container.use(Scope.Task, () => 5)).toBe(5);
  });

  it('is not done when its scope was closed from above: what it did was rolled back', async () => {
    const log: string[] = [];
    const container = createContainer();
    const gate = deferred();
    const used = container.use(Scope.Task, async (task) => {
      await task.get(logged('a', log));
      await gate.promise;
    });
    await turn();
    await container.close();
    expect(log).toEqual(['open a', 'fail a: AbortError']);
    gate.resolve();
    await failure(used, 'SCOPE_CLOSED');
  });
});
