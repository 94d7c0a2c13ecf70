import { memoryStore } from 'millrace';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/task/log.js';
import { StoreRecorder, tasksCollection, unfinishedCollection, type TaskRecord } from '../../src/task/recorder.js';

describe('records', () => {
  it('of tasks are kept up to a number, however many steps a run has, and longer where a run may be gone on with', async () => {
    await using store = memoryStore();
    const recorder = new StoreRecorder(() => store, silentLog);
    await store.insert(unfinishedCollection, [{ _id: 'unfinished' }]);
    const record = (number: number): TaskRecord => ({
      _id: String(number),
      runId: number < 100 ? 'unfinished' : 'ended',
      processor: 'NoOp',
      status: 'succeeded',
      attempts: 1,
      started: new Date(number),
      finished: new Date(number),
      ms: 0,
      bindings: { inputs: {}, outputs: {} },
      inputs: {},
      outputs: {},
      metrics: {},
      monitor: { cpuMs: 0, peakMemory: 0, batches: 0 },
    });
    for (let number = 0; number < 100_000; number++) {
      recorder.task(record(number));
      if (number % 10_000 === 9999) await recorder.flush();
    }
    expect(await store.count(tasksCollection, { runId: 'ended' })).toBe(50_000);
    expect(await store.count(tasksCollection, { runId: 'unfinished' })).toBe(100);
  });
});
