import { afterEach, describe, expect, it, vi } from 'vitest';
import { createContainer, createContainerCore } from '../../src/container/container.js';
import { resource } from '../../src/container/resource.js';
import { external, token } from '../../src/container/token.js';
import type { DependencyEvent } from '../../src/container/types.js';
import { Depends } from '../../src/decorators/depends.js';
import { Scope, type Clock } from '../../src/types.js';
import { closeFailure, deferred, failure, logged, rejection, turn } from './support.js';

const open = (): ReturnType<ReturnType<typeof createContainer>['open']> => createContainer().open(Scope.Task);

/** A disposable that counts, and logs by name. */
class Door {
  closed = 0;
  constructor(
    readonly name = 'door',
    readonly log: string[] = [],
  ) {}
  [Symbol.dispose](): void {
    this.closed++;
    this.log.push(`close ${this.name}`);
  }
}

describe('closing a scope', () => {
  it('goes in reverse order of completed set-up', async () => {
    const log: string[] = [];
    const gate = deferred();
    const slow = resource(async function* slow() {
      await gate.promise;
      yield 1;
      log.push('close slow');
    });
    const task = open();
    const got = [task.get(slow), task.get(logged('a', log)), task.get(logged('b', log, [logged('c', log)]))];
    gate.resolve();
    await Promise.all(got);
    log.length = 0;
    await task.close();
    expect(log).toEqual(['close slow', 'close b', 'close c', 'close a']);
  });

  it('resumes generators on success, and throws the cause into them on failure, undefined included', async () => {
    for (const [causes, expected] of [
      [[], 'close a'],
      [[new TypeError('body')], 'fail a: TypeError'],
      [[undefined], 'fail a: undefined'],
    ] as const) {
      const log: string[] = [];
      const task = open();
      await task.get(logged('a', log));
      await task.close(...causes);
      expect(log).toEqual(['open a', expected]);
    }
  });

  it('is success as `await using` does it', async () => {
    const log: string[] = [];
    {
      await using container = createContainer();
      await using task = container.open(Scope.Task);
      await task.get(logged('a', log));
    }
    expect(log).toEqual(['open a', 'close a']);
  });

  it('drives async generators to their end', async () => {
    const log: string[] = [];
    const make = (name: string) =>
      resource(async function* () {
        await turn();
        try {
          yield name;
          await turn();
          log.push(`commit ${name}`);
        } catch (cause) {
          await turn();
          log.push(`rollback ${name}`);
          throw cause;
        }
      });
    const [good, bad] = [open(), open()];
    await good.get(make('a'));
    await bad.get(make('b'));
    await good.close();
    await bad.close(new Error('body'));
    expect(log).toEqual(['commit a', 'rollback b']);
  });

  it('takes a generator that swallows the cause as closed well', async () => {
    const task = open();
    await task.get(
      resource(function* () {
        try {
          yield 1;
        } catch {
          // swallowed
        }
      }),
    );
    await task.close(new Error('body'));
  });

  it('reports a generator that yields twice, and runs its finally blocks', async () => {
    const log: string[] = [];
    const twice = resource(function* twice() {
      try {
        yield 1;
        yield 2;
      } finally {
        log.push('finally');
      }
    });
    const later = resource(async function* later() {
      await turn();
      yield 1;
      yield 2;
    });
    const task = open();
    await Promise.all([task.get(twice), task.get(later)]);
    const error = await closeFailure(task.close());
    expect(error.errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/'later' could not be closed: its generator yielded a second time/),
      expect.stringMatching(/'twice' could not be closed: its generator yielded a second time/),
    ]);
    expect(log).toEqual(['finally']);
  });

  it('disposes what factories return and classes make, asynchronously where they can', async () => {
    const log: string[] = [];
    class Both {
      [Symbol.dispose](): void {
        log.push('sync');
      }
      async [Symbol.asyncDispose](): Promise<void> {
        await turn();
        log.push('async');
      }
    }
    class Holder {
      @Depends(Scope.Task, Both) readonly both!: Both;
      [Symbol.dispose](): void {
        log.push('holder');
      }
    }
    const task = open();
    await task.get(Holder);
    await task.build(Holder);
    await task.get(resource(() => new Door('plain', log)));
    await task.get(resource(() => Promise.resolve(new Door('later', log))));
    await task.close();
    expect(log).toEqual(['close later', 'close plain', 'holder', 'holder', 'async']);
  });

  it('does not dispose what a generator yields: the generator does', async () => {
    const door = new Door();
    const task = open();
    await task.get(
      resource(function* () {
        yield door;
      }),
    );
    await task.close();
    expect(door.closed).toBe(0);
  });

  it('leaves alone what is external, what is provided, and what an override gives', async () => {
    const doors = [new Door(), new Door(), new Door(), new Door()] as const;
    const [provided, overridden] = [token<Door>('provided'), token<Door>('overridden')];
    const container = createContainer({ provide: [[provided, doors[1]]] });
    using _ = container.override(overridden, doors[2]);
    const task = container.open(Scope.Task);
    await task.get(resource(() => external(doors[0])));
    await task.get(provided);
    await task.get(overridden);
    await task.get(resource([provided], (door) => door));
    using taken = container.override(token<Door>('another'), doors[3]);
    taken[Symbol.dispose]();
    await task.get(resource(() => doors[3]));
    await container.close();
    expect(doors.map(({ closed }) => closed)).toEqual([0, 0, 0, 0]);
  });

  it('owns nothing twice', async () => {
    const log: string[] = [];
    class Made extends Door {
      constructor() {
        super('made', log);
      }
    }
    const door = resource(() => new Door('door', log));
    const yielded = new Door('yielded', log);
    const generator = resource(function* () {
      yield yielded;
      log.push('close generator');
    });
    await using container = createContainer();
    const worker = container.open(Scope.Worker);
    const task = worker.open(Scope.Task);
    for (const what of [door, generator, Made]) {
      await task.get(resource([[Scope.Worker, what as typeof door]], (one) => one));
      await task.get(resource([what as typeof door], (one) => one));
      await worker.get(resource([what as typeof door], (one) => one));
    }
    await task.close();
    await worker.close();
    const each = ['close made', 'close generator', 'close door'];
    expect(log).toEqual([...each, ...each]);
  });

  it('lets what was closed be owned anew', async () => {
    const door = new Door();
    const shared = resource(() => door);
    await using container = createContainer();
    for (let round = 1; round <= 3; round++) {
      await container.use(Scope.Task, (task) => task.get(shared));
      expect(door.closed).toBe(round);
    }
  });

  it('runs every closer though others fail, and tells of each with path, place and cause', async () => {
    const log: string[] = [];
    const cause = new Error('disk full');
    const bad = resource([logged('below', log)], function* bad() {
      yield 1;
      throw cause;
    });
    const worse = resource(function worse() {
      return {
        [Symbol.asyncDispose]: async () => {
          await turn();

          throw 'text';
        },
      };
    });
    const user = resource([bad], function user(n) {
      return n;
    });
    const task = open();
    await task.get(worse);
    await task.get(user);
    await task.get(logged('last', log));
    const error = await closeFailure(task.close());
    expect(error.errors.map(({ path }) => path)).toEqual([['user', 'bad'], ['worse']]);
    expect(error.errors.map((one) => one.cause)).toEqual([cause, 'text']);
    expect(error.errors.map(({ code }) => code)).toEqual(['DEPENDENCY_FAILED', 'DEPENDENCY_FAILED']);
    expect(error.errors[0]?.where[0]).toMatch(/close\.test\.ts:\d+$/);
    expect(error.message).toMatch(/Scope TASK closed with 2 failures: Dependency 'bad' could not be closed: disk full; /);
    expect('cause' in error).toBe(false);
    expect(log).toEqual(['open below', 'open last', 'close last', 'close below']);
  });

  it("gives the others the scope's own outcome after a closer has failed", async () => {
    const log: string[] = [];
    const bad = resource(function* bad() {
      yield 1;
      throw new Error('tear-down');
    });
    const task = open();
    await task.get(logged('a', log));
    await task.get(bad);
    await closeFailure(task.close());
    expect(log).toEqual(['open a', 'close a']);
  });

  it('keeps the cause that it was closed with', async () => {
    const task = open();
    const cause = new TypeError('body');
    await task.get(
      resource(function* () {
        try {
          yield 1;
        } catch {
          throw new Error('rollback failed');
        }
      }),
    );
    const error = await closeFailure(task.close(cause));
    expect(error.cause).toBe(cause);
    expect((error.errors[0]?.cause as Error).message).toBe('rollback failed');
  });

  it('gives the first promise to whoever closes again, also from inside a closer', async () => {
    const log: string[] = [];
    const task = open();
    let again: Promise<void> | undefined;
    await task.get(logged('a', log));
    await task.get(
      resource(() => ({
        [Symbol.dispose]: () => {
          again = task.close(new Error('late'));
        },
      })),
    );
    const first = task.close();
    expect(task.close()).toBe(first);
    expect(task.close(new Error('late'))).toBe(first);
    expect(again).toBe(first);
    await first;
    expect(log).toEqual(['open a', 'close a']);
  });

  it('makes using it SCOPE_CLOSED', async () => {
    const task = open();
    const value = resource(() => 1);
    await task.get(value);
    const closing = task.close();
    await failure(task.get(value), 'SCOPE_CLOSED');
    await closing;
    await failure(task.get(value), 'SCOPE_CLOSED');
    await failure(task.build(Door), 'SCOPE_CLOSED');
    const container = createContainer();
    await container.close();
    expect(() => container.open(Scope.Task)).toThrow(/The container is closed/);
    await failure(
      container.use(Scope.Task, () => 1),
      'SCOPE_CLOSED',
    );
  });
});

