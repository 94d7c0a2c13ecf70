import { validate, type ValidationError } from 'class-validator';
import type { Decorator } from './decorators.js';
import { compileRowCheck, type Reason, type RowCheck } from '../../src/validation/row-check.js';
import type { ConcreteClass } from '../../src/types.js';

/** A class with decorators on its properties, as the compiler would have applied them. */
export function classOf(
  properties: Readonly<Record<string, readonly Decorator[]>>,
  base: ConcreteClass = Object,
): ConcreteClass<Record<string, unknown>> {
  const made = class Generated extends (base as ConcreteClass<object>) {};
  for (const [name, given] of Object.entries(properties)) for (const decorator of given.toReversed()) decorator(made.prototype, name);
  return made as ConcreteClass<Record<string, unknown>>;
}

/** `path rule` of every rule that class-validator finds broken; or that it threw. */
export async function expectedOf(instance: object): Promise<readonly string[] | 'threw'> {
  try {
    return sorted((await validate(instance)).flatMap((error) => flat(error, '')));
  } catch {
    return 'threw';
  }
}

function flat(error: ValidationError, above: string): string[] {
  const property = (error.property as string | undefined) ?? '';
  const path = [above, property].filter((part) => part !== '').join('.');
  return [
    ...Object.keys(error.constraints ?? {}).map((rule) => `${path} ${rule}`),
    ...(error.children ?? []).flatMap((child) => flat(child, path)),
  ];
}

/** The same of ours. */
export async function foundOf(check: RowCheck, row: unknown): Promise<readonly string[] | 'threw'> {
  let answer: readonly Reason[] | undefined | Promise<readonly Reason[] | undefined>;
  try {
    answer = check.check(row);
    if (answer instanceof Promise && !check.mayBeAsync) return ['a promise where none may be'];
    return sorted(((await answer) ?? []).map(({ property, rule }) => `${property} ${rule}`));
  } catch {
    return 'threw';
  }
}

export const checkOf = compileRowCheck;

function sorted(all: readonly string[]): readonly string[] {
  return [...new Set(all)].sort();
}
