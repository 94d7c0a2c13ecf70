import { compareValues, order, orderOf } from './compare.js';
import { isDocument, someAt } from './path.js';
import { queryInvalid, unknownOperator, wrongOperand } from './fault.js';
import type { ElementTest } from './element-test.js';
import { elementTests, equalTo } from './operator.js';
import { regExpOperand } from './regexp.js';

/** Whether a row is one that the filter means. */
export type Predicate = (row: object) => boolean;

/** Computes an aggregation expression over a row: what `$expr` needs. */
export type ExpressionCompiler = (expression: unknown) => (row: object) => unknown;

/**
 * A condition on one path: over a whole row, and over one value that was reached already (inside `$elemMatch`).
 */
interface Condition {
  readonly row: Predicate;
  readonly value: (value: unknown) => boolean;
}

/**
 * A filter as a function, with the server's meaning: comparison operators see values of the operand's own kind only, null means
 * missing too, and a path goes through the documents of arrays.
 *
 * @throws MillraceError `QUERY_INVALID` for an unknown operator or a wrong operand.
 */
export function compileFilter(filter: object, expressions?: ExpressionCompiler): Predicate {
  if (!isDocument(filter)) throw wrongOperand('a filter', 'an object', filter);
  const parts = Object.entries(filter).flatMap(([key, operand]) => compileEntry(key, operand, expressions));
  return every(parts);
}

/** Whether the filter computes something, so that a compiler of expressions must be loaded. */
export function hasExpression(filter: unknown): boolean {
  if (Array.isArray(filter)) return filter.some(hasExpression);
  return isDocument(filter) && Object.entries(filter).some(([key, value]) => key === '$expr' || hasExpression(value));
}

const logical = ['$and', '$or', '$nor', '$expr', '$comment'];
const elsewhere = new Set(['$where', '$text', '$jsonSchema', '$near', '$nearSphere', '$geoWithin', '$geoIntersects', '$sampleRate']);

function compileEntry(key: string, operand: unknown, expressions?: ExpressionCompiler): Predicate[] {
  if (!key.startsWith('$')) return [compilePath(key, operand, expressions).row];
  switch (key) {
    case '$and':
      return branches(key, operand, expressions);
    case '$or': {
      const any = branches(key, operand, expressions);
      return [(row) => any.some((holds) => holds(row))];
    }
    case '$nor': {
      const none = branches(key, operand, expressions);
      return [(row) => !none.some((holds) => holds(row))];
    }
    case '$expr': {
      if (!expressions) throw queryInvalid('$expr cannot be used here');
      const compute = expressions(operand);
      return [(row) => isTrue(compute(row))];
    }
    case '$comment':
      return [];
    default:
      throw elsewhere.has(key) ? unsupported(key) : unknownOperator(key, logical);
  }
}

/** What an expression counts as: false, null, missing and zeros of every kind are false; NaN and `''` are true. */
export function isTrue(value: unknown): boolean {
  if (value === true) return true;
  if (value === false || value === null || value === undefined) return false;
  return orderOf(value) !== order.number || compareValues(value, 0) !== 0;
}

function unsupported(operator: string): Error {
  return queryInvalid(`${operator} is not supported: only a MongoDB server can evaluate it`);
}

function branches(operator: string, operand: unknown, expressions?: ExpressionCompiler): Predicate[] {
  if (!Array.isArray(operand) || operand.length === 0) throw wrongOperand(operator, 'an array of filters that is not empty', operand);
  return operand.map((branch: object) => compileFilter(branch, expressions));
}

function compilePath(path: string, operand: unknown, expressions?: ExpressionCompiler): Condition {
  const parts = path.split('.');
  if (!isOperators(operand)) return condition(parts, equalTo(operand));
  return all(compileOperators(parts, operand, expressions));
}

/** `{ $gt: 1 }` is a set of operators, `{ a: 1 }`, `{}` and a reference (`{ $ref, $id }`) are values. */
export function isOperators(operand: unknown): operand is Readonly<Record<string, unknown>> {
  if (!isDocument(operand)) return false;
  const first = Object.keys(operand)[0];
  return first?.startsWith('$') === true && first !== '$ref' && first !== '$id';
}

