import { present, withWhere } from '../metadata/facts.js';
import type { OutputSpec } from '../metadata/spec.js';
import { declareMember } from '../metadata/writers.js';
import type { Class, OutputOptions, Writer } from '../types.js';
import { aKey, checkOptions, flag, oneOf } from './option.js';
import { portFacts, portRules, type PortDecorator, type SchemaOptions } from './port.js';
import { fieldOf, refuseBare, useOf, type Target } from './use.js';

const rules = { ...portRules, mode: oneOf('replace', 'append', 'upsert'), key: aKey, overwrite: flag, atomic: flag };

/**
 * Declares a field to be an output: the action writes rows through a {@link Writer}, and they are published together with those of the
 * task's other outputs when the action has succeeded. With a `schema` class every row is checked by that class's rules, and the field
 * must be a `Writer` of exactly that class.
 *
 * @example
 * ```ts
 * @Output({ title: 'Prices', schema: Price, binding: 'prices' }) readonly prices!: Writer<Price>;
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED`, when applied, for anything but a public instance field, and for a wrong option.
 */
export function Output<T>(options: OutputOptions & { readonly schema: Class<T> }): PortDecorator<Writer<T>>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- without a schema the field alone says what the rows are
export function Output(options?: OutputOptions): PortDecorator<Writer<any>>;
export function Output(options: SchemaOptions<OutputOptions> = {}, ...more: unknown[]): (...target: Target) => void {
  const use = useOf('Output', Output);
  refuseBare(use, [options, ...more]);
  return (...target) => {
    const place = fieldOf(use, target);
    checkOptions(place, options, rules);
    const spec: OutputSpec = withWhere({ kind: 'output' as const, ...portFacts(place, options), ...outputFacts(options) }, use.where);
    declareMember(place, { kind: 'output', spec });
  };
}

function outputFacts({ key, ...options }: OutputOptions) {
  return {
    ...present(options, 'mode'),
    ...(key === undefined ? {} : { key: Object.freeze(typeof key === 'string' ? [key] : [...key]) }),
    overwrite: options.overwrite ?? false,
    atomic: options.atomic ?? true,
  };
}
