import { present } from '../metadata/facts.js';
import { misused } from '../metadata/misuse.js';
import type { PropertyPlace } from '../metadata/writers.js';
import type { Class, Mismatch, PortOptions } from '../types.js';
import { aBinding, aClass, aName, flag, oneOf, text, type Rules } from './option.js';

/** A decorator for a field of exactly this type: on any other it does not compile, and the error shows both types. */
export interface PortDecorator<Field> {
  <O extends object, K extends string & keyof O>(target: O & (O[K] extends Field ? unknown : Mismatch<Field, O[K]>), key: K): void;
}

/** The options of both kinds of port. */
export type SchemaOptions<Options extends PortOptions> = Options & { readonly schema?: Class };

export const portRules: Rules = {
  name: aName,
  title: text,
  description: text,
  schema: aClass,
  binding: aBinding,
  optional: flag,
  onInvalid: oneOf('fail', 'reject', 'warn', 'off'),
  rejects: text,
};

/** What both kinds of port say of themselves. */
export function portFacts(place: PropertyPlace, options: SchemaOptions<PortOptions>) {
  const name = options.name ?? place.property;
  if (name === 'params' || place.property === 'params') {
    throw misused(
      place,
      `'params' is the input that @Params() declares: give the ${place.property === 'params' ? 'property' : 'port'} another name.`,
    );
  }
  return {
    name,
    property: place.property,
    ...present(options, 'title', 'description', 'schema', 'binding', 'rejects'),
    optional: options.optional ?? false,
    onInvalid: options.onInvalid ?? 'fail',
  };
}
