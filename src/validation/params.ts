import { MillraceError, suggestName, toError } from '../errors.js';
import { MASK } from '../mask.js';
import type { Class, ConcreteClass } from '../types.js';
import type { Secrets } from './mask.js';
import { reasonSentence } from './message.js';
import { nestedClass, ownClass } from './nested-class.js';
import { compileRowCheck, noSecrets } from './row-check.js';
import { rulesOf } from './rules.js';

export interface ParamsOptions {
  /** Which properties of a class hold secrets; default none. */
  readonly secrets?: Secrets;
}

/**
 * An instance of a parameters' class: its own defaults, with the given values in their place (one that is undefined leaves the
 * default). Plain objects in it become instances too where their class is known. Values are not converted.
 *
 * @throws {@link MillraceError} `PARAMS_INVALID` that tells every unknown name and every broken rule; secret values are masked.
 */
export async function createParams(schema: Class, values: object, options: ParamsOptions = {}): Promise<object> {
  const { params, faults } = await checkParams(schema, values, options);
  if (faults.length > 0)
    throw new MillraceError('PARAMS_INVALID', `${schema.name} is invalid: ${faults.map(({ message }) => message).join('; ')}`);
  return params;
}

/** What is wrong with one parameter. */
export interface ParamsFault {
  /** Dotted, from the outermost object. */
  readonly property: string;
  readonly message: string;
}

/**
 * The same, with what is wrong told by property and not thrown.
 *
 * @throws {@link MillraceError} `PARAMS_INVALID` where the class cannot be made at all.
 */
export async function checkParams(
  schema: Class,
  values: object,
  { secrets = noSecrets }: ParamsOptions = {},
): Promise<{ readonly params: object; readonly faults: readonly ParamsFault[] }> {
  const faults: ParamsFault[] = [];
  const params = fill(construct(schema), values, { schema, secrets, path: '', faults });
  faults.push(...((await compileRowCheck(schema, { secrets }).check(params)) ?? []));
  return { params, faults };
}

interface Filling {
  readonly schema: Class;
  readonly secrets: Secrets;
  /** Of the object that is filled, from the outermost one; empty or with a dot at its end. */
  readonly path: string;
  readonly faults: ParamsFault[];
}

type Properties = Record<string, unknown>;

function fill(target: object, values: object, filling: Filling): object {
  const { schema, secrets, path, faults } = filling;
  const known = knownNames(schema, target);
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (value === undefined) continue;
    if (name === '__proto__' || (known.size > 0 && !known.has(name)))
      faults.push({ property: `${path}${name}`, message: unknownName(path, name, known) });
    else if (!Reflect.set(target, name, made(value, (target as Properties)[name], { ...filling, path: `${path}${name}.` }, name))) {
      const shown = secrets(schema).has(name) ? MASK : value;
      faults.push({
        property: `${path}${name}`,
        message: reasonSentence(`${path}${name}`, 'readOnly', `${path}${name} cannot be set`, shown),
      });
    }
  }
  return target;
}

/** The names that rules or defaults make known; none where any name will do. */
function knownNames(schema: Class, fresh: object): ReadonlySet<string> {
  return new Set([...rulesOf(schema).keys(), ...Object.keys(fresh)]);
}

function unknownName(path: string, name: string, known: ReadonlySet<string>): string {
  const names = [...known].map((one) => path + one);
  return `unknown parameter '${path}${name}': ${suggestName(path + name, names)}`;
}

/** The value, or where it is a plain object of a known class the instance that it stands for; a default is kept and filled. */
function made(value: unknown, before: unknown, filling: Filling, name: string): unknown {
  if (Array.isArray(value)) return value.map((one, at) => made(one, undefined, { ...filling, path: `${filling.path}${at}.` }, name));
  if (!isPlain(value)) return value;
  const nested = nestedClass(filling.schema, name);
  if (nested.isMap) return value;
  const schema = nested.of(value, value) ?? (typeof before === 'object' && before !== null ? ownClass(before) : undefined);
  if (schema === undefined) return value;
  return fill(before instanceof schema ? (before as object) : construct(schema), value, { ...filling, schema });
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function construct(schema: Class): object {
  try {
    return new (schema as ConcreteClass)() as object;
  } catch (thrown) {
    const error = toError(thrown);
    throw new MillraceError(
      'PARAMS_INVALID',
      `${schema.name} cannot be made: its constructor threw ${error.name}: ${error.message}; it must work without arguments`,
      {
        cause: thrown,
      },
    );
  }
}
