import { isDeepStrictEqual } from 'node:util';
import { MillraceError } from '../errors.js';

type Variables = Readonly<Record<string, unknown>>;

/** The variables that a run was given, as its record has them for one that goes on with it. */
export interface KeptVariables {
  /** As JSON: a store may have rules for the names of properties. */
  readonly values: string;
  /** Names of those that are secret, or no data. */
  readonly withheld: readonly string[];
}

export function keepVariables(variables: Variables, secrets: ReadonlySet<string> = new Set()): KeptVariables {
  const given = Object.entries(variables).filter(([, value]) => value !== undefined);
  const kept = given.filter(([name, value]) => !secrets.has(name) && isData(value));
  return {
    values: JSON.stringify(Object.fromEntries(kept)),
    withheld: given.filter((entry) => !kept.includes(entry)).map(([name]) => name),
  };
}

/**
 * The variables of a run that goes on with another: those of that run, and in their place what is given now.
 *
 * @throws MillraceError `CONFIG_INVALID` where one was not kept, and is not given again.
 */
export function restoreVariables(
  { _id, name, variables }: { readonly _id: string; readonly name: string; readonly variables?: KeptVariables },
  given: Variables = {},
): Variables {
  if (variables === undefined) return given;
  const missing = variables.withheld.filter((one) => given[one] === undefined).map((one) => `'${one}'`);
  if (missing.length === 0) return { ...(JSON.parse(variables.values) as Variables), ...given };
  throw new MillraceError(
    'CONFIG_INVALID',
    `run ${_id} of workflow '${name}' had the variable${missing.length > 1 ? 's' : ''} ${missing.join(', ')}, which no record keeps (a secret, or no plain data): give ${missing.length > 1 ? 'them' : 'it'} again`,
  );
}

function isData(value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value);
  } catch {
    return false; // it goes round in circles, or is a function
  }
}
