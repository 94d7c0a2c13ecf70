import { parseBinding, type AnyBinding } from '../binding/binding.js';
import { describeValue, suggestName, type Fault } from '../errors.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import { toDate } from '../storage/files/convert.js';
import type { Class, Column } from '../types.js';
import { columnsOf } from '../validation/columns.js';
import { splitAssignment } from './parse.js';

/** What a command line binds, by property. */
export interface GivenPorts {
  readonly inputs: ReadonlyMap<string, AnyBinding>;
  readonly outputs: ReadonlyMap<string, AnyBinding>;
  /** Values, or where they are read from; undefined where none were given. */
  readonly params: object | undefined;
  /** What cannot be read; preparing the task finds the others. */
  readonly faults: readonly Fault[];
}

/**
 * Reads `--bind` and `--params` for a processor; ports by their own names.
 *
 * @param cwd - what relative files are relative to.
 */
export function parseGivenPorts(
  spec: ProcessorSpec,
  given: { readonly bind: readonly string[]; readonly params: readonly string[] },
  cwd: string,
): GivenPorts {
  const faults: Fault[] = [];
  const ports = new PortReader(spec, cwd, faults);
  for (const text of given.bind) ports.bind(text);
  const params =
    given.params.length === 0 ? ports.params : readParams(spec, given.params, { cwd, faults, bound: ports.params !== undefined });
  return { inputs: ports.inputs, outputs: ports.outputs, params, faults };
}

class PortReader {
  readonly inputs = new Map<string, AnyBinding>();
  readonly outputs = new Map<string, AnyBinding>();
  params: AnyBinding | undefined;
  readonly #spec: ProcessorSpec;
  readonly #cwd: string;
  readonly #faults: Fault[];

  constructor(spec: ProcessorSpec, cwd: string, faults: Fault[]) {
    this.#spec = spec;
    this.#cwd = cwd;
    this.#faults = faults;
  }

  bind(text: string): void {
    const [port, value] = splitAssignment(text) ?? [];
    if (port === undefined || value === undefined || value === '') {
      const fix = 'Write --bind port=collection, port=collection@store or port=file:PATH.';
      return this.#fault('BINDING_INVALID', `--bind ${describeValue(text)} binds nothing`, fix);
    }
    const [, side, name = port] = /^(in|out):(.+)$/.exec(port) ?? [];
    const input = side === 'out' ? undefined : this.#spec.inputs.find((one) => one.name === name);
    const output = side === 'in' ? undefined : this.#spec.outputs.find((one) => one.name === name);
    const binding = parseBinding(value, this.#cwd);
    if (input !== undefined && output !== undefined) {
      const message = `Processor '${this.#spec.name}' has both an input and an output port '${name}'`;
      return this.#fault('BINDING_INVALID', message, `Write --bind in:${name}=… or --bind out:${name}=….`);
    }
    if (input !== undefined) this.#set(this.inputs, input, binding);
    else if (output !== undefined) this.#set(this.outputs, output, binding);
    else if (name === 'params' && side !== 'out' && this.#spec.params !== undefined) this.params = binding;
    else this.#unknown(name, side);
  }

  #set(ports: Map<string, AnyBinding>, { property, name }: InputSpec | OutputSpec, binding: AnyBinding): void {
    if (ports.has(property)) this.#fault('BINDING_INVALID', `port '${name}' is bound twice`, 'Leave one --bind out.');
    ports.set(property, binding);
  }

  #unknown(name: string, side: string | undefined): void {
    const { inputs, outputs } = this.#spec;
    const known = [...(side === 'out' ? [] : inputs), ...(side === 'in' ? [] : outputs)].map((port) => port.name);
    const kind = side === undefined ? 'port' : side === 'in' ? 'input port' : 'output port';
    this.#fault('PORT_UNKNOWN', `Processor '${this.#spec.name}' has no ${kind} '${name}'`, suggestName(name, known));
  }

  #fault(code: string, message: string, fix: string): void {
    this.#faults.push({ code, message, where: [], fix });
  }
}

interface ParamsReading {
  readonly cwd: string;
  readonly faults: Fault[];
  readonly bound: boolean;
}

/** The values of `--params`; one without a `=` is the file or collection that has them. */
function readParams({ name, params }: ProcessorSpec, texts: readonly string[], { cwd, faults, bound }: ParamsReading): object | undefined {
  const fault = (message: string, fix: string): undefined => void faults.push({ code: 'PARAMS_INVALID', message, where: [], fix });
  if (params === undefined) return fault(`Processor '${name}' has no parameters`, 'Leave --params out.');
  if (bound) return fault('parameters come from --bind params=… and from --params', 'Leave one of them out.');
  const [only = ''] = texts;
  if (texts.length === 1 && isPlace(only, params.schema)) return parseBinding(only, cwd);
  const values: Record<string, unknown> = {};
  for (const text of texts) {
    const [key, value] = splitAssignment(text) ?? [];
    if (key === undefined || value === undefined)
      fault(
        `--params ${describeValue(text)} gives no ${text.startsWith('=') ? 'name' : 'value'}`,
        `Write --params ${splitAssignment(`${text}=`)?.[0] ?? 'key'}=VALUE; or one --params file:PATH alone.`,
      );
    else if (!setAt(values, key.split('.'), toValue(value, columnAt(params.schema, key))))
      fault(`--params ${key}: it is both a value and an object`, 'Give one or the other.');
  }
  return values;
}

/** A parameter's own name is one whose value was forgotten. */
function isPlace(text: string, schema: Class): boolean {
  return !text.includes('=') && columnAt(schema, text) === undefined;
}

function columnAt(schema: Class, key: string): Column | undefined {
  return columnsOf(schema).find((column) => column.name === key);
}

/** JSON, else text; what the parameter's class declares as text stays text: `sku=007`. */
function toValue(text: string, column: Column | undefined): unknown {
  const value = parseJson(text);
  if (column?.type === 'string' && typeof value !== 'string' && value !== null) return text;
  return column?.type === 'date' && typeof value === 'string' ? toDate(value) : value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // no JSON: the text itself is meant
  }
}

/** False where another value stands in the way. */
function setAt(target: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: unknown): boolean {
  const before = Object.hasOwn(target, first) ? target[first] : undefined;
  const isObject = typeof before === 'object' && before !== null && !Array.isArray(before);
  if (rest.length === 0) {
    if (isObject) return false;
    define(target, first, value);
    return true;
  }
  if (before !== undefined && !isObject) return false;
  const inner = isObject ? (before as Record<string, unknown>) : {};
  define(target, first, inner);
  return setAt(inner, rest, value);
}

/** Also `__proto__`, which then is refused as a name that the class does not have. */
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}
