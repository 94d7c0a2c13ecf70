import { MillraceError, suggestName } from '../errors.js';
import type { OutputSpec } from '../metadata/spec.js';
import type { Runtime } from '../task/runtime.js';
import { Claim, findClaims } from './claim.js';
import type { EffectiveWorkflow } from './effective.js';
import { fingerprintOf, lineageOf, outerPlaces, stampOf } from './fingerprint.js';
import { orderOf, type Edge } from './graph.js';
import { outputsRead } from './places.js';
import type { Fate, KeptOutput } from './fate.js';
import { isLive, loadJournal, loadUnfinished, type StepJournal, type UnfinishedRun } from './record.js';
import { publishedFile } from './published.js';
import { chooseSteps } from './reuse.js';
import type { StepSpec } from './spec.js';
import { isSliced, type Slices } from './slice.js';

/** A run to go on with, and those that it went on with itself. */
export interface Resumable {
  readonly record: UnfinishedRun;
  /** The last first. */
  readonly chain: readonly UnfinishedRun[];
}

/**
 * Finds the run to go on with: the one named, else the last one that did not end well and that no later one has made up for.
 *
 * @param by - the run that has claimed it.
 * @throws MillraceError `RUN_UNKNOWN`.
 */
export async function findResumable(runtime: Runtime, name: string, runId: string | undefined, by?: string): Promise<Resumable> {
  const runs = await loadUnfinished(runtime, name);
  const continued = new Set(runs.map(({ resumes }) => resumes));
  const record = runs.find(({ _id, status }) => (runId === undefined ? status !== 'partial' && !continued.has(_id) : _id === runId));
  if (record === undefined) throw runUnknown(name, runId, runs);
  const claim = (await findClaims(runtime, [record._id])).find((one) => one.by !== by);
  if (!isLive(record) && claim === undefined) return { record, chain: chainOf(record, runs) };
  const { host, pid } = (claim ?? record).lease;
  throw new MillraceError(
    'RUN_UNKNOWN',
    `run ${record._id} of workflow '${name}' is still under way on ${host} (process ${String(pid)}): wait for its end, or end it`,
  );
}

/** The same, and nobody else goes on with it until the claim is released: of several that ask at once one has it. */
export async function claimResumable(
  runtime: Runtime,
  name: string,
  runId: string | undefined,
  by: string,
): Promise<Resumable & { readonly claim: Claim }> {
  for (;;) {
    const { record } = await findResumable(runtime, name, runId);
    const claim = await Claim.take(runtime, record._id, by);
    if (claim === undefined) continue; // somebody was faster, and is found now
    try {
      const found = await findResumable(runtime, name, runId, by); // another one may have gone on with it before, and have ended
      if (found.record._id === record._id) return { ...found, claim };
    } catch (error) {
      await claim.release();
      throw error;
    }
    await claim.release();
  }
}

/** This run, and those that nobody will go on with now that it has succeeded. */
export async function findSuperseded(runtime: Runtime, name: string, runId: string): Promise<readonly UnfinishedRun[]> {
  const runs = await loadUnfinished(runtime, name);
  const own = runs.find(({ _id }) => _id === runId);
  if (own === undefined || runs.length === 1) return runs.filter((run) => run === own); // nearly always
  const used = await runsInUse(runtime, runs, runId);
  const before = new Set(chainOf(own, runs));
  // one that went on with part of another leaves the rest of it to be gone on with
  return runs.filter((run) => run === own || (covers(own, run) && (before.has(run) || (!used.has(run) && own.started >= run.started))));
}

/** Runs that are under way, and those that these read from. */
async function runsInUse(runtime: Runtime, runs: readonly UnfinishedRun[], but?: string): Promise<ReadonlySet<UnfinishedRun>> {
  const claims = await findClaims(
    runtime,
    runs.map(({ _id }) => _id),
  );
  const claimed = new Set(claims.flatMap(({ _id, by }) => (by === but ? [] : [_id])));
  const live = runs.filter((run) => run._id !== but && (isLive(run) || claimed.has(run._id)));
  return new Set(live.flatMap((run) => chainOf(run, runs)));
}

/** How many runs that did not end well are kept to be gone on with. */
const most = 10;

/** Runs that did not end well, beyond the last few and those that these go on with. */
export async function findForgotten(runtime: Runtime, name: string): Promise<readonly UnfinishedRun[]> {
  const runs = await loadUnfinished(runtime, name);
  if (runs.length <= most) return [];
  const continued = new Set(runs.map(({ resumes }) => resumes));
  const ends = runs.filter(({ _id }) => !continued.has(_id)).slice(0, most);
  const kept = new Set(ends.flatMap((run) => chainOf(run, runs)));
  const used = await runsInUse(runtime, runs);
  return runs.filter((run) => !kept.has(run) && !used.has(run));
}

/** Whether a run has done what another one was to do. */
function covers(done: UnfinishedRun, run: UnfinishedRun): boolean {
  return !isSliced(done.slices) || JSON.stringify(done.slices) === JSON.stringify(run.slices);
}

function chainOf(record: UnfinishedRun, runs: readonly UnfinishedRun[]): UnfinishedRun[] {
  const byId = new Map(runs.map((run) => [run._id, run]));
  const chain: UnfinishedRun[] = [];
  for (let run: UnfinishedRun | undefined = record; run !== undefined && !chain.includes(run); run = byId.get(run.resumes ?? ''))
    chain.push(run);
  return chain;
}

function runUnknown(name: string, runId: string | undefined, runs: readonly UnfinishedRun[]): MillraceError {
  const known = runs.map(({ _id }) => _id);
  const message =
    runId === undefined
      ? `workflow '${name}' has no unfinished run in this store; start one with run()`
      : `workflow '${name}' has no unfinished run '${runId}' in this store. ${suggestName(runId, known)}`;
  return new MillraceError('RUN_UNKNOWN', message);
}