describe('closing what others are in', () => {
  it('closes open children first, with an abort cause', async () => {
    const log: string[] = [];
    const container = createContainer();
    const worker = container.open(Scope.Worker);
    const [one, other] = [worker.open(Scope.Task), worker.open(Scope.Task)];
    await worker.get(logged('worker', log));
    await one.get(logged('one', log));
    await other.get(logged('other', log));
    const done = worker.open(Scope.Task);
    await done.close();
    log.length = 0;
    await worker.close();
    expect(log).toEqual(['fail other: AbortError', 'fail one: AbortError', 'close worker']);
    await one.close();
    await container.close();
  });

  it('tells of their failing closers too, once', async () => {
    const bad = resource(function* bad() {
      try {
        yield 1;
      } catch {
        throw new Error('rollback');
      }
    });
    const container = createContainer();
    const task = container.open(Scope.Worker).open(Scope.Task);
    await task.get(bad);
    const error = await closeFailure(container.close());
    expect(error.errors.map(({ path }) => path)).toEqual([['bad']]);
    const own = await closeFailure(task.close());
    expect((own.cause as Error).name).toBe('AbortError');
  });

  it('waits for a child that is closing already, whose failures are its own', async () => {
    const log: string[] = [];
    const gate = deferred();
    const container = createContainer();
    const worker = container.open(Scope.Worker);
    await worker.get(logged('worker', log));
    const task = worker.open(Scope.Task);
    await task.get(
      resource(async function* () {
        await turn();
        yield 1;
        await gate.promise;
        log.push('task closed');
        throw new Error('bad');
      }),
    );
    const closing = closeFailure(task.close());
    const closed = worker.close();
    await turn();
    gate.resolve();
    await closed;
    await closing;
    expect(log).toEqual(['open worker', 'task closed', 'close worker']);
  });

  it("closes the container's own lives from the shortest to the longest, and dependents first within each", async () => {
    const log: string[] = [];
    const [storage, worker, broker, base] = ['storage', 'worker', 'broker', 'base'].map((name) => logged(name, log)) as [
      ReturnType<typeof logged>,
      ReturnType<typeof logged>,
      ReturnType<typeof logged>,
      ReturnType<typeof logged>,
    ];
    const user = logged('user', log, [base]);
    const task = resource(
      [
        [Scope.Worker, user],
        [Scope.Worker, worker],
        [Scope.Broker, broker],
        [Scope.Storage, storage],
        [Scope.GlobalConfig, user],
      ],
      () => 1,
    );
    const container = createContainer();
    await container.use(Scope.Task, (scope) => scope.get(task));
    log.length = 0;
    await container.close();
    expect(log).toEqual(['close worker', 'close broker', 'close storage', 'close user', 'close base']);
  });
});

