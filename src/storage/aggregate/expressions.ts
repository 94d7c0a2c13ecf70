import type * as Mingo from 'mingo';
import type { AnyObject } from 'mingo/types';
import type * as MingoCore from 'mingo/core';

import { MillraceError, suggestName } from '../../errors.js';
import { compareValues, equalValues, order, orderOf } from '../query/compare.js';
import { queryInvalid } from '../query/fault.js';
import { isTrue, type ExpressionCompiler } from '../query/filter.js';
import { isDocument } from '../query/path.js';
import { typeNameOf } from '../query/type.js';
import { arithmetic } from './arithmetic.js';
import { pipelineInvalid } from './fault.js';
import { pathOperator, rewrite, valuesAt } from './rewrite.js';

/** Values that an expression names as `$$name`. */
export type Variables = Readonly<Record<string, unknown>>;

/** Aggregation expressions and the stages that are left to mingo. */
export interface Expressions {
  /** @throws MillraceError `PIPELINE_INVALID` for an unknown operator. */
  compile(expression: unknown, place: string, variables?: Variables): (row: object) => unknown;
  /** One stage over rows that it may change: pass copies. */
  runStage(stage: object, rows: readonly object[], place: string, variables: Variables): object[];
  /** An accumulator of mingo's over the rows of a group; undefined where there is none of that name. */
  accumulator(name: string): ((rows: readonly object[], expression: unknown, variables: Variables) => unknown) | undefined;
}

type Options = Parameters<typeof MingoCore.evalExpr>[2];
type Operator = (row: AnyObject, expression: unknown, options: Options) => unknown;

let loading: Promise<Expressions> | undefined;

/** Loaded with mingo when the first expression needs it. */
export function loadEngine(): Promise<Expressions> {
  return (loading ??= makeEngine());
}

/** For `$expr` in filters. */
export async function loadExpressions(): Promise<ExpressionCompiler> {
  const engine = await loadEngine();
  return (expression) => {
    try {
      return engine.compile(expression, '$expr');
    } catch (error) {
      throw error instanceof MillraceError ? queryInvalid(error.message) : error;
    }
  };
}

async function makeEngine(): Promise<Expressions> {
  const [mingo, core, accumulators, expressions] = await Promise.all([
    import('mingo'),
    import('mingo/core'),
    import('mingo/operators/accumulator'),
    import('mingo/operators/expression'),
  ]);
  return new Engine(mingo, core, accumulators, expressions);
}

const capture = '$millraceCapture';

class Engine implements Expressions {
  readonly #mingo: typeof Mingo;
  readonly #core: typeof MingoCore;
  readonly #context: MingoCore.Context;
  readonly #accumulators: Readonly<Record<string, unknown>>;
  readonly #known: ReadonlySet<string>;

  constructor(mingo: typeof Mingo, core: typeof MingoCore, accumulators: object, expressions: object) {
    this.#mingo = mingo;
    this.#core = core;
    this.#accumulators = accumulators as Readonly<Record<string, unknown>>;
    const own = ownOperators(core);
    const { $function: _script, $accumulator: _other, ...others } = { ...expressions, ...own } as Record<string, Operator>;
    this.#known = new Set([...Object.keys(others), ...Object.keys(accumulators)]);
    const path: Operator = (row, expression) => valuesAt(row, (expression as { readonly $literal: string }).$literal.slice(1).split('.'));
    const hand: Operator = (_row, _expression, options) => options;
    this.#context = core.Context.init({
      accumulator: accumulators as never,
      expression: { ...others, [pathOperator]: path, [capture]: hand },
    });
  }

  compile(expression: unknown, place: string, variables: Variables = {}): (row: object) => unknown {
    this.#check(expression, place);
    const field = plainField(expression);
    if (field !== undefined) return (row) => (Object.hasOwn(row, field) ? (row as Readonly<Record<string, unknown>>)[field] : undefined);
    const options = this.#optionsFor(variables);
    const rewritten = rewrite(expression);
    return (row) => {
      try {
        (options as unknown as { update(locals: object): void }).update({ root: row });
        return withoutMissing(this.#core.evalExpr(row, rewritten, options));
      } catch (error) {
        throw error instanceof MillraceError ? error : pipelineInvalid(place, (error as Error).message, error);
      }
    };
  }

  runStage(stage: object, rows: readonly object[], place: string, variables: Variables): object[] {
    const script = findScript(stage);
    if (script !== undefined) throw pipelineInvalid(place, `${script} runs a script, which no store does`);
    try {
      const { CLONE_INPUT } = this.#core.ProcessingMode;
      const options = { variables: variables as AnyObject, processingMode: CLONE_INPUT };
      return new this.#mingo.Aggregator([stage as AnyObject], options).run(rows as AnyObject[]);
    } catch (error) {
      throw error instanceof MillraceError ? error : pipelineInvalid(place, (error as Error).message, error);
    }
  }

  accumulator(name: string): ((rows: readonly object[], expression: unknown, variables: Variables) => unknown) | undefined {
    const found = this.#accumulators[name] as ((rows: readonly object[], expression: unknown, options: unknown) => unknown) | undefined;
    return found && ((rows, expression, variables) => found(rows, rewrite(expression), this.#optionsFor(variables)));
  }

  /** mingo copies all its operators for each expression that it is not given its own options for: an operator hands them out. */
  #optionsFor(variables: Variables): Options {
    return this.#core.evalExpr({}, { [capture]: 1 }, {
      variables: variables as AnyObject,
      context: this.#context,
      scriptEnabled: false,
    } as never) as never;
  }

  #check(expression: unknown, place: string): void {
    if (Array.isArray(expression)) for (const one of expression) this.#check(one, place);
    if (!isDocument(expression)) return;
    const entries = Object.entries(expression);
    const operator = entries.find(([name]) => name.startsWith('$'))?.[0];
    if (operator !== undefined) {
      if (entries.length > 1)
        throw pipelineInvalid(place, `an expression has one operator; got ${entries.map(([name]) => name).join(', ')}`);
      if (!this.#known.has(operator)) throw pipelineInvalid(place, `unknown operator '${operator}'. ${suggestName(operator, this.#known)}`);
      if (operator === '$literal') return;
    }
    for (const [, value] of entries) this.#check(value, place);
  }
}

