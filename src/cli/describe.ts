import { nameOf, toKey } from '../container/dependency.js';
import { maskUrl } from '../mask.js';
import { getDependenciesSpec, secretsOf } from '../metadata/registry.js';
import type { InputSpec, OutputSpec, ParamsSpec, ProcessorSpec } from '../metadata/spec.js';
import type { Class, ConcreteClass } from '../types.js';
import { columnsOf } from '../validation/columns.js';
import { maskSecrets } from '../validation/mask.js';
import { rulesOf, type Constraint } from '../validation/rules.js';

/** A property of a schema, as `millrace show` tells it. */
export interface PropertyFacts {
  readonly name: string;
  readonly type: string;
  /** class-validator's names of its rules, with what they compare with: `min 0`. */
  readonly rules: readonly string[];
  readonly optional: boolean;
  readonly secret: boolean;
  /** Of parameters. */
  readonly default?: unknown;
}

export interface PortFacts {
  readonly name: string;
  readonly property: string;
  readonly title?: string;
  readonly description?: string;
  readonly binding?: string;
  readonly schema?: string;
  readonly properties: readonly PropertyFacts[];
  /** What was set otherwise than usual: `optional`, `mode append`. */
  readonly options: readonly string[];
}

export interface DependencyFacts {
  readonly place: string;
  readonly scope: string;
  readonly provider: string;
}

/** What `millrace show` tells of a processor, and nothing else. */
export interface ProcessorFacts {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly where: string;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly attempts?: number;
  readonly params?: Omit<PortFacts, 'binding' | 'options'>;
  readonly inputs: readonly PortFacts[];
  readonly outputs: readonly PortFacts[];
  readonly dependencies: readonly DependencyFacts[];
}

export function describeProcessor(spec: ProcessorSpec): ProcessorFacts {
  const { name, tags, where, timeout, retry, params } = spec;
  return {
    name,
    ...titlesOf(spec),
    tags,
    where,
    ...(timeout === undefined ? {} : { timeout }),
    ...(retry === undefined ? {} : { attempts: retry.attempts }),
    ...(params === undefined ? {} : { params: describeParams(params) }),
    inputs: spec.inputs.map(describePort),
    outputs: spec.outputs.map(describePort),
    dependencies: describeDependencies(spec.class),
  };
}

function describePort(port: InputSpec | OutputSpec): PortFacts {
  const { name, property, binding, schema } = port;
  return {
    name,
    property,
    ...titlesOf(port),
    ...(binding === undefined ? {} : { binding: maskUrl(String(binding)) }),
    ...(schema === undefined ? {} : { schema: schema.name }),
    properties: schema === undefined ? [] : propertiesOf(schema),
    options: optionsOf(port),
  };
}

function describeParams(params: ParamsSpec): Omit<PortFacts, 'binding' | 'options'> {
  const { property, schema } = params;
  const defaults = maskSecrets(defaultsOf(schema as ConcreteClass<object>), schema, secretsOf) as Readonly<Record<string, unknown>>;
  const known = propertiesOf(schema).map((one) => withDefault(one, defaults));
  const others = Object.keys(defaults).filter((name) => !known.some((one) => one.name === name));
  const plain = others.map((name) =>
    withDefault({ name, type: 'any', rules: [], optional: true, secret: secretsOf(schema).has(name) }, defaults),
  );
  return { name: 'params', property, ...titlesOf(params), schema: schema.name, properties: [...known, ...plain] };
}

function withDefault(property: PropertyFacts, defaults: Readonly<Record<string, unknown>>): PropertyFacts {
  const value = defaults[property.name];
  return value === undefined ? property : { ...property, default: value };
}

function defaultsOf(schema: ConcreteClass<object>): object {
  try {
    return new schema();
  } catch {
    return {}; // running the processor says what is wrong with it
  }
}

function propertiesOf(schema: Class): PropertyFacts[] {
  const rules = rulesOf(schema);
  const secrets = secretsOf(schema);
  return columnsOf(schema).map(({ name, type }) => {
    const { constraints = [], conditions = [], nested } = rules.get(name) ?? {};
    // Decorators are applied from the lowest up: turned round they read as they were written.
    const written = constraints.map(describeRule).reverse();
    return {
      name,
      type,
      rules: [...written, ...(nested === undefined ? [] : ['nested'])],
      optional: conditions.length > 0,
      secret: secrets.has(name),
    };
  });
}

function describeRule({ name, metadata }: Constraint): string {
  const values = (Array.isArray(metadata.constraints) ? (metadata.constraints as unknown[]) : []).filter(isTellable);
  return [metadata.each ? `each ${name}` : name, ...values.map((value) => (typeof value === 'string' ? value : describeValue(value)))].join(
    ' ',
  );
}

/** What a rule compares with; options and functions are left out. */
function isTellable(value: unknown): boolean {
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return value !== undefined && typeof value !== 'function' && !(isPlain && Object.keys(value).length === 0);
}

function describeValue(value: unknown): string {
  return value instanceof RegExp ? String(value) : value instanceof Date ? value.toISOString() : JSON.stringify(value);
}

function optionsOf(port: InputSpec | OutputSpec): string[] {
  const common = [
    ...(port.optional ? ['optional'] : []),
    ...(port.onInvalid === 'fail' ? [] : [`onInvalid ${port.onInvalid}`]),
    ...(port.rejects === undefined ? [] : [`rejects ${port.rejects}`]),
  ];
  if (port.kind === 'input') return [...common, ...(port.readOnly ? ['readOnly'] : []), ...(port.rereads ? ['rereads'] : [])];
  const { mode = 'replace', key, overwrite, atomic } = port;
  return [
    ...common,
    ...(mode === 'replace' ? [] : [`mode ${mode}`]),
    ...(key === undefined ? [] : [`key ${key.join(', ')}`]),
    ...(overwrite ? ['overwrite'] : []),
    ...(atomic ? [] : ['not atomic']),
  ];
}

function describeDependencies(target: Class): DependencyFacts[] {
  const { fields, parameters } = getDependenciesSpec(target);
  return [...fields, ...parameters].flatMap((depends) => {
    if (depends === undefined) return [];
    const { property, index, place, scope, provider } = depends;
    return [
      {
        place: property ?? (index === undefined ? place : `constructor parameter ${String(index + 1)}`),
        scope,
        provider: nameOfProvider(provider),
      },
    ];
  });
}

function nameOfProvider(provider: unknown): string {
  const key = toKey(provider);
  return key === undefined ? 'its declared type' : nameOf(key);
}

function titlesOf({ title, description }: { readonly title?: string; readonly description?: string }): {
  readonly title?: string;
  readonly description?: string;
} {
  return { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
}