function compileOperators(
  parts: readonly string[],
  operators: Readonly<Record<string, unknown>>,
  expressions?: ExpressionCompiler,
): Condition[] {
  return Object.entries(operators).flatMap(([operator, operand]) => {
    switch (operator) {
      case '$ne':
        if (orderOf(operand) === order.regExp) throw wrongOperand('$ne', 'a value (a pattern is negated by $not)', operand);
        return [not(condition(parts, equalTo(operand)))];
      case '$nin':
        return [not(condition(parts, testOf('$in', operand)))];
      case '$exists':
        return [isTrue(operand) ? condition(parts, exists) : not(condition(parts, exists))];
      case '$not':
        return [not(negated(parts, operand, expressions))];
      case '$all':
        return [containsAll(parts, operand, expressions)];
      case '$elemMatch':
        return [condition(parts, elementMatch(operand, expressions))];
      case '$regex':
        return [condition(parts, regExpOperand(operand, operators['$options']))];
      case '$options':
        if (!('$regex' in operators)) throw queryInvalid('$options stands beside $regex; there is none');
        return [];
      case '$comment':
        return [];
      default:
        return [condition(parts, testOf(operator, operand))];
    }
  });
}

const handledHere = ['$ne', '$nin', '$exists', '$not', '$all', '$elemMatch', '$regex', '$options', '$comment'];

function testOf(operator: string, operand: unknown): ElementTest {
  const make = elementTests[operator];
  if (make) return make(operand);
  if (elsewhere.has(operator)) throw unsupported(operator);
  if (!operator.startsWith('$'))
    throw queryInvalid(`a condition mixes operators and the field '${operator}': put the value under $eq, or the field beside`);
  throw unknownOperator(operator, [...Object.keys(elementTests), ...handledHere]);
}

const exists: ElementTest = { leaf: false, test: (value) => value !== undefined };

function negated(parts: readonly string[], operand: unknown, expressions?: ExpressionCompiler): Condition {
  if (operand instanceof RegExp || (operand as { _bsontype?: string } | null)?._bsontype === 'BSONRegExp')
    return condition(parts, equalTo(operand));
  if (!isOperators(operand)) throw wrongOperand('$not', 'operators or a regular expression', operand);
  return all(compileOperators(parts, operand, expressions));
}

function containsAll(parts: readonly string[], operand: unknown, expressions?: ExpressionCompiler): Condition {
  if (!Array.isArray(operand)) throw wrongOperand('$all', 'an array', operand);
  if (operand.length === 0) return never;
  const tests = operand.map((one: unknown) =>
    isOperators(one) && '$elemMatch' in one ? elementMatch(one['$elemMatch'], expressions) : equalTo(one),
  );
  return all(tests.map((test) => condition(parts, test)));
}

const never: Condition = { row: () => false, value: () => false };

function elementMatch(operand: unknown, expressions?: ExpressionCompiler): ElementTest {
  if (!isDocument(operand)) throw wrongOperand('$elemMatch', 'an object', operand);
  const onValues = isOperators(operand) && !logical.includes(Object.keys(operand)[0] ?? '');
  const holds = onValues ? all(compileOperators([], operand, expressions)).value : onDocuments(compileFilter(operand, expressions));
  return { leaf: false, test: (value) => Array.isArray(value) && value.some((element: unknown) => holds(element ?? null)) };
}

/** An array is a document to the server, its indexes the names of fields. */
function onDocuments(filter: Predicate): (value: unknown) => boolean {
  return (value) => (Array.isArray(value) ? filter(Object.fromEntries(value.entries())) : isDocument(value) && filter(value));
}

function condition(parts: readonly string[], { leaf, test }: ElementTest): Condition {
  const [name] = parts;
  if (parts.length !== 1 || name === undefined) return { row: (row) => someAt(row, parts, leaf, test), value: test };
  const row: Predicate = (one) => {
    const value = Object.hasOwn(one, name) ? (one as Readonly<Record<string, unknown>>)[name] : undefined;
    if (Array.isArray(value) || value === undefined || one instanceof Map) return someAt(one, parts, leaf, test);
    return test(value);
  };
  return { row, value: test };
}

function not(inner: Condition): Condition {
  return { row: (row) => !inner.row(row), value: (value) => !inner.value(value) };
}

function all(conditions: readonly Condition[]): Condition {
  const [first] = conditions;
  if (conditions.length === 1 && first) return first;
  return { row: every(conditions.map((one) => one.row)), value: (value) => conditions.every((one) => one.value(value)) };
}

function every(predicates: readonly Predicate[]): Predicate {
  const [first, second] = predicates;
  if (!first) return () => true;
  if (!second) return first;
  return (row) => {
    for (const holds of predicates) if (!holds(row)) return false;
    return true;
  };
}