/** mingo's own stages use scripts of its own, so that they cannot simply be turned off. */
function findScript(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map(findScript).find((found) => found !== undefined);
  if (!isDocument(value)) return undefined;
  const own = Object.keys(value).find((name) => name === '$function' || name === '$accumulator');
  return own ?? findScript(Object.values(value));
}

/** `'$name'`: the commonest expression, worth a short way. */
function plainField(expression: unknown): string | undefined {
  if (typeof expression !== 'string' || !/^\$[^$.]+$/.test(expression)) return undefined;
  return expression.slice(1);
}

/** A computed document has no field for what is missing. */
function withoutMissing(value: unknown): unknown {
  if (!isDocument(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value) as [string, unknown][];
  return entries.some(([, one]) => one === undefined) ? Object.fromEntries(entries.filter(([, one]) => one !== undefined)) : value;
}

/** Where mingo compares and computes otherwise than the server. */
function ownOperators(core: typeof MingoCore): Readonly<Record<string, Operator>> {
  const evaluate = (row: AnyObject, expression: unknown, options: Options): unknown => core.evalExpr(row, expression, options);
  const comparison =
    (name: string, accepts: (difference: number) => unknown): Operator =>
    (row, expression, options) => {
      const values = evaluate(row, expression, options);
      if (!Array.isArray(values) || values.length !== 2) throw new Error(`${name} takes two values`);
      return accepts(compareValues(values[0], values[1]));
    };
  return {
    $eq: comparison('$eq', (difference) => difference === 0),
    $ne: comparison('$ne', (difference) => difference !== 0),
    $gt: comparison('$gt', (difference) => difference > 0),
    $gte: comparison('$gte', (difference) => difference >= 0),
    $lt: comparison('$lt', (difference) => difference < 0),
    $lte: comparison('$lte', (difference) => difference <= 0),
    $cmp: comparison('$cmp', (difference) => Math.sign(difference)),
    $and: (row, expression, options) => listOf(expression).every((one) => isTrue(evaluate(row, one, options))),
    $or: (row, expression, options) => listOf(expression).some((one) => isTrue(evaluate(row, one, options))),
    $not: (row, expression, options) => !isTrue(evaluate(row, listOf(expression)[0], options)),
    $in: (row, expression, options) => {
      const [value, list] = (expression as unknown[]).map((one) => evaluate(row, one, options));
      if (!Array.isArray(list)) throw new Error('$in takes a value and an array');
      return list.some((one: unknown) => equalValues(one, value));
    },
    $type: (row, expression, options) =>
      typeNameOf(evaluate(row, Array.isArray(expression) ? expression[0] : expression, options)) ?? 'missing',
    $min: extreme(evaluate, -1),
    $max: extreme(evaluate, 1),
    ...arithmetic(evaluate as (row: object, expression: unknown, options: unknown) => unknown),
  };
}

function listOf(operand: unknown): readonly unknown[] {
  return Array.isArray(operand) ? operand : [operand];
}

function extreme(evaluate: (row: AnyObject, expression: unknown, options: Options) => unknown, direction: 1 | -1): Operator {
  return (row, expression, options) => {
    const value = evaluate(row, expression, options);
    const values = (Array.isArray(value) ? value : [value]).filter(
      (one: unknown) => orderOf(one) > order.null || orderOf(one) === order.minKey,
    );
    return values.reduce<unknown>((best, one) => (best === null || compareValues(one, best) * direction > 0 ? one : best), null);
  };
}