/** What becomes of each step when a run is gone on with: as few as possible run. */
export async function planReuse(
  runtime: Runtime,
  workflow: EffectiveWorkflow,
  selected: ReadonlySet<number>,
  { record, chain }: Resumable,
): Promise<Fate[]> {
  const journal = await journalOf(runtime, chain);
  const lineages = await currentLineages(runtime, workflow, selected);
  const rowOf = (step: number): StepJournal | undefined => journal.get(workflow.graph.names[step] ?? '');
  const same = (step: number): boolean => rowOf(step)?.lineage === lineages[step];
  const done = new Set([...workflow.steps.keys()].filter((step) => rowOf(step) !== undefined && same(step)));
  const there = await findAvailable(runtime, workflow, done, rowOf);
  const needed = chooseSteps({ graph: workflow.graph, selected, done, available: (edge) => there.has(edge) });
  return workflow.steps.map((_, step): Fate => {
    const need = needed.get(step);
    const lineage = lineages[step] ?? '';
    if (!selected.has(step)) return { does: 'nothing', reason: 'not selected' };
    if (need === undefined) {
      const row = rowOf(step);
      const published = Object.keys(row?.outputs ?? {}).length > 0;
      return {
        does: 'reuse',
        reason: `${published ? 'published' : 'done'} by run ${row?.runId ?? record._id}`,
        kept: row?.outputs ?? {},
        lineage,
      };
    }
    if (need !== 'not done') return { does: 'run', reason: `needed by '${workflow.graph.names[need.by] ?? ''}': its rows were not kept` };
    return {
      does: 'run',
      reason:
        rowOf(step) === undefined
          ? `not done by run ${record._id}`
          : `its definition, bindings or inputs have changed since run ${rowOf(step)?.runId ?? ''}`,
    };
  });
}

/** The last that was noted of each step, by its name. */
async function journalOf(runtime: Runtime, chain: readonly UnfinishedRun[]): Promise<ReadonlyMap<string, StepJournal>> {
  const rows = new Map<string, StepJournal>();
  for (const { _id } of chain)
    for (const row of await loadJournal(runtime, _id)) if (rows.get(row.step) === undefined) rows.set(row.step, row);
  return rows;
}

/** As the run itself works them out: steps that are not selected say nothing. */
async function currentLineages(
  runtime: Runtime,
  { graph, steps }: EffectiveWorkflow,
  selected: ReadonlySet<number>,
): Promise<readonly string[]> {
  const lineages: string[] = [];
  for (const step of orderOf(graph)) {
    const spec = steps[step];
    if (spec === undefined || !selected.has(step)) continue;
    const stamp = await stampOf(outerPlaces(graph, steps, step), runtime.stores);
    lineages[step] = lineageOf(fingerprintOf(spec), stamp, graph.into[step]!, (from) => lineages[from] ?? '');
  }
  return lineages;
}

/** Edges along which rows can still be read that a step of an earlier run wrote. */
async function findAvailable(
  runtime: Runtime,
  { graph, steps }: EffectiveWorkflow,
  done: ReadonlySet<number>,
  rowOf: (step: number) => StepJournal | undefined,
): Promise<ReadonlySet<Edge>> {
  const there = new Map<string, boolean>();
  const isThere = async (step: number, port: OutputSpec, kept: KeptOutput): Promise<boolean> => {
    const key = `${String(step)} ${port.property}`;
    let found = there.get(key);
    if (found === undefined) there.set(key, (found = await holds(runtime, steps[step]!, port, kept)));
    return found;
  };
  const available = new Set<Edge>();
  for (const step of done) {
    const { processor } = steps[step] ?? {};
    const row = rowOf(step);
    if (processor === undefined || row === undefined) continue;
    for (const edge of graph.out[step]!) {
      if (edge.kind === 'after') continue;
      const ports =
        edge.kind === 'link'
          ? processor.outputs.filter(({ name }) => name === edge.label)
          : outputsRead(steps[step]!, steps[edge.to]!, edge.label);
      const kept = ports.flatMap((port) => {
        const output = row.outputs[port.property];
        return output === undefined ? [] : [[port, output] as const];
      });
      // a collection that is added to, or rejects: it was published, and holds more than this
      if (edge.kind === 'collection' && kept.length === 0) available.add(edge);
      for (const [port, output] of kept) if (await isThere(step, port, output)) available.add(edge);
    }
  }
  return available;
}

async function holds(runtime: Runtime, step: StepSpec, port: OutputSpec, { rows, spool, collection, file }: KeptOutput): Promise<boolean> {
  if (file === true) return (await countFile(step, port)) === rows;
  if (spool !== undefined) return (await runtime.stores.get('default').count(spool)) === rows;
  if (collection === undefined || !runtime.stores.names.includes(collection.store)) return false;
  return (await runtime.stores.get(collection.store).count(collection.name)) === rows;
}

/** Undefined where it is gone, or cannot be read. */
async function countFile(step: StepSpec, port: OutputSpec): Promise<number | undefined> {
  let rows = 0;
  try {
    for await (const batch of publishedFile(step, port)?.source.batches([], countedAtOnce) ?? []) rows += batch.length;
  } catch {
    return undefined; // the step that wrote it runs again
  }
  return rows;
}

const countedAtOnce = 1000;

/** The slices of a run that is gone on with, where none are given. */
export function slicesOf(options: Slices, record: UnfinishedRun): Slices {
  return isSliced(options) ? options : record.slices;
}
