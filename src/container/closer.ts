/** How a scope ended, for those that it closes: well, or with a cause (be it undefined). */
export interface Outcome {
  readonly failed: boolean;
  readonly cause: unknown;
}
export const success: Outcome = Object.freeze({ failed: false, cause: undefined });

export type AnyGenerator = Generator | AsyncGenerator;
type Step = IteratorResult<unknown>;

/** Whether a factory answered with a generator to drive: by what it can do, since compilers for old targets make their own. */
export function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== 'object' || value === null) return false;
  const { next, throw: fail, return: end } = value as Partial<AnyGenerator>;
  return (
    typeof next === 'function' &&
    typeof fail === 'function' &&
    typeof end === 'function' &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function';
}

/** What closes a value, if anything does. */
export function disposerOf(value: unknown): (() => unknown) | undefined {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  try {
    const later: unknown = (value as Partial<AsyncDisposable>)[Symbol.asyncDispose];
    if (typeof later === 'function') return later as () => unknown;
    const now: unknown = (value as Partial<Disposable>)[Symbol.dispose];
    return typeof now === 'function' ? (now as () => unknown) : undefined;
  } catch {
    return undefined; // a proxy that knows its own names only is not disposable
  }
}

/**
 * Resumes a generator that has yielded: with `next` after success; after failure the cause is thrown into it, and it closes well by
 * letting that pass, rethrowing it or ending. Answers a promise only where the generator does; throws or rejects where it fails.
 */
export function resume(generator: AnyGenerator, outcome: Outcome): undefined | PromiseLike<void> {
  let step: Step | PromiseLike<Step>;
  try {
    step = outcome.failed ? generator.throw(outcome.cause) : generator.next();
  } catch (error) {
    return letPass(error, outcome);
  }
  if (!isThenable(step)) return finish(generator, step);
  return step.then(
    (last) => finish(generator, last),
    (error: unknown) => letPass(error, outcome),
  );
}

function letPass(error: unknown, { failed, cause }: Outcome): undefined {
  if (!failed || !Object.is(error, cause)) throw error;
  return undefined;
}

function finish(generator: AnyGenerator, step: Step): undefined | PromiseLike<void> {
  if (step.done === true) return undefined;
  const error = new Error(
    'its generator yielded a second time: what a resource gives is yielded once, and the code after `yield` closes it',
  );
  const refuse = (): never => {
    throw error;
  };
  const ended = generator.return(undefined); // so that its `finally` blocks run
  return isThenable(ended) ? ended.then(refuse) : refuse();
}
