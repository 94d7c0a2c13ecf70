import 'reflect-metadata';
import fc from 'fast-check';
import { Input, Output, Processor, rows, workflow, WorkflowError, type Reader, type Workflow, type Writer } from 'millrace';
import { createTestApp } from 'millrace/testing';
import { IsInt } from 'class-validator';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseSteps } from '../../src/workflow/reuse.js';
import type { Item } from './fixtures.js';
import { graphs } from './random-graph.js';
import { describeStores } from './stores.js';

let broken = new Set<string>();
let ran: string[] = [];
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function named(name: string): typeof First {
  @Processor({ name })
  class Step extends First {
    @Input({ optional: true }) declare readonly from: Reader<Item>;
    @Input({ optional: true }) declare readonly more: Reader<Item>;
    @Output({ optional: true }) declare readonly to: Writer<Item>;
    override readonly name: string = name;
  }
  return Step;
}
class First {
  readonly name: string = '';
  readonly from!: Reader<Item>;
  readonly more!: Reader<Item>;
  readonly to!: Writer<Item>;
  async run(): Promise<void> {
    ran.push(this.name);
    for await (const { n } of this.from) await this.to.write({ n: n + 1 });
    for await (const { n } of this.more) await this.to.write({ n });
    if (broken.has(this.name)) throw new Error(`${this.name} is broken`);
  }
}
const [Import, Clean, Sum, Tell] = ['import', 'clean', 'sum', 'tell'].map(named) as [
  typeof First,
  typeof First,
  typeof First,
  typeof First,
];
const source = [{ n: 1 }, { n: 2 }];
class Numbered {
  @IsInt() n!: number;
}
@Processor()
class Export {
  @Input() readonly from!: Reader<Numbered>;
  @Output({ schema: Numbered }) readonly to!: Writer<Numbered>;
  async run(): Promise<void> {
    ran.push('export');
    await this.to.write(this.from);
  }
}

/** `import` streams to `clean`, which is published, kept or neither, and read by `sum`. */
function chain(how: 'published' | 'kept' | 'streamed', from: unknown = rows(() => source)): Workflow {
  return workflow('chain', (w) => {
    const first = w.step(Import, { bind: { from: from as never } });
    const clean = w.step(Clean, {
      bind: { from: first.output('to'), ...(how === 'published' ? { to: 'cleaned' } : {}) },
      keep: how === 'kept',
    });
    const sum = w.step(Sum, { bind: { from: clean.output('to'), to: 'summed' } });
    w.step(Tell, { after: [sum] });
  });
}

