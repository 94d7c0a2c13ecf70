import { describeValue, suggestName, type Fault } from '../errors.js';
import { secretsOf } from '../metadata/registry.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from '../metadata/spec.js';
import { compileRowCheck, type RowCheck } from '../validation/row-check.js';
import { isBinding, type AnyBinding } from './binding.js';
import type { GivenBindings } from './resolved.js';
import { isAsyncIterable, isIterable } from './source.js';

type PortSpec = InputSpec | OutputSpec;

/** What is wrong with the bindings of a processor. Each method notes a fault and answers nothing, so that the port is left out. */
export class PortFaults {
  readonly found: Fault[] = [];
  readonly #spec: ProcessorSpec;

  constructor(spec: ProcessorSpec) {
    this.#spec = spec;
  }

  nameOf(spec: PortSpec): string {
    return `Processor '${this.#spec.name}' ${spec.kind} port '${spec.name}'`;
  }

  add(spec: PortSpec, code: string, message: string, fix: string, more: readonly string[] = []): undefined {
    this.found.push({ code, message, where: [spec.where, ...more], path: [this.#spec.name, spec.name], fix });
    return undefined;
  }

  /** What is wrong with one port; its name comes before the message. */
  invalid(spec: PortSpec, message: string, fix: string): undefined {
    return this.add(spec, 'BINDING_INVALID', `${this.nameOf(spec)}: ${message}`, fix);
  }

  conflict(spec: PortSpec, other: string, what: string): undefined {
    return this.add(
      spec,
      'BINDING_CONFLICT',
      `Processor '${this.#spec.name}': '${other}' and '${spec.name}' are both written to ${what}`,
      'Bind each output to a place of its own.',
    );
  }

  readOnly(spec: PortSpec, text: string, reader: InputSpec): undefined {
    return this.add(
      spec,
      'PORT_READ_ONLY',
      `Processor '${this.#spec.name}' output port '${spec.name}' is bound to '${text}', which its input port '${reader.name}' may only read`,
      `Bind one of them elsewhere, or drop readOnly from '${reader.name}'.`,
      [reader.where],
    );
  }

  unbound(spec: PortSpec): undefined {
    return this.add(
      spec,
      'PORT_UNBOUND',
      `Processor '${this.#spec.name}' ${spec.kind} port '${spec.name}' is not bound`,
      `Bind '${spec.property}', give the port a default binding, or make it optional.`,
    );
  }

  /** A value that such a port cannot be bound to. */
  refuse(spec: PortSpec, value: unknown): undefined {
    const streamed = isIterable(value) || isAsyncIterable(value);
    const came = isBinding(value) ? describeMisplaced(value) : streamed ? 'an iterable' : describeValue(value);
    const fix = streamed ? 'Bind it as rows(() => …): a function that makes it anew for each pass.' : `Bind ${wanted[spec.kind]}.`;
    return this.add(spec, 'BINDING_INVALID', `${this.nameOf(spec)} cannot be bound to ${came}`, fix);
  }

  /** Names that fit no port. */
  unknown(names: GivenBindings['unknown']): void {
    const { name, inputs, outputs, params, where } = this.#spec;
    for (const [port, kind] of names) {
      const known = [...(kind === 'output' ? [] : inputs), ...(kind === 'input' ? [] : outputs)].map(({ property }) => property);
      if (params !== undefined && kind !== 'output') known.push(params.property);
      this.found.push({
        code: 'PORT_UNKNOWN',
        message: `Processor '${name}' has no ${kind} '${port}'`,
        where: [where],
        path: [name, port],
        fix: this.#propertyOf(port, kind) ?? suggestName(port, known),
      });
    }
  }

  /** What to write instead of a port's own name, which definition files and the CLI use. */
  #propertyOf(name: string, kind: 'input' | 'output' | 'port'): string | undefined {
    const { inputs, outputs } = this.#spec;
    const port = [...inputs, ...outputs].find((one) => one.name === name && (kind === 'port' || kind === one.kind));
    return port && `In TypeScript a port goes by its property: '${port.property}'.`;
  }

  /** Options that are not known, or of the other kind of port, would do nothing; says whether there are any. */
  wrongOptions(spec: PortSpec, options: object, known: Readonly<Record<PortSpec['kind'], readonly string[]>>): boolean {
    const before = this.found.length;
    const [port, other, done] =
      spec.kind === 'input' ? (['an input', 'output', 'is written'] as const) : (['an output', 'input', 'is read'] as const);
    for (const [name, value] of Object.entries(options)) {
      if (value === undefined || known[spec.kind].includes(name)) continue;
      if (known[other].includes(name))
        this.invalid(spec, `${port} takes no '${name}'`, `Leave it out: it says how a collection or file ${done}.`);
      else this.invalid(spec, `its binding has an unknown option '${name}'`, suggestName(name, known[spec.kind]));
    }
    return this.found.length > before;
  }

  /** Whether a value is one of those that there are. */
  oneOf(spec: PortSpec, what: string, value: string, known: readonly string[]): boolean {
    if (known.includes(value)) return true;
    this.invalid(spec, `its binding has an unknown ${what} ${describeValue(value)}`, suggestName(value, known));
    return false;
  }

  /** The check of a port's rows; undefined where there is none, or none can be. */
  rowCheck(spec: PortSpec): RowCheck | undefined {
    if (spec.schema === undefined || spec.onInvalid === 'off') return undefined;
    const check = compileRowCheck(spec.schema, { secrets: secretsOf });
    if (!check.empty) return check;
    return this.invalid(
      spec,
      `its schema ${spec.schema.name} has no validation rules, so no row can be checked`,
      `Decorate the properties of ${spec.schema.name} with class-validator's rules, or set onInvalid: 'off'.`,
    );
  }
}

const wanted = {
  input: 'a collection or file by name, rows, one row, collection(), file() or rows()',
  output: 'a collection or file by name, an array, collection(), file() or sink()',
};

function describeMisplaced(binding: AnyBinding): string {
  return binding.kind === 'link' ? `the link '${binding.toString()}', which holds within its workflow only` : binding.toString();
}
