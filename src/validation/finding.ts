/** A broken rule, with the path from the object that was checked. */
export interface Finding {
  readonly path: string;
  readonly rule: string;
  readonly value: unknown;
  readonly text: string;
}

/** Broken rules in order; a promise holds the place of an asynchronous one. */
export type Found = readonly (Finding | Promise<Found>)[];

/** What class-validator calls an object for whose class it has no rules. */
export function unknownValue(value: unknown): Finding {
  return { path: '', rule: 'unknownValue', value, text: 'an object of a class without rules cannot be checked' };
}

/** The same, seen from the object that has the other one under a name. */
export function below(name: string, found: Found): Found {
  return found.map((one) => {
    if (one instanceof Promise) return later(one.then((late) => below(name, late)));
    return { ...one, path: one.path === '' ? name : `${name}.${one.path}` };
  });
}

/** A rejection is reported where all findings are awaited; should a later rule throw before that, it must not be unhandled. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** What there is at once, or a promise where any of it is still to come. */
export function settled(found: Found): readonly Finding[] | Promise<readonly Finding[]> {
  const there = found.filter((one): one is Finding => !(one instanceof Promise));
  if (there.length === found.length) return there;
  return Promise.all(found.map(async (one) => (one instanceof Promise ? settled(await one) : [one]))).then((all) => all.flat());
}
