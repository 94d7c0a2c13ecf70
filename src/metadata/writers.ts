import type { Class, ProcessorOptions } from '../types.js';
import type { CallSite } from './call-site.js';
import { openRecord, type Member, type Wanted } from './class-record.js';
import { misused, type Place } from './misuse.js';
import { checkProcessor } from './processor-spec.js';

/** Where a decorator stands: on which class, and which property of it. */
export interface PropertyPlace extends Place {
  readonly class: Class;
  readonly property: string;
}

/** Makes a class a processor. Its ports are all declared by now (compilers run a class's own decorators last), so they are checked too. */
export function declareProcessor(target: Class, options: ProcessorOptions, place: Place): void {
  const record = openRecord(target, place);
  if (record.processor !== undefined)
    throw misused(place, `the class has @Processor() already (${record.processor.where()}): keep one of them.`);
  record.processor = { options, where: place.where };
  checkProcessor(target, record.processor);
}

/** Says what a property is. */
export function declareMember(place: PropertyPlace, member: Member): void {
  const { members } = openRecord(place.class, place);
  const known = members.get(place.property);
  if (known !== undefined) {
    throw misused(
      place,
      `the property has ${decorators[known.kind]} already (${whereOf(known)}): a property is one thing only, keep one of them.`,
    );
  }
  members.set(place.property, member);
}

/** Says what a constructor parameter is; `index` counts from 0. */
export function declareParameter(target: Class, index: number, wanted: Wanted, place: Place): void {
  const { parameters } = openRecord(target, place);
  const known = parameters.get(index);
  if (known !== undefined) throw misused(place, `the parameter has @Depends() already (${known.where()}): keep one of them.`);
  parameters.set(index, wanted);
}

/** Marks a property of a schema class. Twice does no harm. */
export function declareSecret(place: PropertyPlace): void {
  openRecord(place.class, place).secrets.set(place.property, place.where);
}

const decorators = { input: '@Input()', output: '@Output()', params: '@Params()', depends: '@Depends()' } as const;

function whereOf(member: Member): string {
  const where: CallSite = member.kind === 'depends' ? member.wanted.where : () => member.spec.where;
  return where();
}
