import { withWhere } from '../metadata/facts.js';
import type { InputSpec } from '../metadata/spec.js';
import { declareMember } from '../metadata/writers.js';
import type { Class, InputOptions, Reader } from '../types.js';
import { checkOptions, flag } from './option.js';
import { portFacts, portRules, type PortDecorator, type SchemaOptions } from './port.js';
import { fieldOf, refuseBare, useOf, type Target } from './use.js';

const rules = { ...portRules, readOnly: flag, rereads: flag };

/**
 * Declares a field to be an input: the action reads its rows through a {@link Reader}. With a `schema` class every row is checked by that
 * class's rules, and the field must be a `Reader` of exactly that class.
 *
 * @example
 * ```ts
 * @Input({ title: 'Raw prices', schema: RawPrice, binding: 'raw_prices' }) readonly raw!: Reader<RawPrice>;
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED`, when applied, for anything but a public instance field, and for a wrong option.
 */
export function Input<T>(options: InputOptions & { readonly schema: Class<T> }): PortDecorator<Reader<T>>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- without a schema the field alone says what the rows are
export function Input(options?: InputOptions): PortDecorator<Reader<any>>;
export function Input(options: SchemaOptions<InputOptions> = {}, ...more: unknown[]): (...target: Target) => void {
  const use = useOf('Input', Input);
  refuseBare(use, [options, ...more]);
  return (...target) => {
    const place = fieldOf(use, target);
    checkOptions(place, options, rules);
    const facts = {
      kind: 'input' as const,
      ...portFacts(place, options),
      readOnly: options.readOnly ?? false,
      rereads: options.rereads ?? false,
    };
    const spec: InputSpec = withWhere(facts, use.where);
    declareMember(place, { kind: 'input', spec });
  };
}
