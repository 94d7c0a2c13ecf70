import type { TaskError } from '../errors.js';
import type { TaskResult } from '../types.js';
import type { RunRecord, TaskRecord } from './recorder.js';
import { codeOf } from './task-error.js';

export type EndStatus = 'succeeded' | 'failed' | 'cancelled' | 'skipped';

interface EndedTask {
  readonly result: TaskResult;
  readonly status: EndStatus;
  readonly bindings: TaskRecord['bindings'];
  /** By the ports' own names. */
  readonly counts: Pick<TaskRecord, 'inputs' | 'outputs'>;
  readonly error: TaskError | undefined;
}

export function toTaskRecord({ result, status, bindings, counts: { inputs, outputs }, error }: EndedTask): TaskRecord {
  const { id, runId, processor, attempts, started, finished, ms, metrics, monitor } = result;
  const record = { _id: id, runId, processor, status, attempts, started, finished, ms, bindings, inputs, outputs, metrics, monitor };
  return error === undefined ? record : { ...record, error: { code: codeOf(error), message: error.message } };
}

/** Of a run that is this one task. */
export function toRunRecord({ runId, processor, started, finished, ms }: TaskResult, status: EndStatus, error?: TaskError): RunRecord {
  const ended = status === 'skipped' ? 'cancelled' : status;
  const record = { _id: runId, kind: 'task', name: processor, status: ended, started, finished, ms } as const;
  return error === undefined ? record : { ...record, error: error.message };
}
