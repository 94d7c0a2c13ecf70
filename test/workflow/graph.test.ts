import fc from 'fast-check';
import { MillraceError } from 'millrace';
import { describe, expect, it } from 'vitest';
import { findCycles, findKnots } from '../../src/workflow/cycle.js';
import { toMermaid } from '../../src/workflow/draw.js';
import { createGraph, orderOf, reach, type Edge, type Graph } from '../../src/workflow/graph.js';
import { isSliced, selectSteps, type Slices } from '../../src/workflow/slice.js';
import { chooseStreams } from '../../src/workflow/streaming.js';
import { closure, graphs } from './random-graph.js';

const large = 10_000;
const named = (count: number): string[] => Array.from({ length: count }, (_, step) => `s${String(step)}`);
const link = (from: number, to: number): Edge => ({ from, to, kind: 'link', label: 'rows' });
const shapes: Readonly<Record<string, readonly Edge[]>> = {
  chain: Array.from({ length: large - 1 }, (_, step) => link(step, step + 1)),
  fan: Array.from({ length: large - 1 }, (_, step) => link(0, step + 1)),
  'diamond ladder': Array.from({ length: (large - 1) / 3 }, (_, at) => [
    link(3 * at, 3 * at + 1),
    link(3 * at, 3 * at + 2),
    link(3 * at + 1, 3 * at + 3),
    link(3 * at + 2, 3 * at + 3),
  ]).flat(),
};

describe('the order of steps', () => {
  it('puts each step after all that come before it, and leaves out only cycles and what follows them', () => {
    fc.assert(
      fc.property(graphs({ cycles: true }), (graph) => {
        const leads = closure(graph);
        const order = orderOf(graph);
        const place = new Map(order.map((step, at) => [step, at]));
        for (const [step] of graph.names.entries()) {
          const waitsForever = graph.names.some((_, other) => leads[other]![other] && (other === step || leads[other]![step]));
          expect(place.has(step)).toBe(!waitsForever);
        }
        for (const { from, to } of graph.edges) if (place.has(to)) expect(place.get(from)).toBeLessThan(place.get(to)!);
      }),
      { numRuns: 500 },
    );
  });

  it.each(Object.entries(shapes))('of a %s of 10,000 steps', (_, edges) => {
    const graph = createGraph(named(large), edges);
    expect(orderOf(graph)).toHaveLength(large);
    expect(findCycles(graph)).toEqual([]);
    expect(reach(graph, [0], 'forward').size).toBe(large);
    expect(reach(graph, [large - 1], 'backward').size).toBeGreaterThan(1);
  });
});

