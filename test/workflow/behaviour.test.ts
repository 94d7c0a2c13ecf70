import 'reflect-metadata';
import {
  BindingError,
  collection,
  Input,
  Output,
  Processor,
  rows,
  workflow,
  WorkflowError,
  type Events,
  type Reader,
  type Store,
  type TaskContext,
  type WorkflowResult,
  type Writer,
} from 'millrace';
import { createTestApp, turnedClock } from 'millrace/testing';
import { IsInt } from 'class-validator';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Broken, Copy, Drain, Idle, items, type Item } from './fixtures.js';
import { describeStores } from './stores.js';

const statuses = ({ steps }: Pick<WorkflowResult, 'steps'>): Record<string, string> =>
  Object.fromEntries(Object.entries(steps).map(([name, { status }]) => [name, status]));
const caught = (promise: Promise<unknown>): Promise<WorkflowError> =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as WorkflowError,
  );
const read = async (store: Store, name: string): Promise<number[]> => (await store.find<Item>(name).toArray()).map(({ n }) => n);

@Processor()
class Twice {
  @Input() readonly from!: Reader<Item>;
  async run(): Promise<void> {
    await this.from.first();
    await this.from.toArray();
  }
}
@Processor()
class Endless {
  async run({ signal }: TaskContext): Promise<void> {
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }
}
class Numbered {
  @IsInt() n!: number;
}
@Processor()
class Strict {
  @Input({ schema: Numbered, onInvalid: 'reject' }) readonly from!: Reader<Numbered>;
  @Output() readonly to!: Writer<Numbered>;
  async run(): Promise<void> {
    await this.to.write(this.from);
  }
}
let attempts = 0;
@Processor()
class Flaky {
  @Input() readonly from!: Reader<Item>;
  @Output() readonly to!: Writer<Item>;
  async run(): Promise<void> {
    await this.to.write(this.from);
    if (attempts++ === 0) throw new Error('once');
  }
}