describeStores('resuming', (open) => {
  const fail = async (app: Awaited<ReturnType<typeof createTestApp>>, work: Workflow, step: string): Promise<WorkflowError> => {
    broken = new Set([step]);
    const error: unknown = await app
      .workflow(work)
      .run()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkflowError);
    broken = new Set();
    ran = [];
    return error as WorkflowError;
  };

  it.each([
    ['published', ['sum', 'tell']],
    ['kept', ['sum', 'tell']],
    ['streamed', ['clean', 'import', 'sum', 'tell']],
  ] as const)('runs again only what was not %s', async (how, expected) => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const work = chain(how);
    const error = await fail(app, work, 'sum');
    const plan = await app.workflow(work).planResume();
    const result = await app.workflow(work).resume();
    expect([...ran].sort()).toEqual(expected);
    expect(
      plan
        .filter((step) => step.runs)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(expected);
    expect(result.id).not.toBe(error.result.id);
    for (const [name, { status }] of Object.entries(result.steps))
      expect(status).toBe((expected as readonly string[]).includes(name) ? 'succeeded' : 'reused');
    expect((await app.store().find<Item>('summed').toArray()).map(({ n }) => n)).toEqual([4, 5]);
    await expect(app.workflow(work).resume()).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  });

  it('goes on with a run that went on with another', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    await fail(app, chain('kept'), 'sum');
    broken = new Set(['tell']);
    await expect(app.workflow(chain('kept')).resume()).rejects.toThrow("'tell'");
    expect(ran).toEqual(['sum', 'tell']);
    broken = new Set();
    ran = [];
    await app.workflow(chain('kept')).resume();
    expect(ran).toEqual(['tell']);
  });

  it('runs again what has other inputs, and all that reads from it', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    await app.store().insert('source', source);
    const work = chain('published', 'source');
    await fail(app, work, 'tell');
    await app.store().insert('source', [{ n: 7 }]);
    const [first] = await app.workflow(work).planResume();
    expect(first?.reason).toMatch(/inputs have changed since run/);
    await app.workflow(work).resume();
    expect([...ran].sort()).toEqual(['clean', 'import', 'sum', 'tell']);
    expect((await app.store().find<Item>('summed').toArray()).map(({ n }) => n)).toEqual([4, 5, 10]);
  });

  it('sees a change of one row among many', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    await app.store().insert(
      'source',
      Array.from({ length: 2500 }, (__, n) => ({ _id: n, n })),
    );
    const work = chain('published', 'source');
    await fail(app, work, 'tell');
    await app.store().upsert('source', ['_id'], [{ _id: 1250, n: -1 }]);
    expect((await app.workflow(work).planResume()).filter((step) => step.runs).map(({ name }) => name)).toEqual([
      'import',
      'clean',
      'sum',
      'tell',
    ]);
  });

  it('goes on after a step that published a file, while the file is what it was', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const folder = mkdtempSync(join(tmpdir(), 'millrace-resume-'));
    folders.push(folder);
    const path = join(folder, 'exported.csv');
    const work = workflow('files', (w) => {
      const exported = w.step(Export, { bind: { from: rows(() => source), to: `file:${path}` } });
      w.step(Sum, { bind: { from: exported.output('to'), to: 'summed' } });
    });
    await fail(app, work, 'sum');
    expect((await app.workflow(work).planResume()).map((step) => step.runs)).toEqual([false, true]);
    await app.workflow(work).resume();
    expect(ran).toEqual(['sum']);
    expect((await app.store().find<Item>('summed').toArray()).map(({ n }) => n)).toEqual([2, 3]);
    await fail(app, work, 'sum');
    rmSync(path);
    expect((await app.workflow(work).planResume()).map((step) => step.runs)).toEqual([true, true]);
  });

  it('knows a file again that is named in another way', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const folder = mkdtempSync(join(tmpdir(), 'millrace-resume-'));
    folders.push(folder);
    const work = workflow('files', (w) => {
      w.step(Export, { bind: { from: rows(() => source), to: `file:${folder}/x/../exported.csv` } });
      w.step(Sum, { bind: { from: `file:${folder}/exported.csv`, to: 'summed' } });
    });
    await fail(app, work, 'sum');
    expect((await app.workflow(work).planResume()).map((step) => step.runs)).toEqual([false, true]);
    rmSync(join(folder, 'exported.csv'));
    expect((await app.workflow(work).planResume()).map((step) => step.runs)).toEqual([true, true]);
  });

  it('runs again what has another definition', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    await fail(app, chain('published'), 'tell');
    await app
      .workflow(
        chain(
          'published',
          rows(() => [{ n: 5 }]),
        ),
      )
      .resume();
    expect([...ran].sort()).toEqual(['clean', 'import', 'sum', 'tell']);
  });

  it('goes on with the bindings of the run', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    await app.store().insert('elsewhere', [{ n: 7 }]);
    const work = chain('published');
    broken = new Set(['sum']);
    await expect(app.workflow(work).run({ bind: { import: { from: 'elsewhere' }, sum: { to: 'sums' } } })).rejects.toThrow("'sum'");
    broken = new Set();
    ran = [];
    await app.workflow(work).resume(undefined, { bind: { sum: { to: 'other' } } });
    expect(ran).toEqual(['sum', 'tell']);
    expect((await app.store().find<Item>('other').toArray()).map(({ n }) => n)).toEqual([10]);
  });

  it('runs again what was published and is gone', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const work = chain('published');
    await fail(app, work, 'sum');
    await app.store().drop('cleaned');
    await app.workflow(work).resume();
    expect([...ran].sort()).toEqual(['clean', 'import', 'sum', 'tell']);
  });

  it('keeps the last ten runs that failed, with what they kept', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const ids: string[] = [];
    for (let run = 0; run < 12; run++) ids.push((await fail(app, chain('kept'), 'sum')).result.id);
    const unfinished = await app.store().find<{ _id: string; spools: string[] }>('_millrace_unfinished').toArray();
    expect(unfinished.map(({ _id }) => _id)).toEqual(ids.slice(2));
    await expect(app.workflow(chain('kept')).resume(ids[0])).rejects.toThrow(`no unfinished run '${ids[0] ?? ''}'`);
    await app.workflow(chain('kept')).resume(ids[2]);
    expect(ran).toEqual(['sum', 'tell']);
  });

  it('leaves the rest where it goes on with a part', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    await fail(app, chain('published'), 'sum');
    await app.workflow(chain('published')).resume(undefined, { only: ['tell'] });
    expect(ran).toEqual(['tell']);
    await app.workflow(chain('published')).resume();
    expect(ran).toEqual(['tell', 'sum', 'tell']);
    expect(await app.store().count('_millrace_unfinished')).toBe(0);
  });

  it('is for runs that did not end well', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const work = chain('published');
    await expect(app.workflow(work).resume()).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    await app.workflow(work).run();
    await expect(app.workflow(work).resume()).rejects.toThrow(/has no unfinished run in this store/);
    await expect(app.workflow(work).resume('nobody')).rejects.toThrow(/has no unfinished run 'nobody'/);
  });

  it('is done once where it is asked for twice at the same instant', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const error = await fail(app, chain('kept'), 'sum');
    const both = [app.workflow(chain('kept')).resume(), app.workflow(chain('kept')).resume(error.result.id)];
    const [done, refused] = (await Promise.allSettled(both)).sort((a, b) => (a.status < b.status ? -1 : 1));
    expect([done?.status, refused]).toEqual([
      'fulfilled',
      expect.objectContaining({
        reason: expect.objectContaining({ code: 'RUN_UNKNOWN', message: expect.stringMatching(/still under way/) }) as unknown,
      }),
    ]);
    expect(ran).toEqual(['sum', 'tell']);
  });

  it('keeps what it reads, though another run succeeds meanwhile', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const gate = { open: (): void => undefined };
    @Processor()
    class Wait {
      async run(): Promise<void> {
        ran.push('wait');
        if (broken.has('wait')) throw new Error('broken');
        if (broken.has('gate')) await new Promise<void>((resolve) => (gate.open = resolve));
      }
    }
    const work = workflow('waits', (w) => {
      const first = w.step(Import, { bind: { from: rows(() => source) }, keep: true });
      const wait = w.step(Wait, { after: [first] });
      w.step(Sum, { bind: { from: first.output('to'), to: 'summed' }, after: [wait] });
    });
    await fail(app, work, 'wait');
    broken = new Set(['gate']);
    const resumed = app.workflow(work).resume();
    while (!ran.includes('wait')) await new Promise((resolve) => setTimeout(resolve, 5));
    broken = new Set();
    await app.workflow(work).run();
    gate.open();
    await resumed;
    expect(ran).toEqual(['wait', 'import', 'wait', 'sum', 'sum']);
    expect((await app.store().find<Item>('summed').toArray()).map(({ n }) => n)).toEqual([3, 4]);
  });

  it('refuses a run that is under way', async () => {
    await using app = await createTestApp({ stores: { default: open() }, log: 'silent' });
    const stop = new AbortController();
    const endless = workflow(
      'endless',
      (w) =>
        void w.step(Import, {
          bind: {
            from: rows(async function* () {
              for (;;) yield await new Promise<Item>((resolve) => setTimeout(resolve, 1, { n: 1 }));
            }),
          },
        }),
    );
    const started = new Promise<void>((resolve) => app.on('task:start', () => resolve()));
    const running = app.workflow(endless).run({ signal: stop.signal });
    await started;
    await expect(app.workflow(endless).resume()).rejects.toThrow(/is still under way/);
    stop.abort(new Error('enough'));
    await expect(running).rejects.toMatchObject({ code: 'WORKFLOW_CANCELLED' });
  });
});

