import { describeValue } from '../errors.js';
import { MASK } from '../mask.js';
import type { Class } from '../types.js';
import { ClassCheck } from './class-check.js';
import { settled, type Finding } from './finding.js';
import type { Secrets } from './mask.js';
import { reasonSentence } from './message.js';

/** A rule that a row breaks. */
export interface Reason {
  /** Dotted path, for example `items.0.sku`; empty where the row as a whole is wrong. */
  readonly property: string;
  /** class-validator's name of the rule, for example `isNumber`; `isRow` where the row is not an object. */
  readonly rule: string;
  /** What came; `***` where it is secret. */
  readonly value: unknown;
  /** One sentence: property, rule, value. */
  readonly message: string;
}

/** The class-validator rules of one class, compiled. */
export interface RowCheck {
  /** The class has no rules at all. */
  readonly empty: boolean;
  /** False: `check` never answers with a promise. */
  readonly mayBeAsync: boolean;
  /**
   * Undefined means valid. A promise only where a rule answered with one.
   *
   * @param only - the properties that a projection kept, as names or dotted paths: the others are not checked.
   */
  check(row: unknown, only?: ReadonlySet<string>): readonly Reason[] | undefined | Promise<readonly Reason[] | undefined>;
}

export interface RowCheckOptions {
  /** Which properties of a class hold secrets; default none. Pass the same function each time: compiled checks are kept by it. */
  readonly secrets?: Secrets;
}

const none: ReadonlySet<string> = new Set();
export const noSecrets: Secrets = () => none;

/**
 * Checks rows by the class-validator rules of a class as `validate(plainToInstance(schema, row))` would, without making an
 * instance. Compiled once for a class, on first use. Rules that belong to a validation group count like all others; properties
 * that the class does not name are let through; a default that a field has is not given to a row.
 */
export function compileRowCheck(schema: Class, { secrets = noSecrets }: RowCheckOptions = {}): RowCheck {
  const whole = ClassCheck.of(schema, secrets);
  const { empty, mayBeAsync } = whole;
  return Object.freeze({
    empty,
    mayBeAsync,
    check(row: unknown, only?: ReadonlySet<string>) {
      if (typeof row !== 'object' || row === null || Array.isArray(row)) return [notARow(row, secrets(schema).size > 0)];
      const check = only === undefined ? whole : whole.narrowed(only);
      const found = check.find(row, whole.trail);
      if (found === undefined) return undefined;
      const findings = settled(found);
      return findings instanceof Promise ? findings.then(reasons) : reasons(findings);
    },
  });
}

function reasons(findings: readonly Finding[]): readonly Reason[] | undefined {
  if (findings.length === 0) return undefined;
  return findings.map(({ path, rule, value, text }) => ({ property: path, rule, value, message: reasonSentence(path, rule, text, value) }));
}

function notARow(row: unknown, secret: boolean): Reason {
  const value = secret ? MASK : row;
  return { property: '', rule: 'isRow', value, message: `a row is an object, not ${secret ? MASK : describeValue(value)} (isRow)` };
}
