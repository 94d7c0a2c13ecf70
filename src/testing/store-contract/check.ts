import assert from 'node:assert/strict';

import { loadBson } from '../../storage/ids.js';
import type { Rows, Store } from '../../storage/store.js';
import type { Row, WriteMode } from '../../types.js';

/** One promise of a store, as a test. */
export interface Case {
  readonly name: string;
  /** Names made with `named` are the test's own, and dropped after it. */
  run(store: Store, named: (name: string) => string, open: () => Promise<Store> | Store): Promise<void>;
}

/** Rows as text that tells every type apart, whatever copy of the bson package made them. */
async function texts(rows: readonly unknown[]): Promise<string[]> {
  const { EJSON } = await loadBson();
  return rows.map((row) => EJSON.stringify(row, { relaxed: false }));
}

/** The rows are these, in this order, types included. */
export async function assertRows(
  actual: Rows<unknown> | readonly unknown[],
  expected: readonly unknown[],
  message?: string,
): Promise<void> {
  const rows = 'toArray' in actual ? await actual.toArray() : actual;
  assert.deepEqual(await texts(rows), await texts(expected), message);
}

/** The same without `_id`. */
export async function assertData(actual: Rows<Row>, expected: readonly Row[], message?: string): Promise<void> {
  await assertRows(withoutIds(await actual.toArray()), expected, message);
}

/** Rows without what the store gave them. */
export function withoutIds(rows: readonly Row[]): Row[] {
  return rows.map((row) => {
    const { _id: _own, ...data } = row as { readonly _id?: unknown };
    return data;
  });
}

/** It rejects with this code, and its message says this. */
export async function assertRejects(promise: Promise<unknown>, code: string, message?: RegExp): Promise<void> {
  await assert.rejects(promise, (error: Error & { readonly code?: string }) => {
    assert.equal(error.code, code, error.stack);
    if (message) assert.match(error.message, message);
    return true;
  });
}

/** Publishes as a run does that has one store. */
export async function publish(store: Store, ...outputs: readonly PublishedOutput[]): Promise<void> {
  const stage = await stageOutputs(store, outputs);
  try {
    await stage.prepare(outputs);
    await stage.commit();
  } catch (error) {
    await stage.abort();
    throw error;
  }
  await stage.publish();
  await stage.finish();
}

type StagedOutput = Parameters<Awaited<ReturnType<Store['stage']>>['prepare']>[0][number];
export type PublishedOutput = StagedOutput & { readonly rows?: readonly Row[] };

let stages = 0;

/** A stage with the rows of some outputs, not prepared yet. */
export async function stageOutputs(store: Store, outputs: readonly PublishedOutput[]): Promise<Awaited<ReturnType<Store['stage']>>> {
  const id = `contract-${process.pid}-${Date.now()}-${stages++}`;
  const stage = await store.stage({ id, runId: id });
  for (const { collection, rows } of outputs) if (rows) await stage.insert(collection, rows);
  return stage;
}

/** Numbers from 0. */
export function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

/** An output with its rows; those of an upsert go by `k`. */
export function output(
  collection: string,
  mode: WriteMode,
  rows: readonly Row[],
  more: object = {},
): { collection: string; mode: WriteMode; rows: readonly Row[]; key?: readonly string[] } {
  return { collection, mode, rows, ...(mode === 'upsert' ? { key: ['k'] } : {}), ...more };
}