describe('the steps that have to run again', () => {
  it('are the fewest that do', () => {
    fc.assert(
      fc.property(graphs({ steps: 7 }), fc.infiniteStream(fc.boolean()), (graph, coins) => {
        const flip = (): boolean => coins.next().value === true;
        const all = graph.names.map((_, step) => step);
        const selected = new Set(all.filter(() => flip() || flip()));
        const done = new Set(all.filter((step) => selected.has(step) && flip()));
        const kept = new Set(graph.edges.filter(({ from }) => done.has(from) && flip()));
        const known = { graph, selected, done, available: (edge: (typeof graph.edges)[number]) => kept.has(edge) };
        const ancestors = new Set(done);
        for (const step of ancestors) for (const { kind, from } of graph.into[step]!) if (kind !== 'after') ancestors.add(from);
        const works = (set: ReadonlySet<number>): boolean =>
          [...selected].every((step) => ancestors.has(step) || set.has(step)) &&
          [...set].every((step) =>
            graph.into[step]!.every((edge) => edge.kind === 'after' || !selected.has(edge.from) || set.has(edge.from) || kept.has(edge)),
          );
        const sets = Array.from({ length: 2 ** all.length }, (_, bits) => new Set(all.filter((step) => (bits >> step) & 1))).filter((set) =>
          [...set].every((step) => selected.has(step)),
        );
        const least = sets.filter(works).reduce((best, set) => (set.size < best.size ? set : best));
        expect([...chooseSteps(known).keys()].sort()).toEqual([...least].sort());
      }),
      { numRuns: 300 },
    );
  });
});