describeStores('a workflow', (open) => {
  const test = (options = {}) => createTestApp({ stores: { default: open() }, log: 'silent', ...options });
  describe('links of a run', () => {
    it('that are bound too publish, and give this run’s rows only', async () => {
      await using app = await test();
      await app.store().insert('log', [{ n: 99 }]);
      const w = workflow('w', (b) => {
        const first = b.step(Copy, { bind: { from: items(2), to: collection('log', { mode: 'append' }) } });
        b.step(Copy, { name: 'second', bind: { from: first.output('to'), to: 'out' } });
        b.step(Copy, { name: 'third', bind: { from: collection('log'), to: 'all' } });
      });
      await app.workflow(w).run();
      expect(await read(app.store(), 'log')).toEqual([99, 0, 1]);
      expect(await read(app.store(), 'out')).toEqual([0, 1]);
      expect(await read(app.store(), 'all')).toEqual([99, 0, 1]);
    });

    it('that stream pass once, and say what to do about it', async () => {
      await using app = await test();
      const w = workflow('w', (b) => {
        b.step(Copy, { bind: { from: items(3000) } });
        b.step(Twice);
      });
      const error = await caught(app.workflow(w).run());
      expect(error.result.steps['Twice']?.error).toMatchObject({
        message: expect.stringMatching(/rereads: true/) as string,
        cause: { code: 'LINK_CONSUMED' },
      });
    });

    it('are spooled where streaming would be wrong, with the reason, and dropped at the end', async () => {
      attempts = 0;
      await using app = await test();
      const w = workflow('w', (b) => {
        const first = b.step(Copy, { bind: { from: items(10) } });
        const flaky = b.step(Flaky, { bind: { from: first.output('to') }, retry: { attempts: 2 } });
        b.step(Drain, { name: 'may fail', bind: { from: first.output('to') }, onError: 'skip' });
        b.step(Drain, { name: 'asks', bind: { from: first.output('to') }, when: () => true });
        b.step(Copy, { name: 'last', bind: { from: flaky.output('to'), to: 'out' } });
      });
      const plan = await app.workflow(w).plan();
      expect(plan.flatMap(({ name, links }) => links.map(({ by, reason }) => [name, by, reason]))).toEqual([
        ['Flaky', 'spool', "'Flaky' may be attempted again"],
        ['may fail', 'spool', "'may fail' may fail and be skipped"],
        ['asks', 'spool', "whether 'asks' runs is decided when 'Copy' has ended"],
        ['last', 'spool', "'Flaky' may be attempted again"],
      ]);
      expect(plan[1]?.bindings).toEqual({ from: "Copy.to (spooled: 'Flaky' may be attempted again)", to: 'last.from' });
      const dropped: string[] = [];
      const store = app.store();
      const drop = store.drop.bind(store);
      store.drop = (name) => {
        dropped.push(name);
        return drop(name);
      };
      await app.workflow(w).run();
      expect(attempts).toBe(2);
      expect(await read(app.store(), 'out')).toEqual(items(10).map(({ n }) => n));
      expect(dropped).toHaveLength(2);
      for (const name of dropped) expect(await store.count(name)).toBe(0);
    });

    it('give rows as they were written, with or without an _id', async () => {
      await using app = await test();
      const seen: object[] = [];
      const w = workflow('w', (b) => {
        const first = b.step(Copy, { bind: { from: [{ n: 1 }], to: 'out' } });
        b.step(Copy, { name: 'spooled', bind: { from: first.output('to'), to: seen as Item[] }, onError: 'skip' });
      });
      await app.workflow(w).run();
      expect(seen).toEqual([{ n: 1 }]);
    });
  });

  describe('rejected rows', () => {
    it('of several steps go to places of their own', async () => {
      await using app = await test();
      const w = workflow('w', (b) => {
        const first = b.step(Strict, { name: 'first', bind: { from: [{ n: 1 }, { n: 'bad' } as never] } });
        b.step(Strict, { name: 'second', bind: { from: first.output('to'), to: 'out' } });
        b.step(Strict, { name: 'third', bind: { from: [{ n: 'worse' } as never], to: 'other' } });
      });
      await app.workflow(w).run();
      const rejected = async (name: string) => (await app.store().find<{ row: Item }>(name).toArray()).map(({ row }) => row.n);
      expect(await rejected('Strict_from_rejects')).toEqual(['bad']);
      expect(await rejected('third_from_rejects')).toEqual(['worse']);
      expect((await app.store().collections()).filter((name) => name.endsWith('_rejects'))).toEqual([
        'Strict_from_rejects',
        'third_from_rejects',
      ]);
    });
  });

  describe('the order of a run', () => {
    it('follows collections, and files', async () => {
      await using app = await test();
      const folder = mkdtempSync(join(tmpdir(), 'millrace-order-'));
      const path = `file:${join(folder, 'between.ndjson')}`;
      const w = workflow('w', (b) => {
        b.step(Copy, { name: 'third', bind: { from: path, to: 'end' } });
        b.step(Copy, { name: 'second', bind: { from: 'begin', to: path } });
        b.step(Copy, { name: 'first', bind: { from: items(3), to: 'begin' } });
      });
      await app.workflow(w).run();
      expect(await read(app.store(), 'end')).toEqual([0, 1, 2]);
      rmSync(folder, { recursive: true });
    });

    it('keeps to its concurrency, where streams count as one', async () => {
      await using app = await test();
      let running = 0;
      let most = 0;
      app.on('task:start', () => (most = Math.max(most, ++running)));
      app.on('task:end', () => running--);
      const w = workflow('w', (b) => {
        for (let step = 0; step < 20; step++)
          b.step(Copy, {
            name: `s${String(step)}`,
            bind: {
              from: rows(async function* () {
                yield await Promise.resolve({ n: 1 });
              }),
              to: `o${String(step)}`,
            },
          });
      });
      await app.workflow(w).run({ concurrency: 3 });
      expect(most).toBe(3);
    });

    it('asks `when` just before a step, with variables and the rows of links', async () => {
      await using app = await test();
      const asked: unknown[] = [];
      const w = workflow('w', (b) => {
        const first = b.step(Copy, { bind: { from: items(7) } });
        const never = b.step(Copy, {
          name: 'never',
          bind: { from: first.output('to') },
          when: async ({ variables, rows: count }) => {
            asked.push(variables['base'], await count(first.output('to')));
            return false;
          },
        });
        b.step(Drain, { name: 'reader', bind: { from: never.output('to') } });
        b.step(Idle, { name: 'follower', after: [never] });
      });
      const result = await app.workflow(w).run({ variables: { base: 'EUR' } });
      expect(asked).toEqual(['EUR', 7]);
      expect(result.status).toBe('succeeded');
      expect(statuses(result)).toEqual({ Copy: 'succeeded', never: 'skipped', reader: 'skipped', follower: 'succeeded' });
      await app.workflow(workflow('outer', (b) => void b.workflow(w, { name: 'inner' }))).run({ variables: { base: 'USD' } });
      expect(asked).toEqual(['EUR', 7, 'USD', 7]);
    });
  });

  describe('slices of a run', () => {
    const w = workflow('w', (b) => {
      const first = b.step(Copy, { name: 'first', bind: { from: items(3), to: 'one' }, tags: ['daily'] });
      const second = b.step(Copy, { name: 'second', bind: { from: first.output('to') } });
      b.step(Copy, { name: 'third', bind: { from: second.output('to'), to: 'three' } });
    });

    it('read what they need from where it was published', async () => {
      await using app = await test();
      await app.workflow(w).run({ to: ['first'] });
      const result = await app.workflow(w).run({ from: ['second'] });
      expect(statuses(result)).toEqual({ first: 'skipped', second: 'succeeded', third: 'succeeded' });
      expect(result.steps['first']?.reason).toBe('not selected');
      expect(await read(app.store(), 'three')).toEqual([0, 1, 2]);
    });

    it('are refused by name where it was not', async () => {
      await using app = await test();
      await expect(app.workflow(w).run({ only: ['third'] })).rejects.toMatchObject({ faults: { length: 1 } });
      await expect(app.workflow(w).run({ only: ['third'] })).rejects.toThrow(
        /'second' is not selected and its output is not published anywhere/,
      );
      await expect(app.workflow(w).run({ only: ['second'] })).rejects.toThrow(/nothing was ever published to 'one'/);
      await expect(app.workflow(w).run({ only: ['thrid'] })).rejects.toMatchObject({ code: 'STEP_UNKNOWN' });
      await expect(app.workflow(w).run({ tags: ['daily'], only: ['third'] })).rejects.toMatchObject({ code: 'SELECTION_EMPTY' });
    });

    it('are refused where a file, a store or a collection is not there that a step outside is to have written', async () => {
      await using app = await test();
      const refused = async (to: string, from?: string): Promise<unknown> => {
        const cut = workflow('cut', (b) => {
          const writer = b.step(Copy, { name: 'writer', bind: { from: items(1), to } });
          b.step(Drain, { name: 'reader', bind: { from: from ?? writer.output('to') } });
        });
        const error: unknown = await app
          .workflow(cut)
          .plan({ only: ['reader'] })
          .catch((thrown: unknown) => thrown);
        return error instanceof BindingError ? error.faults.map(({ code, message }) => `${code} ${message}`) : error;
      };
      const linked = "PORT_UNBOUND Step 'reader' input port 'from' is linked to 'writer.to', but 'writer' is not selected and";
      expect(await refused('file:nowhere/rows.csv')).toEqual([`${linked} 'file:nowhere/rows.csv' cannot be read`]);
      expect(await refused('rows@depot')).toEqual([`${linked} there is no store 'depot'`]);
      expect(await refused('file:')).toEqual([`${linked} its output is not published anywhere`]);
      expect(await refused('missing', 'missing')).toEqual([
        "PORT_UNBOUND Step 'reader' input port 'from' reads 'missing', which 'writer' writes, but 'writer' is not selected and nothing was ever published to 'missing'",
      ]);
    });

    it('take bindings of their own', async () => {
      await using app = await test();
      await app.workflow(w).run({ only: ['third'], bind: { third: { from: [{ n: 5 }], to: 'elsewhere' } } });
      expect(await read(app.store(), 'elsewhere')).toEqual([5]);
      await expect(app.workflow(w).run({ bind: { thrid: {} } })).rejects.toMatchObject({ code: 'STEP_UNKNOWN' });
      await expect(app.workflow(w).run({ bind: { third: { form: [] } } })).rejects.toMatchObject({ code: 'PORT_UNKNOWN' });
      await expect(app.workflow(w).run({ bind: { second: { to: 'one' } } })).rejects.toMatchObject({ code: 'BINDING_CONFLICT' });
    });
  });

  describe('the end of a run', () => {
    it('comes with its time-out', async () => {
      const clock = turnedClock();
      await using app = await test({ clock });
      const w = workflow('w', (b) => {
        const endless = b.step(Endless);
        b.step(Idle, { after: [endless] });
      });
      const started = new Promise<void>((resolve) => app.on('task:start', () => resolve()));
      const running = caught(app.workflow(w).run({ timeout: 5000 }));
      await started;
      await clock.turn(5000);
      const error = await running;
      expect(error).toMatchObject({
        code: 'WORKFLOW_FAILED',
        message: "Workflow 'w' failed: Workflow 'w' took longer than 5.0 s",
        cause: { code: 'TASK_TIMEOUT' },
      });
      expect(statuses(error.result)).toEqual({ Endless: 'cancelled', Idle: 'skipped' });
    });

    it('is not begun in an app that is closed', async () => {
      const app = await test();
      const task = app.workflow(workflow('w', (b) => void b.step(Idle)));
      await app.close();
      await expect(task.run()).rejects.toMatchObject({ code: 'SCOPE_CLOSED' });
      await expect(task.resume()).rejects.toMatchObject({ code: 'SCOPE_CLOSED' });
    });

    it('is told to the listeners of a step what concerns it', async () => {
      await using app = await test();
      const told: string[] = [];
      const w = workflow('w', (b) => {
        const fails = b.step(Broken, {
          name: 'fails',
          onError: 'skip',
          on: { 'task:end': ({ step, status }) => told.push(`${step ?? ''} ${status}`) },
        });
        b.step(Drain, {
          bind: { from: fails.output('to') },
          on: { 'task:end': ({ step, status }) => told.push(`${step ?? ''} ${status}`) },
        });
        b.step(Idle);
      });
      await app.workflow(w).run();
      expect(told).toEqual(['fails failed', 'Drain skipped']);
    });

    it('is not reached where options make no sense', async () => {
      await using app = await test();
      const w = workflow('w', (b) => void b.step(Idle));
      for (const options of [
        { concurrency: 0 },
        { concurrency: 1.5 },
        { timeout: -1 },
        { onFailure: 'never' },
        { from: 'Idle' },
        { bind: 'x' },
        { retry: { attempts: 0 } },
      ]) {
        const [option = ''] = Object.keys(options);
        const refusal = { code: 'CONFIG_INVALID', message: expect.stringContaining(`Workflow 'w' run option '${option}'`) as string };
        await expect(app.workflow(w).run(options as never)).rejects.toMatchObject(refusal);
        await expect(app.workflow(w).plan(options as never)).rejects.toMatchObject(refusal);
      }
    });

    it('is recorded, with every step, and told as it happens', async () => {
      await using app = await test();
      const told: string[] = [];
      const tell = (event: keyof Events) =>
        app.on(event, (facts) =>
          told.push(
            `${event} ${'step' in facts ? facts.step : 'workflow' in facts ? (facts.workflow ?? '') : ''} ${'status' in facts ? facts.status : ''}`.trim(),
          ),
        );
      for (const event of ['run:start', 'task:start', 'publish', 'task:end', 'run:end'] as const) tell(event);
      const w = workflow('w', (b) => {
        const fails = b.step(Broken, { name: 'fails', onError: 'skip' });
        b.step(Drain, { bind: { from: fails.output('to') } });
        b.step(Copy, { bind: { from: items(2), to: 'out' }, after: [fails] });
      });
      const { id } = await app.workflow(w).run();
      expect(told).toEqual([
        'run:start w',
        'task:start fails',
        'task:end fails failed',
        'task:end Drain skipped',
        'task:start Copy',
        'publish Copy',
        'task:end Copy succeeded',
        'run:end w partial',
      ]);
      expect(await app.store().find('_millrace_runs').toArray()).toMatchObject([
        { _id: id, kind: 'workflow', name: 'w', status: 'partial' },
      ]);
      const tasks = await app
        .store()
        .find<{ step: string; status: string }>('_millrace_tasks', { filter: { runId: id } })
        .toArray();
      expect(tasks.map(({ step, status }) => [step, status])).toEqual([
        ['fails', 'failed'],
        ['Drain', 'skipped'],
        ['Copy', 'succeeded'],
      ]);
    });

    it('leaves what was published, and nothing of what failed', async () => {
      await using app = await test();
      const w = workflow('w', (b) => {
        const first = b.step(Copy, { bind: { from: items(5000), to: 'first' } });
        b.step(Broken, { bind: { from: first.output('to'), to: 'second' } });
      });
      await caught(app.workflow(w).run());
      expect(await app.store().count('first')).toBe(5000);
      expect(await app.store().collections()).toEqual(['first']);
    });

    it('of a writer that fails takes the readers of its streams with it', async () => {
      await using app = await test();
      const w = workflow('w', (b) => {
        const fails = b.step(Broken, { name: 'fails', bind: { from: items(20_000) } });
        b.step(Copy, { name: 'reader', bind: { from: fails.output('to'), to: 'out' } });
        b.step(Idle, { name: 'other' });
      });
      const error = await caught(app.workflow(w).run({ onFailure: 'finish-branches' }));
      expect(statuses(error.result)).toEqual({ fails: 'failed', reader: 'skipped', other: 'succeeded' });
      expect(error.result.steps['reader']?.reason).toBe("'fails' failed");
      expect(await app.store().collections()).toEqual([]);
    });
  });

  describe('a command', () => {
    const run = async (command: string, args: readonly string[], options = {}) => {
      await using app = await test();
      const w = workflow('w', (b) => void b.command('tell', { command, args, bind: { lines: 'lines' }, ...options }));
      const result = await app
        .workflow(w)
        .run()
        .catch((error: unknown) => error as WorkflowError);
      return { result, lines: (await app.store().find<{ line: string }>('lines').toArray()).map(({ line }) => line) };
    };

    it('gives its lines as rows', async () => {
      const { lines } = await run('sh', ['-c', 'printf "a\\r\\nb\\n\\n$WHO"'], { env: { WHO: 'me' } });
      expect(lines).toEqual(['a', 'b', '', 'me']);
    });

    it('that nobody reads tells its lines in the log, without what its environment hides', async () => {
      const said: string[] = [];
      const say = (level: string) => (message: string) => void said.push(`${level} ${message}`);
      const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
      await using app = await createTestApp({ stores: { default: open() }, log });
      const script = 'printf "one\\n\\ntwo $KEY"; printf "thr" >&2; sleep 0.1; echo "ee http://me:pass@host" >&2';
      const command = { command: 'sh', args: ['-c', script], env: { KEY: 'abracadabra' } };
      const told = workflow('told', (w) => void w.command('tell', command));
      const { steps } = await app.workflow(told).run();
      expect(steps['tell']?.result?.outputs).toEqual({ lines: { rows: 3, rejected: 0 } });
      const own = (): string[] =>
        said
          .splice(0)
          .filter((line) => /^\w+ tell: /.test(line))
          .sort();
      expect(own()).toEqual(['info tell: one', 'info tell: two ***', 'warn tell: three http://***@host']);
      await app.workflow(workflow('bound', (w) => void w.command('tell', { ...command, bind: { lines: 'lines' } }))).run();
      expect(own()).toEqual(['warn tell: three http://***@host']);
    });

    it('fails with its code, and with what it said', async () => {
      const { result, lines } = await run('sh', ['-c', 'echo out; echo sorry >&2; exit 3']);
      expect(result).toMatchObject({
        code: 'WORKFLOW_FAILED',
        message: expect.stringMatching(/command 'sh' ended with code 3: sorry/) as string,
      });
      expect(lines).toEqual([]);
    });

    it('that there is none of fails', async () => {
      expect((await run('no-such-program', [])).result).toMatchObject({ message: expect.stringMatching(/is not found/) as string });
    });

    it('is ended with all that it started', async () => {
      await using app = await test();
      const stop = new AbortController();
      const w = workflow(
        'w',
        (b) => void b.command('wait', { command: 'sh', args: ['-c', 'echo $$; sleep 60 & wait'], bind: { lines: 'lines' } }),
      );
      app.on('task:start', () => setTimeout(() => stop.abort(new Error('enough')), 200));
      const begun = performance.now();
      expect(await caught(app.workflow(w).run({ signal: stop.signal }))).toMatchObject({ code: 'WORKFLOW_CANCELLED' });
      expect(performance.now() - begun).toBeLessThan(5000);
    });
  });
});
