import { MillraceError } from '../errors.js';
import type { Class } from '../types.js';
import {
  findRecord,
  hasForeignRecord,
  lineage,
  readRecords,
  recordsOf,
  type ClassRecord,
  type Member,
  type OwnProcessor,
} from './class-record.js';
import { present, withWhere } from './facts.js';
import { mergeMembers } from './members.js';
import { misused, nameOf } from './misuse.js';
import type { InputSpec, OutputSpec, ProcessorSpec } from './spec.js';

const specs = new WeakMap<Class, ProcessorSpec>();

/**
 * What a processor class declares, its base classes' ports included; undefined for a class without an own `@Processor()`.
 * Made once, when first asked for.
 *
 * @throws {@link MillraceError} `DUPLICATE_NAME` for two inputs or two outputs of one name.
 */
export function findProcessorSpec(target: Class): ProcessorSpec | undefined {
  const known = specs.get(target);
  if (known !== undefined) return known;
  const own = findRecord(target)?.processor;
  if (own === undefined) return undefined;
  const spec = toProcessorSpec(target, own, readRecords(target));
  specs.set(target, spec);
  return spec;
}

/**
 * {@link findProcessorSpec} for a class that has to be a processor.
 *
 * @throws {@link MillraceError} `DECORATOR_MISUSED` for a class without an own `@Processor()`.
 */
export function getProcessorSpec(target: Class): ProcessorSpec {
  const spec = findProcessorSpec(target);
  if (spec !== undefined) return spec;
  const base = lineage(target).findLast((one) => findRecord(one)?.processor !== undefined);
  let reason = `write @Processor() above the class.`;
  if (base !== undefined)
    reason = `its base class ${nameOf(base)} is one, but that is not inherited: write @Processor() above ${nameOf(target)} too.`;
  else if (hasForeignRecord(target)) reason = 'it was decorated by another version of Millrace: install one version only.';
  throw new MillraceError('DECORATOR_MISUSED', `${nameOf(target)} is not a processor: ${reason}`, { path: [nameOf(target)] });
}

/** Makes the spec to find its faults and forgets it: more may be said of the class before it is first used. */
export function checkProcessor(target: Class, own: OwnProcessor): void {
  toProcessorSpec(target, own, recordsOf(lineage(target)));
}

function toProcessorSpec(target: Class, { options, where }: OwnProcessor, records: readonly ClassRecord[]): ProcessorSpec {
  const name = options.name ?? target.name;
  const members = [...mergeMembers(records).values()];
  const inputs = members.flatMap((member) => (member.kind === 'input' ? member.spec : []));
  const outputs = members.flatMap((member) => (member.kind === 'output' ? member.spec : []));
  refuseDuplicates(name, inputs);
  refuseDuplicates(name, outputs);
  refuseSecretMembers(target, members, records);
  const params = members.find((member) => member.kind === 'params')?.spec;
  return withWhere(
    {
      class: target,
      name,
      ...present(options, 'title', 'description', 'timeout', 'retry'),
      tags: options.tags ?? none,
      ...(params === undefined ? {} : { params }),
      inputs: Object.freeze(inputs),
      outputs: Object.freeze(outputs),
      hasAction: hasMethod(target, 'run'),
    },
    where,
  );
}

const none: readonly never[] = Object.freeze([]);

function refuseDuplicates(processor: string, ports: readonly (InputSpec | OutputSpec)[]): void {
  const seen = new Map<string, InputSpec | OutputSpec>();
  for (const port of ports) {
    const first = seen.get(port.name);
    if (first === undefined) {
      seen.set(port.name, port);
      continue;
    }
    throw new MillraceError(
      'DUPLICATE_NAME',
      `duplicated ${port.kind} name ${port.name} in processor ${processor}: ` +
        `properties '${first.property}' (${first.where}) and '${port.property}' (${port.where}) both have it; give one of them another name.`,
      { path: [processor, port.property], where: [first.where, port.where] },
    );
  }
}

/** A mark that would be overlooked is worse than none. */
function refuseSecretMembers(target: Class, members: readonly Member[], records: readonly ClassRecord[]): void {
  const properties = new Set(members.flatMap((member) => (member.kind === 'depends' ? [] : member.spec.property)));
  for (const { secrets } of records) {
    for (const [property, where] of secrets) {
      if (!properties.has(property)) continue;
      const place = { decorator: '@Secret()', target: `${nameOf(target)}.${property}`, where };
      throw misused(place, `a port is not secret as a whole: write @Secret() on the fields of its schema class.`);
    }
  }
}

/** Looks without calling: a getter on a prototype has no instance to work on. */
function hasMethod(target: Class, name: string): boolean {
  for (let one: unknown = target.prototype; one !== null && one !== Object.prototype; one = Object.getPrototypeOf(one)) {
    const property = Object.getOwnPropertyDescriptor(one, name);
    if (property !== undefined) return typeof property.value === 'function' || property.get !== undefined;
  }
  return false;
}
