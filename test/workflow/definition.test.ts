import 'reflect-metadata';
import {
  collection,
  createApp,
  DefinitionError,
  Input,
  memoryStore,
  Output,
  Params,
  Processor,
  rows,
  workflow,
  type Fault,
  type Reader,
  type Workflow,
  type WorkflowBuilder,
  type Writer,
} from 'millrace';
import { createTestApp } from 'millrace/testing';
import { IsString } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { Copy, Drain, Idle, items, Join, type Item } from './fixtures.js';

class Typed {
  @IsString() name!: string;
}
@Processor()
class Typer {
  @Input({ schema: Typed }) readonly in!: Reader<Typed>;
  @Output({ schema: Typed }) readonly out!: Writer<Typed>;
}
class Named {
  @IsString() name!: string;
}
@Processor({ tags: ['own'] })
class WithParams {
  @Params({ schema: Named }) readonly params!: Named;
  @Input({ name: 'in-put' }) readonly from!: Reader<Item>;
}
@Processor()
class Half {
  @Input() readonly from!: Reader<Item>;
  @Output({ optional: true }) readonly to!: Writer<Item>;
}

function faultsOf(build: () => unknown): readonly Fault[] {
  try {
    build();
  } catch (error) {
    if (error instanceof DefinitionError) return error.faults;
    throw error;
  }
  return [];
}
const codes = (faults: readonly Fault[]): string[] => faults.map(({ code }) => code);

describe('a definition', () => {
  it('links a plain list by itself, where one needs what the one before it gives', () => {
    const plain = workflow('plain', (w) => {
      w.step(Copy, { bind: { from: [{ n: 1 }] } });
      w.step(Copy, { name: 'again' });
      w.step(Drain);
    });
    expect(plain.steps.map(({ after }) => after)).toEqual([[], ['Copy'], ['again']]);
  });

  it('does not link by itself what has another schema, or needs more than one input', () => {
    const faults = faultsOf(() =>
      workflow('w', (w) => {
        w.step(Copy, { bind: { from: [], to: 'out' } });
        w.step(Typer, { bind: { out: 'typed' } });
        w.step(Copy, { name: 'other', bind: { from: [], to: 'other' } });
        w.step(Join, { bind: { left: 'x', to: 'joined' } });
      }),
    );
    expect(codes(faults)).toEqual(['PORT_UNBOUND', 'PORT_UNBOUND']);
    expect(faults[0]?.message).toBe("Workflow 'w' step 'Typer': Processor 'Typer' input port 'in' is not bound");
    expect(faults[0]?.where[0]).toMatch(/definition\.test\.ts:\d+$/);
  });

  it('tells every fault at once', () => {
    const faults = faultsOf(() =>
      workflow('w', (w) => {
        const first = w.step(Copy, { bind: { from: [], to: 'one' }, timeout: -1, onError: 'go on' as never });
        w.step(Copy, { bind: { from: first.output('to'), to: 'one' } });
        w.step(Idle, { name: 'typo', bind: { form: [] } as never });
        w.step(Drain, { bind: { from: first.output('tow' as never) as never } });
        w.step(Half, { bind: { from: [], to: first.output('to') } });
      }),
    );
    expect(codes(faults).sort()).toEqual(
      [
        'BINDING_CONFLICT',
        'BINDING_INVALID',
        'DEFINITION_INVALID',
        'DEFINITION_INVALID',
        'DUPLICATE_NAME',
        'PORT_UNKNOWN',
        'PORT_UNKNOWN',
      ].sort(),
    );
    for (const { where, fix } of faults) {
      expect(where.length).toBeGreaterThan(0);
      expect(fix).not.toBe('');
    }
    expect(faults.find(({ code }) => code === 'DUPLICATE_NAME')?.fix).toContain('`name`');
  });

  it('refuses a builder that answers later, and a step without a name', () => {
    const later = async (w: WorkflowBuilder): Promise<void> => {
      w.step(Idle);
      await Promise.resolve();
      w.step(Idle, { name: 'too late' });
    };
    const late = faultsOf(() => workflow('late', later as unknown as (w: WorkflowBuilder) => void));
    expect(late).toMatchObject([{ code: 'DEFINITION_INVALID', message: "Workflow 'late' has a builder that answers a promise" }]);
    expect(faultsOf(() => workflow('w', (w) => void w.step(Idle, { name: ' ' })))).toMatchObject([
      { code: 'DEFINITION_INVALID', message: "Workflow 'w' has a step of 'Idle' whose name is empty" },
    ]);
    expect(() => workflow('w', (w) => void w.step(undefined as never))).toThrow("workflow 'w': w.step takes a processor.");
  });

  it('puts a step that reads a collection after those that write it', () => {
    const { steps } = workflow('w', (w) => {
      w.step(Drain, { bind: { from: 'shared' } });
      w.step(Copy, { bind: { from: [], to: 'shared@default' } });
      w.step(Copy, { name: 'both', bind: { from: 'log', to: collection('log', { mode: 'append' }) } });
      w.step(Drain, { name: 'looks up', bind: { from: collection('x', { pipeline: [{ $lookup: { from: 'log', as: 'y' } }] }) } });
    });
    expect(steps.map(({ name, after }) => [name, after])).toEqual([
      ['Drain', ['Copy']],
      ['Copy', []],
      ['both', []],
      ['looks up', ['both']],
    ]);
  });

  it('lets several steps add to one collection', () => {
    const append = collection<Item>('log', { mode: 'append' });
    expect(() =>
      workflow('w', (w) => {
        w.step(Copy, { name: 'a', bind: { from: [], to: append } });
        w.step(Copy, { name: 'b', bind: { from: [], to: collection<Item>('log', { mode: 'upsert', key: 'n' }) } });
      }),
    ).not.toThrow();
  });

  it('refuses two steps that fill one array, unless all of them add to it', async () => {
    @Processor({ name: 'Adds' })
    class Adds extends Copy {
      @Input() declare readonly from: Reader<Item>;
      @Output({ mode: 'append' }) declare readonly to: Writer<Item>;
    }
    const filled: Item[] = [];
    const of = (second: typeof Copy, to: Item[] | string): Workflow =>
      workflow('w', (w) => {
        w.step(Adds, { name: 'a', bind: { from: items(1), to: filled } });
        w.step(second, { name: 'b', bind: { from: items(2), to } });
      });
    expect(faultsOf(() => of(Copy, filled))).toMatchObject([
      {
        code: 'BINDING_CONFLICT',
        message: "one array in memory is written by several steps: 'a', 'b', and not all of them append or upsert",
        path: ['a', 'b'],
      },
    ]);
    await using app = await createTestApp();
    await expect(app.workflow(of(Copy, 'elsewhere')).run({ bind: { b: { to: filled } } })).rejects.toMatchObject({
      code: 'BINDING_CONFLICT',
    });
    await app.workflow(of(Adds, filled)).run();
    expect(filled.map(({ n }) => n).sort()).toEqual([0, 0, 1]);
  });

  it('names a cycle with its path', () => {
    const faults = faultsOf(() =>
      workflow('w', (w) => {
        const first = w.step(Copy, { name: 'a', bind: { from: 'y', to: 'x' } });
        w.step(Copy, { name: 'b', bind: { from: first.output('to'), to: 'y' } });
      }),
    );
    expect(faults).toMatchObject([
      {
        code: 'WORKFLOW_CYCLE',
        path: ['a', 'b', 'a'],
        message: "Workflow 'w' has steps that wait for each other: a -> b -> a ('b' reads 'a.to'; 'a' reads 'y', which 'b' writes)",
      },
    ]);
  });

  it('takes whole workflows as steps, bound and ordered like one', () => {
    const inner = workflow('inner', (w) => {
      const first = w.step(Copy, { name: 'first', bind: { from: 'raw' } });
      return { rows: w.step(Copy, { name: 'second', bind: { from: first.output('to') } }).output('to') };
    });
    const outer = workflow('outer', (w) => {
      const before = w.step(Idle, { name: 'before' });
      const source = w.step(Copy, { name: 'source', bind: { from: [] } });
      const cleaned = w.workflow(inner, { name: 'clean', after: [before], bind: { first: { from: source.output('to') } } });
      w.step(Drain, { bind: { from: cleaned.output('rows') } });
      w.step(Idle, { name: 'last', after: [cleaned as never] });
    });
    expect(outer.steps.map(({ name, after }) => [name, [...after].sort()])).toEqual([
      ['before', []],
      ['source', []],
      ['clean/first', ['before', 'source']],
      ['clean/second', ['clean/first']],
      ['Drain', ['clean/second']],
      ['last', ['clean/second']],
    ]);
    expect(codes(faultsOf(() => workflow('w', (w) => void w.workflow(inner, { bind: { frist: {}, first: { form: 1 } } }))))).toEqual([
      'STEP_UNKNOWN',
      'PORT_UNKNOWN',
    ]);
  });

  it('is over when its builder has returned', () => {
    let kept: { step(processor: typeof Idle): unknown } | undefined;
    workflow('w', (w) => {
      kept = w;
      w.step(Idle);
    });
    expect(() => kept?.step(Idle)).toThrow(/is built already/);
  });

  it('of 10,000 steps takes no time that grows with their square', () => {
    const many = workflow('many', (w) => {
      let last = w.step(Copy, { name: 's0', bind: { from: [] } });
      for (let step = 1; step < 10_000; step++) last = w.step(Copy, { name: `s${String(step)}`, bind: { from: last.output('to') } });
      w.step(Drain, { bind: { from: last.output('to') } });
    });
    expect(many.steps).toHaveLength(10_001);
  });
});

