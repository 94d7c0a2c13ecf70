import type { InputSpec, OutputSpec, ProcessorSpec } from '../../metadata/spec.js';
import { columnsOf } from '../../validation/columns.js';
import { bindings, commandStep, groupStep, processorStep, root, workflowStep } from './keys.js';
import type { Key, ObjectShape, Shape } from './shape.js';

type Schema = { readonly [keyword: string]: unknown };

/** Of the schema with no project in it. */
const id = 'urn:millrace:workflow';
/** A variable in place of a value that is not text. */
const variable: Schema = { type: 'string', pattern: '^\\{[^{}]+\\}$' };

/**
 * The JSON Schema (draft 7, which editors know) of definition files: made of what the checker itself goes by.
 *
 * @param processors - of a project: then their names, ports and parameters are completed and checked, too.
 */
export function toJsonSchema(processors?: Iterable<ProcessorSpec>): object {
  return new SchemaWriter(processors === undefined ? undefined : [...processors]).write();
}

class SchemaWriter {
  readonly #processors: readonly ProcessorSpec[] | undefined;
  /** Each shape once, by name. */
  readonly #definitions = new Map<string, Schema>();
  readonly #names = new Map<ObjectShape, string>();

  constructor(processors: readonly ProcessorSpec[] | undefined) {
    this.#processors = processors;
  }

  write(): Schema {
    for (const name of ['binding', 'step']) this.#define(name, {}); // their names are theirs
    this.#define('binding', this.#binding());
    this.#define('step', this.#step());
    const whole = this.#object(root);
    return {
      $schema: 'http://json-schema.org/draft-07/schema#',
      ...(this.#processors === undefined ? { $id: id } : {}),
      title: 'Millrace workflow',
      ...whole,
      definitions: Object.fromEntries(this.#definitions),
    };
  }

  #define(name: string, schema: Schema): Schema {
    this.#definitions.set(name, schema);
    return { $ref: `#/definitions/${name}` };
  }

  /* ── steps ── */

  #step(): Schema {
    const names = this.#processors?.map(({ name }) => name);
    const special = { command: this.#ref(commandStep), group: this.#ref(groupStep), workflow: this.#ref(workflowStep) };
    const known = Object.fromEntries(
      (this.#processors ?? []).map((spec) => [spec.name, { ...describe(spec), ...this.#orNothing(this.#processor(spec)) }]),
    );
    const others = names === undefined ? this.#orNothing(this.#ref(processorStep)) : false;
    return {
      description: 'The name of a processor, with what is said of it; or a command, a group, a workflow within.',
      anyOf: [
        names === undefined ? { type: 'string' } : { enum: names },
        { type: 'object', minProperties: 1, maxProperties: 1, properties: { ...special, ...known }, additionalProperties: others },
      ],
    };
  }

  /** A step of a processor whose ports and parameters are known. */
  #processor(spec: ProcessorSpec): Schema {
    const { properties, ...rest } = this.#object(processorStep) as { readonly properties: Readonly<Record<string, Schema>> };
    const both = new Set(spec.inputs.map(({ name }) => name).filter((name) => spec.outputs.some((output) => output.name === name)));
    const ports = [...spec.inputs, ...spec.outputs].flatMap((port): [string, Schema][] => {
      const side = port.kind === 'input' ? 'in' : 'out';
      const schema = { ...describe(port), allOf: [{ $ref: '#/definitions/binding' }] };
      return [...(both.has(port.name) ? [] : [[port.name, schema] as [string, Schema]]), [`${side}:${port.name}`, schema]];
    });
    const bind = { ...properties['bind'], type: 'object', properties: Object.fromEntries(ports), additionalProperties: false };
    const { params: declared, ...others } = properties;
    const params = spec.params === undefined ? {} : { params: { ...declared, ...describe(spec.params), ...paramsOf(spec) } };
    return { ...rest, properties: { ...others, bind, ...params } };
  }

  #orNothing(schema: Schema): Schema {
    return { anyOf: [schema, { type: 'null' }] };
  }

  /* ── bindings ── */

