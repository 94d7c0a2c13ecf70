import { describeValue } from '../../errors.js';
import { pipelineInvalid, wrongBody } from '../aggregate/fault.js';
import { isDocument } from '../query/path.js';

const writes = new Set(['$out', '$merge']);

/**
 * Refuses what would write. Which stages there are, the server knows.
 *
 * @throws MillraceError `PIPELINE_INVALID`.
 */
export function checkReads(pipeline: unknown, place = 'pipeline'): void {
  if (!Array.isArray(pipeline)) throw wrongBody(place, 'an array of stages', pipeline);
  pipeline.forEach((stage: unknown, at) => {
    const here = `${place}[${String(at)}]`;
    if (!isDocument(stage) || Object.keys(stage).length !== 1)
      throw pipelineInvalid(here, `a stage is an object with one key; got ${describeValue(stage)}`);
    const [name, body] = Object.entries(stage)[0] as [string, unknown];
    if (writes.has(name)) throw pipelineInvalid(`${here}.${name}`, 'an aggregation only reads: bind an output and let the run publish it');
    for (const [inner, where] of nested(name, body)) checkReads(inner, `${here}.${name}${where}`);
  });
}

function nested(name: string, body: unknown): (readonly [unknown, string])[] {
  if (!isDocument(body)) return [];
  if (name === '$facet') return Object.entries(body).map(([facet, inner]) => [inner, `.${facet}`] as const);
  const { pipeline } = body as { readonly pipeline?: unknown };
  return pipeline === undefined ? [] : [[pipeline, '.pipeline']];
}