describe('an app', () => {
  const one = workflow('one', (w) => void w.step(WithParams, { bind: { from: rows<Item>(() => []), params: { name: 'x' } } }));

  it('knows its workflows by name, and their processors', async () => {
    await using app = await createApp({ workflows: [one], stores: { default: memoryStore() }, log: 'silent' });
    expect((await app.workflow('one').run()).status).toBe('succeeded');
    expect(app.task('WithParams').name).toBe('WithParams');
    expect(() => app.workflow('oen')).toThrow(/no workflow is named 'oen'. Did you mean 'one'\?/);
  });

  it('refuses two workflows of one name', async () => {
    await expect(createApp({ workflows: [one, one], stores: { default: memoryStore() } })).rejects.toMatchObject({
      code: 'DUPLICATE_NAME',
    });
  });

  it('tells the faults of all steps before anything runs', async () => {
    await using app = await createApp({ stores: { default: memoryStore() }, log: 'silent' });
    const faulty = workflow('w', (w) => {
      w.step(WithParams, { bind: { from: 'x@nowhere', params: { nmae: 'x' } as never } });
      w.step(Drain, { bind: { from: 'file:./missing.csv' } });
    });
    const error: unknown = await app
      .workflow(faulty)
      .plan()
      .catch((thrown: unknown) => thrown);
    expect(codes((error as DefinitionError).faults).sort()).toEqual(['FILE_UNREADABLE', 'PARAMS_INVALID', 'STORE_UNKNOWN']);
    await expect(app.workflow(faulty).run()).rejects.toMatchObject({ code: (error as DefinitionError).code });
  });
});
