import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApp } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeMongo } from '../storage/mongo/server.js';
import { resumeSlow, runSlow } from './claim/slow.js';

const child = fileURLToPath(new URL('./claim/child.ts', import.meta.url));
const underWay = /^RUN_UNKNOWN run \w{24} of workflow 'slow' is still under way on .+ \(process \d+\): wait for its end, or end it$/;

function suite(urlOf: (folder: string) => string): void {
  const processes: ChildProcess[] = [];
  let folder = '';
  let trace = '';
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-claim-'));
    trace = join(folder, 'trace');
    writeFileSync(`${trace}.fail`, '');
    await using app = await open();
    expect(await runSlow(app, trace)).toMatch(/^WORKFLOW_FAILED/);
    rmSync(`${trace}.fail`);
    rmSync(trace);
  });
  afterEach(() => {
    for (const one of processes.splice(0)) one.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const open = () => createApp({ stores: { default: urlOf(folder) }, log: 'silent' });
  /** Resolves when it waits to be told to go on; `ended` is its last line. */
  const start = async (): Promise<{ readonly child: ChildProcess; readonly ended: Promise<string> }> => {
    const started = spawn(process.execPath, ['--import', '@oxc-node/core/register', child, urlOf(folder), trace], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    processes.push(started);
    let text = '';
    const ended = once(started, 'close').then(() => text.trim().split('\n').at(-1) ?? '');
    for await (const piece of started.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      text += String(piece);
      if (text.includes('ready\n')) break;
    }
    started.stdout.on('data', (piece: string) => (text += piece));
    return { child: started, ended };
  };
  const ran = (): number => readFileSync(trace, { encoding: 'utf8', flag: 'a+' }).split('\n').length - 1;

  it('is gone on with by one of several processes that ask at the same instant', async () => {
    const racers = await Promise.all([start(), start(), start()]);
    for (const racer of racers) racer.child.stdin?.write('go\n');
    const ends = await Promise.all(racers.map(({ ended }) => ended));
    expect(ends.toSorted()).toEqual([expect.stringMatching(underWay), expect.stringMatching(underWay), 'succeeded']);
    expect(ran()).toBe(1);
    await using app = await open();
    expect([await app.store().count('slow'), await app.store().count('_millrace_claims')]).toEqual([1, 0]);
  }, 60_000);

  it('is gone on with when the process that did so was killed', async () => {
    writeFileSync(`${trace}.hang`, '');
    const { child: first, ended } = await start();
    first.stdin?.write('go\n');
    while (ran() < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await using app = await open();
    expect(await resumeSlow(app, trace)).toMatch(underWay);
    first.kill('SIGKILL');
    await ended;
    rmSync(`${trace}.hang`);
    expect(await resumeSlow(app, trace)).toBe('succeeded');
    expect(await app.store().count('_millrace_claims')).toBe(0);
  }, 60_000);
}

describe('a run that failed, on an embedded store', () => {
  suite((folder) => `embedded:${join(folder, 'data')}`);
});
describeMongo('a run that failed, on MongoDB', ({ url, database }) => {
  suite(() => new URL(`/${database}`, url).href);
});
