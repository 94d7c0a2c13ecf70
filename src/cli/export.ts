import { randomUUID } from 'node:crypto';
import { checkWritable } from '../storage/files/check.js';
import { parseFileTarget, unknownFormat } from '../storage/files/format.js';
import { openFileWriter, publishFile } from '../storage/files/write.js';
import type { Row } from '../types.js';
import { BindingError } from '../errors.js';
import type { Cli } from './command.js';

/**
 * Writes rows to a file, which takes its place when all of them are in it; interrupted or failing, it leaves what was there.
 *
 * @returns how many rows.
 */
export async function exportRows(
  batches: AsyncIterable<readonly Row[]>,
  to: string,
  { cwd, interrupts }: Pick<Cli, 'cwd' | 'interrupts'>,
): Promise<number> {
  const { path, format, gzip } = parseFileTarget(to.replace(/^file:/, ''), cwd);
  const fault = format === undefined ? unknownFormat(path) : await checkWritable(path);
  if (format === undefined || fault !== undefined) throw new BindingError('--to', fault === undefined ? [] : [fault]);
  const signal = interrupts.hold();
  const writer = await openFileWriter(path, { format, gzip, mode: 'replace', id: randomUUID() });
  let count = 0;
  try {
    for await (const batch of batches) {
      signal.throwIfAborted();
      await writer.write(batch);
      count += batch.length;
    }
    await writer.finish();
    signal.throwIfAborted();
    await publishFile(writer.temporary, writer.target);
    return count;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
