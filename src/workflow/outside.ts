import type { StoreSet } from '../binding/resolved.js';
import type { Fault } from '../errors.js';
import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import type { PublishedCollection, PublishedFile } from './published.js';
import type { StepSpec } from './spec.js';

/** What a step that runs reads of one that does not. */
export interface OutsideRead {
  readonly writer: StepSpec;
  readonly output: OutputSpec;
  readonly reader: StepSpec;
  readonly input: Pick<InputSpec, 'name' | 'property'>;
  /** Where it is published; undefined where it is not. */
  readonly place: Pick<PublishedCollection, 'store' | 'name'> | PublishedFile | undefined;
  /** By way of a collection or file that both name, and not by a link. */
  readonly text?: string;
}

/** Finds what is not there of what steps outside of the selection are to have published. */
export async function outsideFaults(workflow: string, reads: readonly OutsideRead[], stores: StoreSet): Promise<Fault[]> {
  const known = new Map<string, ReadonlySet<string>>();
  const faults: Fault[] = [];
  for (const read of reads) {
    const why = await problemOf(read, stores, known);
    if (why !== undefined) faults.push(refuse(workflow, read, why));
  }
  return faults;
}

async function problemOf({ place }: OutsideRead, stores: StoreSet, known: Map<string, ReadonlySet<string>>): Promise<string | undefined> {
  if (place === undefined) return 'its output is not published anywhere';
  if ('path' in place) {
    const { checkReadable } = await import('../storage/files/check.js'); // loaded when there are files to look at
    return (await checkReadable(place.path)) === undefined ? undefined : `'${place.text}' cannot be read`;
  }
  const { store, name } = place;
  if (!stores.names.includes(store)) return `there is no store '${store}'`;
  const names = known.get(store) ?? new Set(await stores.get(store).collections());
  known.set(store, names);
  return names.has(name) ? undefined : `nothing was ever published to '${name}'`;
}

function refuse(workflow: string, { writer, output, reader, input, text }: OutsideRead, why: string): Fault {
  const reads = text === undefined ? `is linked to '${writer.name}.${output.name}'` : `reads '${text}', which '${writer.name}' writes`;
  return {
    code: 'PORT_UNBOUND',
    message: `Step '${reader.name}' input port '${input.name}' ${reads}, but '${writer.name}' is not selected and ${why}`,
    where: [reader.where(), writer.where()],
    path: [workflow, reader.name, input.name],
    fix: `Select '${writer.name}' too, ${text === undefined ? `bind its output '${output.property}' to a collection, ` : ''}or bind '${input.property}' for this run.`,
  };
}
