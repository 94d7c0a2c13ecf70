import type { FileBinding } from '../binding/binding.js';
import { fileSource, type Source } from '../binding/source.js';
import type { OutputSpec } from '../metadata/spec.js';
import { parseFileTarget } from '../storage/files/format.js';
import { columnsOf } from '../validation/columns.js';
import { toBinding, valueOf } from './places.js';
import type { StepSpec } from './spec.js';

/** A collection that an output is published to. */
export interface PublishedCollection {
  readonly store: string;
  readonly name: string;
  readonly text: string;
}

/** A collection that holds an output's rows and nothing else; with `mixed`, also one that it adds to. */
export function publishedBy(step: StepSpec, port: OutputSpec, mixed = false): PublishedCollection | undefined {
  const binding = toBinding(valueOf(step, port));
  if (binding?.kind !== 'collection') return undefined;
  const mode = binding.options.mode ?? port.mode ?? 'replace';
  return mode === 'replace' || mixed ? { store: binding.store, name: binding.name, text: binding.toString() } : undefined;
}

/** A file that an output is published to. */
export interface PublishedFile {
  readonly text: string;
  readonly path: string;
  readonly source: Source;
  /** It holds the rows of the output and nothing else, and they read as they were written, since a schema says what they are. */
  readonly isFaithful: boolean;
}

export function publishedFile(step: StepSpec, port: OutputSpec): PublishedFile | undefined {
  const binding = toBinding(valueOf(step, port));
  if (binding?.kind !== 'file') return undefined;
  const parsed = parseTarget(binding);
  const known = binding.options.format ?? parsed?.format;
  if (parsed === undefined || known === undefined) return undefined;
  const { path, gzip } = parsed;
  const { schema } = port;
  return {
    text: binding.toString(),
    path,
    source: fileSource(path, known, gzip, schema === undefined ? undefined : columnsOf(schema)),
    isFaithful: schema !== undefined && (binding.options.mode ?? port.mode ?? 'replace') === 'replace',
  };
}

function parseTarget({ target, base }: FileBinding): ReturnType<typeof parseFileTarget> | undefined {
  try {
    return parseFileTarget(target, base);
  } catch {
    return undefined; // not the path of a file: the check of the step's bindings says so
  }
}

/** Whether its rows have, for all that its schema says, no `_id` of their own. */
export function lacksId({ schema }: OutputSpec): boolean {
  return schema !== undefined && columnsOf(schema).every(({ name }) => name !== '_id');
}
