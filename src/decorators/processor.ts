import { misused } from '../metadata/misuse.js';
import { declareProcessor } from '../metadata/writers.js';
import type { Class, Mismatch, ProcessorOptions, TaskContext } from '../types.js';
import { aName, aRetry, aTimeout, checkOptions, text, texts } from './option.js';
import { classOf, refuseBare, useOf, type Target } from './use.js';

const rules = { name: aName, title: text, description: text, tags: texts, timeout: aTimeout, retry: aRetry };

/**
 * Makes a class a processor: ports, dependencies and one action, its method `run`. Ports are inherited from base classes; the
 * decorator itself is not, nor are its options.
 *
 * @example
 * ```ts
 * @Processor({ title: 'Normalise prices' })
 * class NormalisePrices {
 *   @Input({ schema: RawPrice }) readonly raw!: Reader<RawPrice>;
 *   @Output({ schema: Price }) readonly prices!: Writer<Price>;
 *   async run({ log }: TaskContext): Promise<void> {
 *     log.info('nothing to do yet');
 *   }
 * }
 * ```
 * @throws {@link MillraceError} `DECORATOR_MISUSED`, when applied, for anything but a class with a name, and for a wrong option;
 * `DUPLICATE_NAME` for two inputs or two outputs of one name.
 */
export function Processor(
  options?: ProcessorOptions,
): <C extends Class>(
  target: C &
    (InstanceType<C> extends { run: infer R }
      ? R extends (context: TaskContext) => unknown
        ? unknown
        : Mismatch<TaskContext, R>
      : unknown),
) => void;
export function Processor(options: ProcessorOptions = {}, ...more: unknown[]): (...target: Target) => void {
  const use = useOf('Processor', Processor);
  refuseBare(use, [options, ...more]);
  return (...target) => {
    const place = classOf(use, target);
    checkOptions(place, options, rules);
    if (options.name === undefined && place.class.name === '')
      throw misused(place, `a class without a name needs one: @Processor({ name: '…' }).`);
    declareProcessor(place.class, frozen(options), place);
  };
}

/** A copy that nobody else can change. */
function frozen({ tags, retry, ...rest }: ProcessorOptions): ProcessorOptions {
  return Object.freeze({
    ...rest,
    ...(tags === undefined ? {} : { tags: Object.freeze([...tags]) }),
    ...(retry === undefined ? {} : { retry: Object.freeze({ ...retry }) }),
  });
}