describe('closing while a set-up is under way', () => {
  it('rejects who waits, waits for the set-up, and closes it with an abort cause', async () => {
    const log: string[] = [];
    const gate = deferred();
    const slow = resource(async function* slow() {
      await gate.promise;
      log.push('open slow');
      try {
        yield 1;
        log.push('commit slow');
      } catch (cause) {
        log.push(`rollback slow: ${(cause as Error).name}`);
        throw cause;
      }
    });
    let used = 0;
    const user = resource([slow], () => ++used);
    const task = open();
    await task.get(logged('ready', log));
    const got = [failure(task.get(slow), 'SCOPE_CLOSED'), failure(task.get(user), 'SCOPE_CLOSED')];
    let closed = false;
    const closing = task.close().then(() => (closed = true));
    expect((await got[0])?.message).toMatch(/it closed while 'slow' was being set up/);
    await got[1];
    await turn();
    expect(closed).toBe(false);
    gate.resolve();
    await closing;
    expect(log).toEqual(['open ready', 'open slow', 'rollback slow: AbortError', 'close ready']);
    expect(used).toBe(0);
  });

  it('leaves to a longer life what was asked for it', async () => {
    const log: string[] = [];
    const gate = deferred();
    const pool = resource(async function* pool() {
      await gate.promise;
      log.push('open pool');
      yield 'pool';
      log.push('close pool');
    });
    const user = resource([[Scope.Worker, pool]], (one) => log.push(`use ${one}`));
    const worker = createContainer().open(Scope.Worker);
    const [gone, stays] = [worker.open(Scope.Task), worker.open(Scope.Task)];
    const refused = failure(gone.get(user), 'SCOPE_CLOSED');
    const used = stays.get(user);
    await gone.close(new Error('cancelled'));
    await refused;
    gate.resolve();
    await used;
    await worker.close();
    expect(log).toEqual(['open pool', 'use pool', 'close pool']);
  });

  it('is not troubled by a set-up that fails then', async () => {
    const gate = deferred();
    const broken = resource(async () => {
      await gate.promise;
      throw new Error('late');
    });
    const task = open();
    const refused = failure(task.get(broken), 'SCOPE_CLOSED');
    const closing = task.close();
    gate.resolve();
    await refused;
    await closing;
  });
});

