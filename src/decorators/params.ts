import { present, withWhere } from '../metadata/facts.js';
import { misused } from '../metadata/misuse.js';
import type { ParamsSpec } from '../metadata/spec.js';
import { declareMember } from '../metadata/writers.js';
import type { Class } from '../types.js';
import { aClass, checkOptions, text } from './option.js';
import type { PortDecorator } from './port.js';
import { fieldOf, refuseBare, useOf, type Target } from './use.js';

/** What `@Params` may say. */
export interface ParamsOptions<T> {
  /** The class of the parameters; its field initialisers are their defaults. */
  readonly schema: Class<T>;
  readonly title?: string;
  readonly description?: string;
}

const rules = { schema: aClass, title: text, description: text };

/**
 * Declares the field `params` to hold the processor's parameters: an instance of the schema class with its defaults, checked before the run.
 *
 * @example
 * ```ts
 * @Params({ schema: PriceParams }) readonly params!: PriceParams;
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED`, when applied, for a field of another name or a wrong option.
 */
export function Params<T>(options: ParamsOptions<T>): PortDecorator<T>;
export function Params(options = {} as ParamsOptions<unknown>, ...more: unknown[]): (...target: Target) => void {
  const use = useOf('Params', Params);
  refuseBare(use, [options, ...more]);
  return (...target) => {
    const place = fieldOf(use, target);
    const { property } = place;
    checkOptions(place, options, rules, ['schema']);
    if (property !== 'params')
      throw misused(place, `the input of parameters is named 'params', by which tasks and the CLI bind it: rename the field to 'params'.`);
    const spec: ParamsSpec = withWhere({ property, schema: options.schema, ...present(options, 'title', 'description') }, use.where);
    declareMember(place, { kind: 'params', spec });
  };
}