describe('cycles', () => {
  it('are found one a knot, each a way that leads back to its first step', () => {
    fc.assert(
      fc.property(graphs({ cycles: true }), (graph) => {
        const leads = closure(graph);
        const knots = new Set(
          graph.names.map((_, step) =>
            leads[step]![step] ? graph.names.map((__, other) => leads[step]![other] && leads[other]![step]).join() : '',
          ),
        );
        knots.delete('');
        const cycles = findCycles(graph);
        expect(findKnots(graph)).toHaveLength(knots.size);
        expect(cycles).toHaveLength(knots.size);
        for (const cycle of cycles) {
          expect(cycle.length).toBeGreaterThan(1);
          expect(cycle[0]).toBe(cycle.at(-1));
          expect(new Set(cycle).size).toBe(cycle.length - 1);
          for (const [at, step] of cycle.slice(1).entries()) expect(graph.out[cycle[at]!]!.map(({ to }) => to)).toContain(step);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of 10,000 steps are found without recursion', () => {
    const graph = createGraph(named(large), [...shapes['chain']!, link(large - 1, 0)]);
    expect(findCycles(graph)[0]).toHaveLength(large + 1);
  });
});

const slice = fc.record(
  {
    from: fc.array(fc.nat(7), { maxLength: 2 }),
    to: fc.array(fc.nat(7), { maxLength: 2 }),
    only: fc.array(fc.nat(7), { maxLength: 4 }),
    ignore: fc.array(fc.nat(7), { maxLength: 3 }),
    tags: fc.array(fc.constantFrom('odd', 'even', 'none'), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const tagsOf = (graph: Graph): ReadonlySet<string>[] => graph.names.map((_, step) => new Set([step % 2 === 0 ? 'even' : 'odd']));
const sliceable = (graph: Graph) => ({ workflow: 'w', graph, tags: tagsOf(graph), groups: new Map([['both', [0, 1]]]) });

describe('slices', () => {
  it('are what the definition of each kind says, combined by and', () => {
    fc.assert(
      fc.property(graphs({ steps: 8 }), slice, (graph, picked) => {
        const nameOf = (step: number): string => graph.names[step % graph.names.length]!;
        const slices = Object.fromEntries(
          Object.entries(picked).map(([kind, steps]) => [kind, steps.map((one) => (typeof one === 'number' ? nameOf(one) : one))]),
        ) as Slices;
        const leads = closure(graph);
        const expected = graph.names.filter((name, step) => {
          const { from, to, only, ignore, tags } = slices;
          const follows = from === undefined || from.some((one) => one === name || leads[graph.names.indexOf(one)]![step]);
          const precedes = to === undefined || to.some((one) => one === name || leads[step]![graph.names.indexOf(one)]);
          const tagged = tags === undefined || tags.includes(step % 2 === 0 ? 'even' : 'odd');
          return follows && precedes && tagged && (only?.includes(name) ?? true) && !(ignore ?? []).includes(name);
        });
        if (expected.length === 0)
          expect(() => selectSteps(sliceable(graph), slices)).toThrow(expect.objectContaining({ code: 'SELECTION_EMPTY' }));
        else expect([...selectSteps(sliceable(graph), slices)].map((step) => graph.names[step]).sort()).toEqual([...expected].sort());
      }),
      { numRuns: 1000 },
    );
  });

  const chain = createGraph(['first', 'second', 'third'], [link(0, 1), link(1, 2)]);
  const selected = (slices: Slices): (string | undefined)[] => [...selectSteps(sliceable(chain), slices)].map((step) => chain.names[step]);

  it('name groups as well as steps', () => {
    expect(selected({ only: ['both'] })).toEqual(['first', 'second']);
    expect(selected({ ignore: ['both'] })).toEqual(['third']);
  });

  it('refuse unknown names with the nearest known one', () => {
    expect(() => selected({ from: ['secnd'] })).toThrow(MillraceError);
    expect(() => selected({ from: ['secnd'] })).toThrow(/workflow 'w' has no step 'secnd'. Did you mean 'second'\?/);
    expect(() => selected({ tags: ['evn'] })).toThrow(/no step is selected.*Did you mean 'even'\?/);
  });

  it('that are empty lists are slices that select nothing', () => {
    expect(isSliced({ only: [] })).toBe(true);
    expect(isSliced({})).toBe(false);
    expect(() => selected({ only: [] })).toThrow(expect.objectContaining({ code: 'SELECTION_EMPTY' }));
  });
});

/** Whether units wait for themselves: by an edge within, or by way of others. */
function waitsForItself(graph: Graph, { streams, units }: ReturnType<typeof chooseStreams>): boolean {
  const edges = graph.edges.filter((edge) => !streams.has(edge)).map((edge) => ({ ...edge, from: units[edge.from]!, to: units[edge.to]! }));
  return closure({ names: graph.names, edges }).some((row, unit) => row[unit]);
}

function hasCircle(graph: Graph, streams: ReadonlySet<Edge>): boolean {
  const groups = graph.names.map((_, step) => step);
  for (const { from, to } of streams) {
    const [a, b] = [groups[from]!, groups[to]!];
    if (a === b) return true;
    for (const [step, group] of groups.entries()) if (group === b) groups[step] = a;
  }
  return false;
}

describe('streams', () => {
  const links = (graph: Graph): ReadonlySet<Edge> => new Set(graph.edges.filter(({ kind }) => kind === 'link'));

  it('form no circle, and no unit waits for itself', () => {
    fc.assert(
      fc.property(graphs({ steps: 12 }), (graph) => {
        const chosen = chooseStreams(graph, links(graph));
        expect(hasCircle(graph, chosen.streams)).toBe(false);
        expect(waitsForItself(graph, chosen)).toBe(false);
        for (const { from, to } of chosen.streams) expect(chosen.units[from]).toBe(chosen.units[to]);
      }),
      { numRuns: 3000 },
    );
  });

  it('are all links, where that harms nobody', () => {
    fc.assert(
      fc.property(graphs({ steps: 8 }), (graph) => {
        const all = links(graph);
        if (hasCircle(graph, all)) return;
        const joined = graph.names.map((_, step) => step);
        for (const { from, to } of all) {
          const [a, b] = [joined[from]!, joined[to]!];
          for (const [step, unit] of joined.entries()) if (unit === b) joined[step] = a;
        }
        if (waitsForItself(graph, { streams: all, units: joined })) return;
        expect(chooseStreams(graph, all).streams).toEqual(all);
      }),
      { numRuns: 2000 },
    );
  });

  it('stop where paths join again, not where they part', () => {
    const diamond = createGraph(named(4), [link(0, 1), link(0, 2), link(1, 3), link(2, 3)]);
    expect([...chooseStreams(diamond, links(diamond)).streams].map(({ to }) => to)).toEqual([1, 2]);
  });

  it('do not reach a step that has to wait for the end of one before it', () => {
    const shortcut = createGraph(named(3), [link(0, 1), link(1, 2), { from: 0, to: 2, kind: 'after', label: '' }]);
    expect([...chooseStreams(shortcut, links(shortcut)).streams].map(({ to }) => to)).toEqual([1]);
  });

  it.each(Object.entries(shapes))('of a %s of 10,000 steps', (shape, edges) => {
    const graph = createGraph(named(large), edges);
    const { streams } = chooseStreams(graph, links(graph));
    expect(streams.size).toBe(shape === 'diamond ladder' ? edges.length / 2 : edges.length);
  });
});

describe('the drawing', () => {
  it('shows steps with their processors, links by port, collections and order', () => {
    const graph = createGraph(
      ['a', 'b "x"', 'c'],
      [link(0, 1), { from: 1, to: 2, kind: 'collection', label: 'prices' }, { from: 0, to: 2, kind: 'after', label: '' }],
    );
    expect(toMermaid(graph, ['a', 'B', 'c'])).toBe(
      [
        'flowchart LR',
        '  s0["a"]',
        '  s1["b #34;x#34;<br>B"]',
        '  s2["c"]',
        '  s0 -->|"rows"| s1',
        '  s1 ==>|"prices"| s2',
        '  s0 -.-> s2',
        '',
      ].join('\n'),
    );
  });
});