describe('the time limit', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('bounds each closer: one that hangs is reported and the others run', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const log: string[] = [];
    const container = createContainer({ closeTimeout: 500 });
    const task = container.open(Scope.Task);
    await task.get(logged('a', log));
    await task.get(resource(() => ({ [Symbol.asyncDispose]: () => new Promise(() => undefined) })));
    await task.get(logged('b', log));
    const closing = closeFailure(task.close());
    await vi.advanceTimersByTimeAsync(499);
    expect(log).toEqual(['open a', 'open b', 'close b']);
    await vi.advanceTimersByTimeAsync(1);
    expect((await closing).errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/could not be closed: it did not end within 500 ms/),
    ]);
    expect(log).toEqual(['open a', 'open b', 'close b', 'close a']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is 10 s where none is given, and leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] });
    const task = open();
    const gate = deferred();
    await task.get(resource(() => ({ [Symbol.asyncDispose]: () => gate.promise })));
    const closing = task.close();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(vi.getTimerCount()).toBe(1);
    gate.resolve();
    await closing;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes no timer for a closer that has ended by then', async () => {
    const task = open();
    await task.get(
      resource(async function* () {
        yield 1;
      }),
    );
    const timer = vi.spyOn(globalThis, 'setTimeout');
    await task.close();
    expect(timer).not.toHaveBeenCalled();
    timer.mockRestore();
  });

  it('bounds the wait for a set-up, which is closed when it ends after all', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const log: string[] = [];
    const gate = deferred();
    const hanging = resource(async function* hanging() {
      await gate.promise;
      log.push('open');
      try {
        yield 1;
      } catch (cause) {
        log.push((cause as Error).name);
        throw cause;
      }
    });
    const task = createContainer({ closeTimeout: 50 }).open(Scope.Task);
    const refused = failure(task.get(hanging), 'SCOPE_CLOSED');
    const closing = closeFailure(task.close());
    await vi.advanceTimersByTimeAsync(50);
    expect((await closing).errors[0]?.message).toMatch(/'hanging' could not be closed: its set-up did not end within 50 ms/);
    await refused;
    gate.resolve();
    await vi.advanceTimersByTimeAsync(1);
    expect(log).toEqual(['open', 'AbortError']);
  });

  it('obeys the clock that is given', async () => {
    let wake = (): void => undefined;
    const asked: number[] = [];
    const clock: Clock = {
      now: () => new Date(0),
      sleep: (ms) =>
        new Promise((resolve) => {
          asked.push(ms);
          wake = resolve;
        }),
    };
    const task = createContainerCore({ closeTimeout: 700, clock }).open(Scope.Task);
    await task.get(resource(() => ({ [Symbol.asyncDispose]: () => new Promise(() => undefined) })));
    const closing = closeFailure(task.close());
    expect(asked).toEqual([700]);
    wake();
    expect((await closing).errors).toHaveLength(1);
  });

  it.each([-1, Number.NaN, '5' as never])('refuses %s', (closeTimeout) => {
    expect(() => createContainer({ closeTimeout })).toThrow(/closeTimeout must be a number of milliseconds/);
  });

  it('may be none', async () => {
    const task = createContainer({ closeTimeout: Infinity }).open(Scope.Task);
    const gate = deferred();
    await task.get(resource(() => ({ [Symbol.asyncDispose]: () => gate.promise })));
    const closing = task.close();
    await turn();
    gate.resolve();
    await closing;
  });
});

