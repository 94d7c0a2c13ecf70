import { isBinding } from '../binding/binding.js';
import { describeBindings, describeParams } from '../binding/describe.js';
import { noPorts, resolveParamsSource, resolvePorts } from '../binding/ports.js';
import type { GivenBindings, ResolvedPorts } from '../binding/resolved.js';
import { BindingError, describeValue, MillraceError, type Fault } from '../errors.js';
import { secretsOf } from '../metadata/registry.js';
import type { ParamsSpec, ProcessorSpec } from '../metadata/spec.js';
import type { Row } from '../types.js';
import { createParams } from '../validation/params.js';
import type { Runtime } from './runtime.js';

/** A task whose bindings are checked. */
export interface PreparedTask {
  readonly spec: ProcessorSpec;
  readonly ports: ResolvedPorts;
  /** The instance of the parameters' class: read, where they are bound by name, when the run starts. */
  params(): Promise<object | undefined>;
}

/**
 * Applies defaults and checks every port and inline parameters.
 *
 * @throws BindingError with all faults.
 */
export async function prepareTask(runtime: Runtime, spec: ProcessorSpec, given: GivenBindings): Promise<PreparedTask> {
  const { ports, faults } = await resolvePorts(spec, given, runtime.stores);
  const params =
    spec.params === undefined ? undefined : await prepareParams(runtime, spec, spec.params, given.inputs.get(spec.params.property));
  const all = [...faults, ...(params?.faults ?? [])];
  if (all.length > 0) throw new BindingError(`Processor '${spec.name}'`, all);
  return { spec, ports, params: params?.load ?? none };
}

const bareTasks = new WeakMap<ProcessorSpec, PreparedTask>();

/** The task of a processor that has neither ports nor parameters: there is nothing to check. Undefined for any other. */
export function findBareTask(spec: ProcessorSpec): PreparedTask | undefined {
  if (spec.inputs.length + spec.outputs.length > 0 || spec.params !== undefined) return undefined;
  let task = bareTasks.get(spec);
  if (task === undefined) bareTasks.set(spec, (task = { spec, ports: noPorts, params: none }));
  return task;
}

/** What each input will use, by property or by the port's own name. */
export function describeInputs(spec: ProcessorSpec, given: GivenBindings, by: 'property' | 'name' = 'property'): Record<string, string> {
  const texts = describeBindings(spec.inputs, given.inputs, by);
  const params = spec.params === undefined ? undefined : given.inputs.get(spec.params.property);
  return spec.params === undefined || params === undefined
    ? texts
    : { ...texts, [by === 'name' ? 'params' : spec.params.property]: describeParams(params, spec.params.schema) };
}

interface PreparedParams {
  readonly faults: readonly Fault[];
  load(): Promise<object | undefined>;
}

async function prepareParams(runtime: Runtime, spec: ProcessorSpec, params: ParamsSpec, value: unknown): Promise<PreparedParams> {
  if (typeof value === 'string' || isBinding(value)) {
    const { source, faults } = await resolveParamsSource(spec, value, runtime.stores);
    return {
      faults,
      async load() {
        for await (const [row] of source?.batches([], 1) ?? []) return makeParams(spec, params, stripId(row ?? {}));
        throw new MillraceError(
          'PARAMS_INVALID',
          `Processor '${spec.name}' params: ${describeValue(String(value))} has no row; write one there, or bind an object`,
        );
      },
    };
  }
  if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value))) {
    const message = `Processor '${spec.name}' params cannot be bound to ${describeValue(value)}`;
    return {
      faults: [{ code: 'PARAMS_INVALID', message, where: [params.where], fix: 'Bind an object, or a collection or file by name.' }],
      load: none,
    };
  }
  try {
    const made = await makeParams(spec, params, value ?? {});
    return { faults: [], load: () => Promise.resolve(made) };
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'PARAMS_INVALID') throw error;
    const fix = `Give what ${params.schema.name} asks for.`;
    return {
      faults: [{ code: 'PARAMS_INVALID', message: error.message, where: [params.where], path: [spec.name, 'params'], fix }],
      load: none,
    };
  }
}

async function makeParams(spec: ProcessorSpec, { schema }: ParamsSpec, values: object): Promise<object> {
  try {
    return await createParams(schema, values, { secrets: secretsOf });
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    throw new MillraceError(error.code, `Processor '${spec.name}' params: ${error.message}`, {
      cause: error.cause,
      path: [spec.name, 'params'],
    });
  }
}

/** A stored row has an `_id` that the parameters' class does not know. */
function stripId(row: Row): object {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== '_id'));
}

function none(): Promise<undefined> {
  return Promise.resolve(undefined);
}
