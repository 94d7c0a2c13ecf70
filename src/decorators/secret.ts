import { declareSecret } from '../metadata/writers.js';
import { fieldOf, refuseBare, useOf, type Target } from './use.js';

/**
 * Marks a field of a schema class: its value is masked in every log, record and error.
 *
 * @example
 * ```ts
 * class ShopParams {
 *   @Secret() @IsString() token!: string;
 * }
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED`, when applied, for anything but an instance field.
 */
export function Secret(): PropertyDecorator;
export function Secret(...args: unknown[]): (...target: Target) => void {
  const use = useOf('Secret', Secret);
  refuseBare(use, args);
  return (...target) => {
    declareSecret(fieldOf(use, target));
  };
}
