import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawSteps, type DrawnStep } from './kill/drawn.js';

const kills = Number(process.env['MILLRACE_KILLS'] ?? (process.env['CI'] === undefined ? 10 : 40));
const child = fileURLToPath(new URL('./kill/child.ts', import.meta.url));

interface Outcome {
  readonly published: readonly string[];
  readonly spooled: readonly string[];
  readonly executed: readonly string[];
  readonly rows: Readonly<Record<string, readonly number[]>>;
  readonly left: readonly string[];
  readonly resumed: boolean;
}

function start(args: readonly string[]): {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<number | null>;
} {
  const started = spawn(process.execPath, ['--import', '@oxc-node/core/register', child, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  let rest = '';
  started.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  const ended = new Promise<number | null>((resolve) => started.once('close', resolve));
  return { process: started, lines, ended };
}

/** The rows of each step, in order of size, were nothing disturbed. */
function expectedRows(steps: readonly DrawnStep[]): number[][] {
  const all: number[][] = [];
  for (const { reads, rows } of steps) {
    const own = reads.length === 0 ? Array.from({ length: rows }, (_, n) => n) : reads.flatMap((from) => all[from]!.map((n) => n + 1));
    all.push(own.sort((a, b) => a - b));
  }
  return all;
}

/** The smallest set of steps that leads from what is there to what is to be: by trying them all. */
function fewest(steps: readonly DrawnStep[], has: (step: number) => boolean): string[] {
  const readers = (step: number): number[] => steps.flatMap(({ reads }, other) => (reads.includes(step) ? [other] : []));
  const works = (set: ReadonlySet<number>): boolean =>
    steps.every(({ kind, reads }, step) => {
      // what was kept for readers that have ended may be dropped already: the run was killed while it tidied up
      const needed = !has(step) && (kind === 'bound' || readers(step).some((reader) => set.has(reader)));
      return (!needed || set.has(step)) && (!set.has(step) || reads.every((from) => set.has(from) || has(from)));
    });
  const sets = Array.from(
    { length: 2 ** steps.length },
    (_, bits) => new Set(steps.flatMap((__, step) => ((bits >> step) & 1 ? [step] : []))),
  );
  const least = sets.filter(works).reduce((best, set) => (set.size < best.size ? set : best));
  return [...least].map((step) => `s${String(step)}`);
}

describe('a workflow that is killed at any instant', () => {
  const folders: { readonly folder: string; readonly seed: number; readonly killed: boolean }[] = [];
  const outcomes: Outcome[] = [];
  afterAll(() => {
    for (const { folder } of folders) rmSync(folder, { recursive: true, force: true });
  });

  beforeAll(
    async () => {
      for (let seed = 1; seed <= kills; seed++) {
        const folder = mkdtempSync(join(tmpdir(), 'millrace-kill-'));
        const { process: running, lines, ended } = start(['run', folder, String(seed)]);
        const delay = Math.random() * 30 * drawSteps(seed).length;
        running.stdout?.once('data', () => setTimeout(() => running.kill('SIGKILL'), delay));
        await ended;
        expect(lines[0]).toBe('ready');
        folders.push({ folder, seed, killed: !lines.includes('done') });
      }
      const open = folders.filter(({ killed }) => killed);
      const { lines, ended } = start(['resume', ...open.map(({ folder, seed }) => `${folder}:${String(seed)}`)]);
      expect(await ended).toBe(0);
      outcomes.push(...lines.map((line) => JSON.parse(line) as Outcome));
    },
    20_000 + kills * 10_000,
  );

  const killed = (): { readonly steps: readonly DrawnStep[]; readonly outcome: Outcome }[] =>
    folders.filter((one) => one.killed).map(({ seed }, at) => ({ steps: drawSteps(seed), outcome: outcomes[at]! }));

  it('is gone on with', () => {
    expect(outcomes).toHaveLength(killed().length);
    expect(outcomes.filter(({ resumed }) => resumed).length).toBeGreaterThan(0);
  });

  it('ends with the rows of a run that nothing disturbed', () => {
    for (const { steps, outcome } of killed()) {
      const all = expectedRows(steps);
      expect(outcome.rows).toEqual(
        Object.fromEntries(steps.flatMap(({ kind }, step) => (kind === 'bound' ? [[`out${String(step)}`, all[step]]] : []))),
      );
      expect(outcome.left).toEqual([]);
    }
  });

  it('executes the fewest steps that do', () => {
    for (const { steps, outcome } of killed()) {
      const has = (step: number): boolean =>
        // a step that streams to some is spooled where paths join again
        steps[step]!.kind === 'bound'
          ? outcome.published.includes(`out${String(step)}`)
          : outcome.spooled.some((spool) => spool.endsWith(`_${String(step)}_0`));
      expect([...outcome.executed].sort()).toEqual(
        outcome.resumed ? fewest(steps, has).sort() : steps.map((_, step) => `s${String(step)}`),
      );
    }
  });
});