  #binding(): Schema {
    return {
      anyOf: [
        { type: 'string', minLength: 1, description: "A collection ('prices', 'prices@warehouse') or a file ('file:data/prices.csv')." },
        ...Object.values(bindings).map((shape) => this.#ref(shape)),
        { type: 'array', items: { type: 'object' }, description: 'Rows.' },
        // one row: it has none of the keys that tell the others apart
        { type: 'object', minProperties: 1, propertyNames: { not: { enum: Object.keys(bindings) } }, description: 'One row.' },
      ],
    };
  }

  /* ── shapes ── */

  #ref(shape: ObjectShape): Schema {
    const known = this.#names.get(shape);
    if (known !== undefined) return { $ref: `#/definitions/${known}` };
    const plain = shape.what.replace(/^(?:a|an|the) /, '').replaceAll(' ', '-');
    const name = this.#definitions.has(plain) ? `${plain}-${shape.required?.join('-') ?? 'body'}` : plain;
    this.#names.set(shape, name);
    this.#define(name, {}); // its place, should it name itself
    return this.#define(name, this.#object(shape));
  }

  #object({ keys, required, what }: ObjectShape): Schema {
    const properties = Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, this.#key(key)]));
    const single = what === 'an action' ? { minProperties: 1, maxProperties: 1 } : {};
    return {
      type: 'object',
      properties,
      additionalProperties: false,
      ...(required === undefined ? {} : { required: [...required] }),
      ...single,
    };
  }

  #key({ shape, description, former }: Key): Schema {
    const schema = this.#shape(shape);
    const noted = { description, ...(former === true ? { deprecated: true } : {}) };
    // draft 7 looks at nothing beside a $ref
    return '$ref' in schema ? { ...noted, allOf: [schema] } : { ...noted, ...schema };
  }

  #shape(shape: Shape): Schema {
    switch (shape.kind) {
      case 'text':
        return {
          type: shape.orNumber === true ? ['string', 'number', 'boolean'] : 'string',
          ...(shape.literal === true ? { minLength: 1 } : {}),
        };
      case 'flag':
        return { anyOf: [{ type: 'boolean' }, variable] };
      case 'number':
        return { anyOf: [{ type: shape.whole === true ? 'integer' : 'number', ...bounds(shape) }, variable] };
      case 'time':
        return {
          anyOf: [
            {
              type: 'number',
              ...(shape.positive === true ? { exclusiveMinimum: 0 } : { minimum: 0 }),
              ...(shape.most === undefined ? {} : { maximum: shape.most }),
            },
            { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*(ms|s|m|h)?$' },
            variable,
          ],
        };
      case 'choice':
        return { anyOf: [{ enum: [...shape.values] }, variable] };
      case 'list': {
        const items = this.#shape(shape.of);
        const list = { type: 'array', items };
        return shape.orOne === true ? { anyOf: [list, items] } : { anyOf: [list, ...(shape.of.kind === 'object' ? [items] : [variable])] };
      }
      case 'map':
        return { type: 'object', additionalProperties: this.#shape(shape.of) };
      case 'object':
        return this.#ref(shape);
      case 'either':
        return { anyOf: [this.#shape(shape.scalar), this.#shape(shape.map)] };
      case 'binding':
        return { $ref: '#/definitions/binding' };
      case 'params':
        return { type: ['object', 'string'] };
      case 'steps':
        return { type: 'array', minItems: 1, items: { $ref: '#/definitions/step' } };
      case 'any':
        return {};
    }
  }
}

function bounds({ least, most }: { readonly least?: number; readonly most?: number }): Schema {
  return { ...(least === undefined ? {} : { minimum: least }), ...(most === undefined ? {} : { maximum: most }) };
}

function describe({ title, description }: Pick<InputSpec | OutputSpec | ProcessorSpec, 'title' | 'description'>): Schema {
  const text = [title, description].filter((part) => part !== undefined).join(': ');
  return text === '' ? {} : { description: text };
}

/** By name: their types are for the checker, since text may stand for a number or a date. */
function paramsOf({ params }: ProcessorSpec): Schema {
  const columns = params === undefined ? [] : columnsOf(params.schema);
  return { properties: Object.fromEntries(columns.map(({ name }) => [name, {}])) };
}