describe('observing', () => {
  it('tells of every set-up and closing in order, with name and life', async () => {
    const log: string[] = [];
    const events: DependencyEvent[] = [];
    const container = createContainerCore();
    const observed = container.observe((event) => events.push(event));
    const bad = resource([[Scope.Worker, logged('pool', log)]], function* bad() {
      try {
        yield 1;
      } finally {
        // eslint-disable-next-line no-unsafe-finally -- what is tested
        throw new Error('tear-down');
      }
    });
    class Plain {
      @Depends(Scope.Task, bad) readonly bad!: number;
    }
    const body = new Error('body');
    const failing = container.use(Scope.Task, async (task) => {
      await task.build(Plain);
      throw body;
    });
    expect(await rejection(failing)).toBe(body);
    await closeFailure(container.use(Scope.Task, (task) => task.get(Plain)));
    observed[Symbol.dispose]();
    await container.close();
    expect(events.slice(0, 3).map(({ event, name, scope, error }) => [event, name, scope, error?.message])).toEqual([
      ['setup', 'pool', 'WORKER', undefined],
      ['setup', 'bad', 'TASK', undefined],
      ['close', 'bad', 'TASK', "Dependency 'bad' could not be closed: tear-down"],
    ]);
    expect(events.every(({ ms }) => ms >= 0)).toBe(true);
    expect(events.some(({ event, name }) => event === 'close' && name === 'pool')).toBe(false);
  });

  it('is not harmed by a listener that throws', async () => {
    const log: string[] = [];
    const container = createContainerCore();
    container.observe(() => {
      throw new Error('listener');
    });
    await container.use(Scope.Task, (task) => task.get(logged('a', log)));
    expect(log).toEqual(['open a', 'close a']);
  });

  it('reads no clock while nobody observes', async () => {
    const now = vi.spyOn(performance, 'now');
    await using container = createContainer();
    await container.use(Scope.Task, (task) => task.get(logged('a', [])));
    expect(now).not.toHaveBeenCalled();
    now.mockRestore();
  });
});
