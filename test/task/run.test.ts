import 'reflect-metadata';
import { IsString } from 'class-validator';
import {
  createApp,
  Depends,
  external,
  Input,
  memoryStore,
  NonRetryableError,
  Output,
  Params,
  Processor,
  resource,
  rows,
  Scope,
  Secret,
  sink,
  type App,
  type Log,
  type Reader,
  type TaskContext,
  type TaskError,
  type Writer,
} from 'millrace';
import { createTestApp, turnedClock } from 'millrace/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const life: string[] = [];
const tracked = resource(async function* tracked() {
  life.push('open');
  try {
    yield { name: 'tracked' };
    life.push('commit');
  } catch (cause) {
    life.push(`roll back: ${(cause as Error | undefined)?.message ?? 'no reason'}`);
    throw cause;
  }
});

/** Does what the test says. */
@Processor()
class Probe {
  static act: (context: TaskContext, self: Probe) => unknown;
  @Depends(Scope.Task, tracked) readonly dependency!: { name: string };
  @Input({ optional: true }) readonly from!: Reader<object>;
  @Output({ optional: true }) readonly to!: Writer<object>;
  run(context: TaskContext): unknown {
    return Probe.act(context, this);
  }
}

let app: App;
beforeEach(async () => {
  life.length = 0;
  app = await createTestApp({ processors: [Probe] });
});
afterEach(() => app.close());

const failure = (run: Promise<unknown>): Promise<TaskError> =>
  run.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error as TaskError,
  );

