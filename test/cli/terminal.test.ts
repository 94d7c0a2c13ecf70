import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Interrupts } from '../../src/cli/interrupt.js';
import { createCliLog } from '../../src/cli/log.js';
import { Output } from '../../src/cli/output.js';
import { countInputs, drawProgress, ProgressState } from '../../src/cli/progress.js';
import { fitWidths, printTable } from '../../src/cli/table.js';
import { collection, rows } from '../../src/binding/binding.js';
import { Input } from '../../src/decorators/input.js';
import { Output as OutputPort } from '../../src/decorators/output.js';
import { Processor } from '../../src/decorators/processor.js';
import { getProcessorSpec } from '../../src/metadata/registry.js';
import { createApp } from '../../src/project/create-app.js';
import { memoryStore } from '../../src/storage/open.js';
import type { Reader, TaskContext, Writer } from '../../src/types.js';
import { keptStream } from './kit.js';

const terminal = (columns: number) => {
  const stream = keptStream({ isTTY: true, columns });
  return { stream, out: new Output(stream, {}) };
};

describe('Output', () => {
  it.each<[string, boolean, NodeJS.ProcessEnv, boolean]>([
    ['on a terminal', true, {}, true],
    ['on a pipe', false, {}, false],
    ['with NO_COLOR', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['with an empty NO_COLOR', true, { NO_COLOR: '' }, true],
    ['with FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
    ['with FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false],
    ['on a dumb terminal', true, { TERM: 'dumb' }, false],
  ])('%s has colours or not', (_, isTTY, env, coloured) => {
    expect(new Output(keptStream({ isTTY }), env).colors.red('x') !== 'x').toBe(coloured);
  });

  it('has the width of its terminal, 80 where that does not know it, and none elsewhere', () => {
    expect([terminal(120).out.width, terminal(0).out.width, new Output(keptStream({ columns: 60 }), {}).width]).toEqual([
      120,
      80,
      undefined,
    ]);
  });

  it('lets writers wait for room, and go on when the reader has gone', async () => {
    const listeners = new Map<string, (error: NodeJS.ErrnoException) => void>();
    const on = (event: string, listener: (error: NodeJS.ErrnoException) => void): unknown => listeners.set(event, listener);
    const stream = { write: () => false, on };
    const failures: string[] = [];
    const out = new Output(stream, {}, ({ message }) => failures.push(message));
    const order: string[] = [];
    const first = out.write('a').then(() => order.push('a'));
    await sleep(1);
    listeners.get('drain')?.(new Error());
    await first;
    const second = out.write('b').then(() => order.push('b'));
    listeners.get('error')?.(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    await second;
    await out.write('c');
    await out.flush();
    expect([order, out.isClosed]).toEqual([['a', 'b'], true]);
    listeners.get('error')?.(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    expect(failures).toEqual(['full']);
  });
});

describe('a table', () => {
  it('is cut to the width of the terminal, the widest columns first', async () => {
    const { stream, out } = terminal(30);
    await printTable(
      out,
      [{ title: 'id' }, { title: 'text' }, { title: 'n', align: 'right' }],
      [
        ['a', 'a long text that goes on and on', '1'],
        ['b', 'こんにちは世界、こんにちは世界', '1,204'],
      ],
    );
    const lines = stream.text().trimEnd().split('\n');
    expect(lines).toEqual([
      '\u001b[1mid  text                     n\u001b[22m',
      'a   a long text that g…      1',
      'b   こんにちは世界、こ…  1,204',
    ]);
  });

  it('keeps a row on one line, and control characters from the terminal', async () => {
    const stream = keptStream();
    await printTable(new Output(stream, {}), [{ title: 'a' }], [['x\ny\u001b[31m\u0085\u2028']]);
    expect(stream.text()).toBe('a\nx\\ny\\u001b[31m\\u0085\\u2028\n');
  });

  it('counts the columns that characters take, be they wide, joined or none', async () => {
    const { stream, out } = terminal(12);
    await printTable(
      out,
      [{ title: 'a' }, { title: 'b', align: 'right' }],
      [
        ['e\u0301te\u0301', '1'],
        ['日本語日本語', '22'],
        ['👩‍💻!', '3'],
      ],
    );
    expect(stream.text().trimEnd().split('\n').slice(1)).toEqual(['e\u0301te\u0301        1', '日本語…   22', '👩‍💻!      3']);
  });

  it('has any number of rows', async () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => [String(index), 'text']);
    const stream = keptStream();
    await printTable(new Output(stream, {}), [{ title: 'n' }, { title: 't' }], rows);
    expect(stream.text().length).toBe('199999  text\n'.length * 200_000 + 'n       t\n'.length);
  });

  it.each([
    [[3, 10, 4], undefined, [3, 10, 4]],
    [[3, 40, 20], 40, [3, 16, 17]],
    [[30, 30], 10, [6, 6]],
    [[0, 2], 80, [1, 2]],
  ])('of columns %j in %s columns has %j', (natural, width, fitted) => expect(fitWidths(natural, width)).toEqual(fitted));
});

@Processor()
class Copies {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any row
  @Input({ name: 'source', binding: 'source' }) readonly from!: Reader<any>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any row
  @OutputPort({ binding: 'target' }) readonly to!: Writer<any>;
  async run({ signal, log }: TaskContext): Promise<void> {
    for await (const batch of this.from.batches(100)) {
      await this.to.write(batch);
      await sleep(60, undefined, { signal });
    }
    await sleep(300, undefined, { signal });
    log.info('a line of the log');
    await sleep(50, undefined, { signal });
  }
}
const spec = getProcessorSpec(Copies);

describe('progress', () => {
  it('shows rows, rate, share and time left, no longer than a line', () => {
    let now = 0;
    const state = new ProgressState(spec, new Map([['from', 2000]]), () => now);
    expect(state.line(80)).toBe('Copies  0 rows  0 ms');
    state.setRows('to', 400);
    state.setRows('from', 500);
    now = 2000;
    expect(state.line(80)).toBe('Copies  source 500 rows  250 rows/s  ██████░░░░░░░░░░░░░░░░░░ 25%  6.0 s left');
    expect(state.line(20)).toBe('Copies  source 500 ');
    state.setProgress(7, 10);
    expect(state.line(80)).toBe('Copies  7  4/s  █████████████████░░░░░░░ 70%  0.9 s left');
    state.setProgress(12, 10);
    expect(state.line(80)).toBe('Copies  12  6/s  ████████████████████████ 100%');
    state.reset();
    expect(state.line(80)).toBe('Copies  0 rows  0 ms');
  });

  it('without a total shows how long it has taken', () => {
    let now = 0;
    const state = new ProgressState(spec, new Map(), () => now);
    state.setRows('to', 1500);
    state.setRows('from', 1600);
    now = 1000;
    expect(state.line(80)).toBe('Copies  source 1,600 rows  1,600 rows/s  1.0 s');
  });

  it('is drawn on a terminal while a run goes on, makes room for the log, and is gone at the end', async () => {
    const { stream, out: err } = terminal(70);
    const pipe = new Output(keptStream(), {});
    const log = createCliLog({ out: pipe, err, json: false, quiet: false, debug: false });
    await using app = await createApp({ processors: [Copies], stores: { default: memoryStore() }, log });
    await app.store().insert(
      'source',
      Array.from({ length: 500 }, (_, i) => ({ i })),
    );
    const totals = await countInputs(app, spec, new Map());
    expect([...totals]).toEqual([['from', 500]]);
    const stop = await drawProgress({ app, spec, err, totals });
    await app.task(Copies).run().finally(stop);
    const drawn = stream.text();
    expect(drawn).toMatch(/Copies {2}source 500 rows .*█{24} 100%/);
    expect(drawn).toContain('\r\u001b[2Ka line of the log\n');
    const [, after = ''] = drawn.split('a line of the log\n');
    expect(after.lastIndexOf('\u001b[2K')).toBeGreaterThan(after.lastIndexOf('100%'));
  });

  it('counts inputs where a store can: not what is filtered, a pipeline or a function', async () => {
    await using app = await createApp({ processors: [Copies], stores: { default: memoryStore() }, log: 'silent' });
    await app.store().insert('source', [{ i: 1 }, { i: 2 }, { i: 3 }]);
    const count = async (bound: unknown) => (await countInputs(app, spec, new Map([['from', bound]]))).get('from');
    expect(
      await Promise.all(
        [
          collection('source', { skip: 1 }),
          collection('source', { limit: 2 }),
          [1, 2],
          rows(() => []),
          collection('source', { filter: { i: 1 } }),
          collection('source', { pipeline: [] }),
          'file:x.csv',
        ].map(count),
      ),
    ).toEqual([...[2, 2, 2], ...[undefined, undefined, undefined, undefined]]);
  });
});

describe('Interrupts', () => {
  const interrupts = () => {
    const stream = keptStream();
    const ended: number[] = [];
    return { stream, ended, interrupts: new Interrupts(new Output(stream, {}), (code) => ended.push(code)) };
  };

  it('ends at once what holds nothing open', () => {
    const one = interrupts();
    one.interrupts.raise();
    expect([one.ended, one.stream.text()]).toEqual([[130], '']);
  });

  it('aborts what does, and ends it the second time', () => {
    const one = interrupts();
    const signal = one.interrupts.hold();
    expect([signal.aborted, one.interrupts.code]).toEqual([false, undefined]);
    one.interrupts.raise();
    expect([signal.aborted, one.interrupts.code, one.ended]).toEqual([true, 130, []]);
    one.interrupts.raise();
    expect(one.ended).toEqual([130]);
  });

  it('ends with 2 for an error that nobody awaited before anything ran', () => {
    const one = interrupts();
    one.interrupts.fail(new Error('it got loose'));
    expect(one.ended).toEqual([2]);
  });

  it('aborts it with 1 for one of a run, which is told', () => {
    const one = interrupts();
    const signal = one.interrupts.hold();
    const error = new Error('it got loose');
    one.interrupts.fail(error);
    expect([signal.reason, one.interrupts.code, one.ended]).toEqual([error, 1, []]);
    expect(one.stream.text()).toMatch(
      /^error: an error was thrown where nothing awaited it: it got loose\n {2}at .*terminal\.test\.ts:\d+\n$/,
    );
    one.interrupts.fail('again');
    expect(one.ended).toEqual([1]);
  });
});

describe('the log of a command', () => {
  it('leaves the last line of a run to the result, where both are on one terminal', () => {
    const [{ stream, out: err }, { out }] = [terminal(80), terminal(80)];
    const log = createCliLog({ out, err, json: false, quiet: false, debug: false });
    log.info('it begins', { runId: '1' });
    log.info('of its own', { facts: 1 });
    log.warn('beware');
    log.info('it has ended', { runId: '1' });
    log.error('it has failed', { runId: '1', error: 'told later' });
    expect(stripVTControlCharacters(stream.text())).toBe('it begins\nof its own  { facts: 1 }\nwarn beware\nerror it has failed\n');
  });
});
