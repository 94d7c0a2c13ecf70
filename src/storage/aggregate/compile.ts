import { compileFilter, hasExpression, type Predicate } from '../query/filter.js';
import { compileQuery, type CompiledQuery } from '../query/query.js';
import type { Query } from '../../types.js';
import { loadExpressions } from './expressions.js';

/** A filter, with expressions where it has some. @throws MillraceError `QUERY_INVALID`. */
export async function compileMatch(filter: object): Promise<Predicate> {
  return compileFilter(filter, hasExpression(filter) ? await loadExpressions() : undefined);
}

/** A query, with expressions where its filter has some. @throws MillraceError `QUERY_INVALID`. */
export async function compileFind(query: Query<object> = {}): Promise<CompiledQuery> {
  return compileQuery(query, hasExpression(query.filter) ? await loadExpressions() : undefined);
}