describe('a run', () => {
  it('tells how it went', async () => {
    Probe.act = async ({ metric, attempt }, { to }) => {
      metric('answer', 42);
      expect(attempt).toBe(1);
      await to.write([{ a: 1 }, { a: 2 }]);
    };
    const result = await app.task(Probe).bind({ to: [] }).run();
    expect(result).toMatchObject({
      processor: 'Probe',
      status: 'succeeded',
      attempts: 1,
      inputs: { from: { rows: 0, rejected: 0 } },
      outputs: { to: { rows: 2, rejected: 0 } },
      metrics: { answer: 42 },
    });
    expect(result.finished.getTime()).toBeGreaterThanOrEqual(result.started.getTime());
    expect(result.monitor.peakMemory).toBeGreaterThan(1e6);
    expect(result.id).not.toBe(result.runId);
  });

  it('closes its dependencies with its outcome, before it publishes', async () => {
    const order: string[] = [];
    app.on('dependency:close', () => order.push('close'));
    app.on('publish', ({ outputs }) => order.push(`publish ${outputs.join()}`));
    Probe.act = (_context, { to }) => to.write({ a: 1 });
    await app.task(Probe).bind({ to: [] }).run();
    expect(life).toEqual(['open', 'commit']);
    expect(order).toEqual(['close', 'publish to']);
    Probe.act = () => {
      throw new Error('no');
    };
    await failure(app.task(Probe).run());
    expect(life).toEqual(['open', 'commit', 'open', 'roll back: no']);
  });

  it('rejects with the error of the action, untouched, and says where', async () => {
    const own = new TypeError('mine');
    Probe.act = () => Promise.reject(own);
    const error = await failure(app.task(Probe).run());
    expect(error).toMatchObject({ name: 'TaskError', code: 'TASK_FAILED', processor: 'Probe', attempts: 1, path: ['Probe'] });
    expect(error.cause).toBe(own);
    expect(error.message).toBe("Processor 'Probe' failed: mine");
  });

  it.each([['text'], [undefined], [{ reason: 1 }]])('keeps %j as the cause, when that is what was thrown', async (thrown) => {
    Probe.act = () => {
      throw thrown;
    };
    const error = await failure(app.task(Probe).run());
    expect(error.cause).toBe(thrown);
    expect(error.message).toContain('a value that is not an Error was thrown');
  });

  it('fails and publishes nothing when a closer fails', async () => {
    const broken = resource(function* broken() {
      yield 1;
      throw new Error('cannot close');
    });
    @Processor()
    class Closing {
      @Depends(Scope.Task, broken) readonly one!: number;
      @Output() readonly to!: Writer<object>;
      run(): Promise<void> {
        return this.to.write({ a: 1 });
      }
    }
    const out: object[] = [];
    await using own = await createApp({ processors: [Closing], stores: { default: memoryStore() }, log: 'silent' });
    const error = await failure(own.task(Closing).bind({ to: out }).run());
    expect(error.cause).toMatchObject({ code: 'SCOPE_CLOSE_FAILED' });
    expect(out).toEqual([]);
  });

  it('has the error of a factory as its cause, and its path', async () => {
    const refused = new Error('refused');
    const database = resource(function database(): number {
      throw refused;
    });
    const repository = resource([database], function repository(from) {
      return { from };
    });
    @Processor()
    class Needy {
      @Depends(Scope.Task, repository) readonly one!: object;
      run(): void {
        expect.fail('it ran');
      }
    }
    const error = await failure(app.task(Needy).run());
    expect(error.cause).toBe(refused);
    expect(error.path).toEqual(expect.arrayContaining(['repository', 'database']));
  });

  it('warns of a processor without an action', async () => {
    @Processor()
    class Idle {}
    const warned: string[] = [];
    const log: Log = { debug: ignore, info: ignore, warn: (message) => warned.push(message), error: ignore };
    await using own = await createApp({ processors: [Idle], stores: { default: memoryStore() }, log });
    expect((await own.task(Idle).run()).status).toBe('succeeded');
    expect(warned).toEqual(['Processor Idle has no action defined']);
  });

  it('warns of an input whose collection does not exist, with the nearest name', async () => {
    const warned: string[] = [];
    const log: Log = { debug: ignore, info: ignore, warn: (message) => warned.push(message), error: ignore };
    await using own = await createApp({ processors: [Probe], stores: { default: memoryStore() }, log });
    await own.store().insert('prices', [{ a: 1 }]);
    Probe.act = (_context, { from, to }) => to.write(from);
    await own.task(Probe).bind({ from: 'prises' }).run();
    expect(warned).toEqual(["Processor 'Probe' input port 'from' read nothing: there is no collection 'prises'. Did you mean 'prices'?"]);
  });

  it('may be made by name; an unknown one gets the nearest', async () => {
    Probe.act = ignore;
    expect((await app.task('Probe').run()).processor).toBe('Probe');
    expect(() => app.task('Prob')).toThrow("no processor is named 'Prob'. Did you mean 'Probe'?");
  });

  it('runs beside another of the same task, each with rows of its own', async () => {
    Probe.act = async (_context, { from, to }) => to.write(from);
    const outs = Array.from({ length: 20 }, (): object[] => []);
    await Promise.all(
      outs.map((to, index) =>
        app
          .task(Probe)
          .bind({ from: [{ index }], to })
          .run(),
      ),
    );
    expect(outs).toEqual(outs.map((_out, index) => [{ index }]));
  });

  it('is awaited when the app closes, and not begun after that', async () => {
    let ended = false;
    Probe.act = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      ended = true;
    };
    const run = app.task(Probe).run();
    const task = app.task(Probe);
    await app.close();
    expect(ended).toBe(true);
    await expect(run).resolves.toMatchObject({ status: 'succeeded' });
    await expect(task.run()).rejects.toMatchObject({ code: 'SCOPE_CLOSED' });
  });
});

