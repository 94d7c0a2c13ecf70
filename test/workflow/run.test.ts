import { rows, sink, workflow, WorkflowError, type WorkflowResult } from 'millrace';
import { createTestApp } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { Broken, Copy, Drain, Idle, items, Join, type Item } from './fixtures.js';
import { describeStores } from './stores.js';

const statuses = ({ steps }: Pick<WorkflowResult, 'steps'>): Record<string, string> =>
  Object.fromEntries(Object.entries(steps).map(([name, { status }]) => [name, status]));

describeStores('a run', (open) => {
  const app = () => createTestApp({ stores: { default: open() }, log: 'silent' });
  describe('links', () => {
    it('carry rows from step to step', async () => {
      await using one = await app();
      const out: Item[] = [];
      const w = workflow('w', (b) => {
        const first = b.step(Copy, { name: 'first', bind: { from: rows(() => items(10_000)) } });
        const second = b.step(Copy, { name: 'second', bind: { from: first.output('to') } });
        b.step(Copy, { name: 'third', bind: { from: second.output('to'), to: out } });
      });
      const result = await one.workflow(w).run();
      expect(result.status).toBe('succeeded');
      expect(out).toEqual(items(10_000));
      expect(result.steps['third']?.result?.inputs['from']?.rows).toBe(10_000);
      expect((await one.workflow(w).plan()).map(({ links }) => links.map(({ by }) => by))).toEqual([[], ['stream'], ['stream']]);
    });

    it('feed several readers, through a diamond too', async () => {
      await using one = await app();
      const w = workflow('w', (b) => {
        const source = b.step(Copy, { name: 'source', bind: { from: rows(() => items(20_000)) } });
        const left = b.step(Copy, { name: 'left', bind: { from: source.output('to') } });
        const right = b.step(Copy, { name: 'right', bind: { from: source.output('to') } });
        b.step(Join, { name: 'join', bind: { left: left.output('to'), right: right.output('to'), to: 'joined' } });
      });
      await one.workflow(w).run();
      expect(await one.store().count('joined')).toBe(40_000);
      expect((await one.workflow(w).plan()).flatMap(({ links }) => links.map(({ by }) => by))).toEqual([
        'stream',
        'stream',
        'spool',
        'spool',
      ]);
    });
  });

  describe('failures', () => {
    const broken = workflow('broken', (b) => {
      const first = b.step(Copy, { name: 'first', bind: { from: items(10) } });
      const fails = b.step(Broken, { name: 'fails', bind: { from: first.output('to') } });
      b.step(Drain, { name: 'reader', bind: { from: fails.output('to') } });
      b.step(Idle, { name: 'follower', after: [fails] });
      b.step(Idle, { name: 'other' });
    });

    it('stop the run', async () => {
      await using one = await app();
      const error = await one
        .workflow(broken)
        .run({ concurrency: 1 })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(WorkflowError);
      expect(error).toMatchObject({
        code: 'WORKFLOW_FAILED',
        message: "Workflow 'broken' failed in step 'fails': Processor 'Broken' failed: broken",
      });
      expect(statuses((error as WorkflowError).result)).toEqual({
        first: 'succeeded',
        fails: 'failed',
        reader: 'skipped',
        follower: 'skipped',
        other: 'skipped',
      });
    });

    it('leave other branches alone with finish-branches', async () => {
      await using one = await app();
      const error = await one
        .workflow(broken)
        .run({ concurrency: 1, onFailure: 'finish-branches' })
        .catch((thrown: unknown) => thrown);
      expect(statuses((error as WorkflowError).result)).toEqual({
        first: 'succeeded',
        fails: 'failed',
        reader: 'skipped',
        follower: 'skipped',
        other: 'succeeded',
      });
    });

    it('of steps that may fail leave a run that is partial', async () => {
      await using one = await app();
      const w = workflow('w', (b) => {
        const fails = b.step(Broken, { name: 'fails', onError: 'skip' });
        b.step(Drain, { name: 'reader', bind: { from: fails.output('to') } });
        b.step(Idle, { name: 'follower', after: [fails] });
      });
      const result = await one.workflow(w).run();
      expect(result.status).toBe('partial');
      expect(statuses(result)).toEqual({ fails: 'failed', reader: 'skipped', follower: 'succeeded' });
    });

    it('cancelled by the caller', async () => {
      await using one = await app();
      const stop = new AbortController();
      const w = workflow('w', (b) => {
        const endless = b.step(Copy, {
          name: 'endless',
          bind: {
            from: rows(function* () {
              for (let n = 0; ; n++) yield { n };
            }),
          },
        });
        b.step(Copy, { name: 'taker', bind: { from: endless.output('to'), to: sink(() => stop.abort(new Error('enough'))) } });
        b.step(Idle, { name: 'last', after: [endless] });
      });
      const error = await one
        .workflow(w)
        .run({ signal: stop.signal })
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'WORKFLOW_CANCELLED' });
      expect(statuses((error as WorkflowError).result)).toEqual({ endless: 'cancelled', taker: 'cancelled', last: 'skipped' });
    });
  });
});
