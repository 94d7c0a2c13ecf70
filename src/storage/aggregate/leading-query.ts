import { MillraceError } from '../../errors.js';
import type { Filter, Query } from '../../types.js';
import { isDocument } from '../query/path.js';
import { pipelineInvalid } from './fault.js';

/** A fault of a filter or a sort that a pipeline begins with is one of the pipeline. */
export async function inPipeline<T>(place: string, compiling: () => Promise<T>): Promise<T> {
  try {
    return await compiling();
  } catch (error) {
    throw error instanceof MillraceError && error.code === 'QUERY_INVALID' ? pipelineInvalid(place, error.message) : error;
  }
}

/** What a pipeline begins with that a find can do, where indexes are. */
export function leadingQuery(pipeline: readonly object[]): { readonly query: Query<object>; readonly rest: readonly object[] } {
  const rest = [...pipeline] as Readonly<Record<string, unknown>>[];
  const take = (stage: string, fits: (body: unknown) => boolean): unknown => {
    const body = rest[0]?.[stage];
    if (!fits(body)) return undefined;
    rest.shift();
    return body;
  };
  const filter = take('$match', isDocument) as Filter<object> | undefined;
  const sort = take('$sort', (body) => isDocument(body) && Object.keys(body).length > 0) as Query<object>['sort'];
  const skip = take('$skip', (body) => Number.isSafeInteger(body) && (body as number) >= 0) as number | undefined;
  const limit = take('$limit', (body) => Number.isSafeInteger(body) && (body as number) > 0) as number | undefined;
  return { query: { ...(filter && { filter }), ...(sort && { sort }), ...(skip && { skip }), ...(limit && { limit }) }, rest };
}