describe('cancellation', () => {
  it('reaches the action by its signal, rolls back, and rejects', async () => {
    const controller = new AbortController();
    Probe.act = async ({ signal }, { to }) => {
      await to.write({ a: 1 });
      controller.abort(new Error('enough'));
      expect(signal.aborted).toBe(true);
    };
    const out: object[] = [];
    const error = await failure(app.task(Probe).bind({ to: out }).run({ signal: controller.signal }));
    expect(error).toMatchObject({ code: 'TASK_CANCELLED', message: "Processor 'Probe' was cancelled: enough" });
    expect(life).toEqual(['open', 'roll back: enough']);
    expect(out).toEqual([]);
  });

  it('runs nothing where the signal is aborted already', async () => {
    Probe.act = () => expect.fail('it ran');
    await expect(app.task(Probe).run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
    expect(life).toEqual([]);
  });

  it('closes the ports of an action that ignores its signal', async () => {
    const controller = new AbortController();
    let late: unknown;
    Probe.act = async (_context, { from, to }) => {
      for await (const row of from) {
        await to.write(row).catch((error: unknown) => {
          late = error;
          throw error;
        });
        await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
      }
    };
    const endless = rows(function* endless() {
      for (;;) yield { a: 1 };
    });
    await expect(app.task(Probe).bind({ from: endless, to: [] }).run({ signal: controller.signal })).rejects.toMatchObject({
      code: 'TASK_CANCELLED',
    });
    expect(late === undefined || (late as { code: string }).code === 'PORT_CLOSED').toBe(true);
  });

  const stuck = (): Promise<never> => new Promise(ignore);
  const source = rows<object>(() => ({ [Symbol.asyncIterator]: () => ({ next: stuck }) }));
  it.each([
    ['a source', ({ from }: Probe) => from.toArray(), { from: source }],
    ['a count', ({ from }: Probe) => from.count(), { from: source }],
    ['a target', ({ to }: Probe) => to.write(Array.from({ length: 5000 }, () => ({}))), { to: sink<object>(stuck) }],
  ])('lets an action go that waits for %s', async (_what, act, bindings) => {
    await using own = await createApp({ processors: [Probe], stores: { default: memoryStore() }, log: 'silent', closeTimeout: 20 });
    Probe.act = (_context, self) => act(self);
    const error = await failure(own.task(Probe).bind(bindings).run({ timeout: 10 }));
    expect(error.message).toBe("Processor 'Probe' took longer than 10 ms");
  });

  it('gives up an action that never ends, and names it', async () => {
    await using own = await createApp({ processors: [Probe], stores: { default: memoryStore() }, log: 'silent', closeTimeout: 20 });
    Probe.act = () => new Promise(ignore);
    const error = await failure(own.task(Probe).run({ timeout: 10 }));
    expect(error.code).toBe('TASK_TIMEOUT');
    expect(error.message).toMatch(/Processor 'Probe' took longer than 10 ms; it ignored its signal for 20 ms/);
    expect(life).toEqual(['open', expect.stringContaining('roll back')]);
  });

  it('gives up a dependency that never comes', async () => {
    const stuck = resource(() => new Promise<number>(ignore));
    @Processor()
    class Waiting {
      @Depends(Scope.Task, stuck) readonly one!: number;
      run(): void {
        expect.fail('it ran');
      }
    }
    await using own = await createApp({ processors: [Waiting], stores: { default: memoryStore() }, log: 'silent', closeTimeout: 20 });
    await expect(own.task(Waiting).run({ timeout: 10 })).rejects.toMatchObject({ code: 'TASK_TIMEOUT' });
  });
});

describe('time-outs and retries', () => {
  it('obey the clock of the app', async () => {
    const clock = turnedClock();
    await using own = await createTestApp({ processors: [Probe], clock });
    const attempts: number[] = [];
    Probe.act = async ({ attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error(`attempt ${String(attempt)}`);
    };
    const delays: number[] = [];
    own.on('task:retry', ({ delay }) => delays.push(delay));
    const run = own.task(Probe).run({ retry: { attempts: 3, delay: 60_000, backoff: 'exponential' } });
    await clock.turn(60_000);
    expect(attempts).toEqual([1, 2]);
    await clock.turn(120_000);
    const result = await run;
    expect(result).toMatchObject({ attempts: 3, started: new Date('2026-01-01T00:00:00Z'), finished: new Date('2026-01-01T00:03:00Z') });
    expect(delays).toEqual([60_000, 120_000]);
    expect(life).toEqual(['open', 'roll back: attempt 1', 'open', 'roll back: attempt 2', 'open', 'commit']);
  });

  it('publish only what the last attempt wrote', async () => {
    Probe.act = async ({ attempt }, { to }) => {
      await to.write({ attempt });
      if (attempt === 1) throw new Error('again');
    };
    const out: object[] = [];
    const result = await app
      .task(Probe)
      .bind({ to: out })
      .run({ retry: { attempts: 2 } });
    expect(out).toEqual([{ attempt: 2 }]);
    expect(result.outputs['to']?.rows).toBe(1);
  });

  it('stop at an error that is not to be retried', async () => {
    let attempts = 0;
    Probe.act = () => {
      attempts++;
      throw new NonRetryableError('never');
    };
    await failure(app.task(Probe).run({ retry: { attempts: 5 } }));
    expect(attempts).toBe(1);
    Probe.act = () => {
      attempts++;
      throw new TypeError('a type');
    };
    const error = await failure(app.task(Probe).run({ retry: { attempts: 3, on: (thrown) => thrown instanceof RangeError } }));
    expect([attempts, error.attempts]).toEqual([2, 1]);
  });

  it('end with the error of the action where the question whether to retry fails', async () => {
    Probe.act = () => Promise.reject(new Error('no'));
    const on = (): boolean => {
      throw new Error('bad question');
    };
    const error = await failure(app.task(Probe).run({ retry: { attempts: 3, on } }));
    expect(error).toMatchObject({ code: 'TASK_FAILED', attempts: 1, cause: new Error('no') });
  });

  it('may be longer than a timer takes', async () => {
    Probe.act = () => new Promise((resolve) => setTimeout(resolve, 5));
    await expect(app.task(Probe).run({ timeout: 2 ** 40 })).resolves.toMatchObject({ status: 'succeeded' });
  });

  it('end with the last error when all attempts are made', async () => {
    Probe.act = ({ attempt }) => Promise.reject(new Error(`no ${String(attempt)}`));
    const error = await failure(app.task(Probe).run({ retry: { attempts: 2, delay: 1 } }));
    expect(error).toMatchObject({ attempts: 2, cause: new Error('no 2'), message: "Processor 'Probe' failed after 2 attempts: no 2" });
  });

  it('end at once when the run is cancelled while it waits', async () => {
    const controller = new AbortController();
    Probe.act = () => Promise.reject(new Error('no'));
    app.on('task:retry', () => setTimeout(() => controller.abort(), 5));
    const error = await failure(app.task(Probe).run({ signal: controller.signal, retry: { attempts: 2, delay: 60_000 } }));
    expect(error.code).toBe('TASK_CANCELLED');
  });
});

describe('events', () => {
  it('come in order, and a listener that throws harms nobody and is reported', async () => {
    const reported: string[] = [];
    const log: Log = { debug: ignore, info: ignore, warn: ignore, error: (message) => reported.push(message) };
    await using own = await createApp({ processors: [Probe], stores: { default: memoryStore() }, log });
    const seen: string[] = [];
    for (const event of [
      'run:start',
      'task:start',
      'dependency:setup',
      'port:rows',
      'dependency:close',
      'publish',
      'task:end',
      'run:end',
    ] as const)
      own.on(event, () => seen.push(event));
    own.on('task:start', () => {
      throw new Error('bad listener');
    });
    own.on('run:end', () => Promise.reject(new Error('later')) as never);
    const local: string[] = [];
    Probe.act = (_context, { to }) => to.write([{ a: 1 }]);
    await own
      .task(Probe)
      .bind({ to: [] })
      .run({ on: { 'run:end': ({ status }) => local.push(status) } });
    expect(seen).toEqual([
      'run:start',
      'task:start',
      'dependency:setup',
      'port:rows',
      'dependency:close',
      'publish',
      'task:end',
      'run:end',
    ]);
    expect(reported).toEqual([
      expect.stringContaining("a listener of 'task:start' threw: Error: bad listener"),
      expect.stringContaining("a listener of 'run:end' threw: Error: later"),
    ]);
    expect(local).toEqual(['succeeded']);
  });

  it('are not heard when the subscription is disposed', async () => {
    Probe.act = ignore;
    const seen: string[] = [];
    {
      using _ = app.on('run:end', () => seen.push('heard'));
      await app.task(Probe).run();
    }
    await app.task(Probe).run();
    expect(seen).toEqual(['heard']);
  });
});

class Login {
  @IsString() user = 'me';
  @IsString() @Secret() password = 'unset';
}
@Processor()
class SecretKeeper {
  @Params({ schema: Login }) readonly params!: Login;
  run({ log }: TaskContext): void {
    log.info(`signing in with ${this.params.password}`, { params: this.params, nested: { raw: this.params.password } });
    throw new Error(`refused: ${this.params.password}`);
  }
}

describe('records and the log', () => {
  it('name processor, bindings and counts, for success and failure', async () => {
    const lines: string[] = [];
    const log: Log = { debug: ignore, info: (message) => lines.push(message), warn: ignore, error: (message) => lines.push(message) };
    const store = memoryStore();
    {
      await using own = await createApp({ processors: [Probe], stores: { default: external(store) }, log });
      Probe.act = (_context, { from, to }) => to.write(from);
      await own
        .task(Probe)
        .bind({ from: Array.from({ length: 1204 }, (_, a) => ({ a })), to: 'prices' })
        .run();
      Probe.act = () => Promise.reject(new Error('no'));
      await failure(own.task(Probe).bind({ to: 'prices' }).run());
    }
    expect(lines[0]).toBe('Probe  from ← [1204 rows]  to → prices');
    expect(lines[1]).toMatch(/^Probe {2}from ← \[1204 rows\] \(1,204 rows\) {2}to → prices \(1,204 rows\) {2}[\d.]+ m?s$/);
    expect(lines[3]).toMatch(/^Probe {2}to → prices \(0 rows\) {2}failed after /);
    const runs = await store.find('_millrace_runs').toArray();
    expect(runs).toMatchObject([
      { kind: 'task', name: 'Probe', status: 'succeeded' },
      { kind: 'task', name: 'Probe', status: 'failed', error: "Processor 'Probe' failed: no" },
    ]);
    const tasks = await store.find('_millrace_tasks').toArray();
    expect(tasks[0]).toMatchObject({
      runId: runs[0]._id,
      processor: 'Probe',
      attempts: 1,
      outputs: { to: { rows: 1204, rejected: 0 } },
      bindings: { outputs: { to: 'prices' } },
    });
    expect(tasks[1]).toMatchObject({ status: 'failed', error: { code: 'TASK_FAILED' } });
  });

  it('never show a secret of a row that is bound alone', () => {
    @Processor()
    class Reads {
      @Input({ schema: Login }) readonly from!: Reader<Login>;
    }
    expect(
      app
        .task(Reads)
        .bind({ from: { user: 'me', password: 'hunter2' } })
        .inputBindings(),
    ).toEqual({ from: '{"user":"me","password":"***"}' });
  });

  it('never show a secret', async () => {
    const lines: string[] = [];
    const add =
      (level: string) =>
      (message: string, facts?: object): void => {
        lines.push(`${level} ${message} ${JSON.stringify(facts)}`);
      };
    const store = memoryStore();
    const own = await createApp({
      processors: [SecretKeeper],
      stores: { default: external(store) },
      log: { debug: add('d'), info: add('i'), warn: add('w'), error: add('e') },
    });
    const task = own.task(SecretKeeper).bindParams({ password: 'hunter2' });
    expect(task.inputBindings()).toEqual({ params: '{"password":"***"}' });
    const error = await failure(task.run());
    expect(error.message).toBe("Processor 'SecretKeeper' failed: refused: ***");
    expect((error.cause as Error).message).toBe('refused: hunter2');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.join('\n')).not.toContain('hunter2');
    expect(lines.join('\n')).toContain('signing in with ***');
    await own.close();
    const records = [...(await store.find('_millrace_runs').toArray()), ...(await store.find('_millrace_tasks').toArray())];
    expect(records).toHaveLength(2);
    expect(JSON.stringify(records)).not.toContain('hunter2');
  });
});

describe('parameters', () => {
  it('are an instance of their class with its defaults, whichever way they are bound', async () => {
    @Processor()
    class Show {
      static shown: unknown;
      @Params({ schema: Login }) readonly params!: Login;
      run(): void {
        Show.shown = this.params;
      }
    }
    await app.task(Show).run();
    expect(Show.shown).toEqual(Object.assign(new Login(), { user: 'me', password: 'unset' }));
    expect(Show.shown).toBeInstanceOf(Login);
    await app.store().insert('logins', [{ user: 'you' }]);
    await app.task(Show).bindParams('logins').run();
    expect(Show.shown).toMatchObject({ user: 'you', password: 'unset' });
    await expect(app.task(Show).bindParams('nothing').run()).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });

  it('are refused as they are, with every fault, before anything runs', async () => {
    const wrong = app.task(SecretKeeper).bindParams({ user: 5, password: 6, usr: 'x' } as never);
    const error = await failure(wrong.run());
    expect(error.code).toBe('PARAMS_INVALID');
    expect(error.message).toMatch(/user.*isString.*5/s);
    expect(error.message).toMatch(/usr/);
    expect(error.message).not.toContain('6');
  });
});

function ignore(): void {
  // nothing to do
}
