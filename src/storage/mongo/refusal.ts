import { MillraceError } from '../../errors.js';
import { runPipeline } from '../aggregate.js';
import { compileMatch } from '../aggregate/compile.js';

/** What the server refuses in a filter, as the engine of the other stores says it where it sees the fault too: with names and remedy. */
export async function clarifyFilter(error: unknown, filter: object): Promise<unknown> {
  return clarify(error, 'QUERY_INVALID', () => compileMatch(filter));
}

/** The same for a pipeline: the place of a stage is told. */
export async function clarifyPipeline(error: unknown, pipeline: readonly object[]): Promise<unknown> {
  return clarify(error, 'PIPELINE_INVALID', async () => {
    const rows = runPipeline([], pipeline, () => []);
    while ((await rows.next()).done !== true); // there are none: only its checks are wanted
  });
}

async function clarify(error: unknown, code: MillraceError['code'], check: () => unknown): Promise<unknown> {
  if (!(error instanceof MillraceError) || error.code !== code) return error;
  try {
    await check();
    return error;
  } catch (clearer) {
    return clearer instanceof MillraceError
      ? new MillraceError(code, `${clearer.message} (${error.message})`, { cause: error.cause })
      : error;
  }
}
