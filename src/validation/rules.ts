// The only door to class-validator: loaded when a schema class is first looked at, never by importing this file.
import { createRequire } from 'node:module';
import type { ValidatorConstraintInterface } from 'class-validator';
import { MillraceError } from '../errors.js';
import type { Class } from '../types.js';

type ClassValidator = typeof import('class-validator');
/** One decorator of class-validator on one property. */
export type RuleMetadata = ReturnType<ReturnType<ClassValidator['getMetadataStorage']>['getTargetValidationMetadatas']>[number];

/** A rule with the object that class-validator itself would ask. */
export interface Constraint {
  /** class-validator's name of the rule, for example `isNumber`. */
  readonly name: string;
  readonly metadata: RuleMetadata;
  readonly validator: ValidatorConstraintInterface;
  readonly async: boolean;
}

/** What class-validator knows of one property. */
export interface PropertyRules {
  readonly name: string;
  /** Every one must hold, or the property is not checked at all. */
  readonly conditions: readonly RuleMetadata[];
  /** `IsDefined` before the others, as class-validator has it. */
  readonly constraints: readonly Constraint[];
  readonly nested: RuleMetadata | undefined;
  /** `@ValidatePromise`: the rules are for what the promise resolves to. */
  readonly awaited: boolean;
}

let loaded: ClassValidator | undefined;

/** class-validator; the metadata of every copy of it in the process is in one place, on `globalThis`. */
export function classValidator(): ClassValidator {
  return (loaded ??= createRequire(import.meta.url)('class-validator') as ClassValidator);
}

/**
 * The rules of a class by property, in declaration order, those of its base classes first. As in class-validator's `validate`
 * without options, rules that belong to a group count like all others.
 */
export function rulesOf(schema: Class): ReadonlyMap<string, PropertyRules> {
  const grouped = new Map<string, RuleMetadata[]>();
  for (const ancestor of lineage(schema)) for (const { propertyName } of metadataOf(ancestor)) grouped.set(propertyName, []);
  if (grouped.has(null as never)) throw nameless(schema);
  for (const metadata of metadataOf(schema)) grouped.get(metadata.propertyName)?.push(metadata);
  return new Map(
    [...grouped].filter(([, metadata]) => metadata.length > 0).map(([name, metadata]) => [name, propertyRules(name, metadata)]),
  );
}

function metadataOf(schema: Class): readonly RuleMetadata[] {
  return classValidator().getMetadataStorage().getTargetValidationMetadatas(schema, '', false, false);
}

/** The class and its base classes, the outermost base first. */
function lineage(schema: Class): Class[] {
  const classes: Class[] = [];
  for (let one: unknown = schema; typeof one === 'function' && one !== Function.prototype; one = Object.getPrototypeOf(one))
    classes.unshift(one as Class);
  return classes;
}

function propertyRules(name: string, metadata: readonly RuleMetadata[]): PropertyRules {
  const ofType = (type: string): RuleMetadata[] => metadata.filter((one) => one.type === type);
  return {
    name,
    conditions: ofType('conditionalValidation'),
    constraints: [...ofType('isDefined'), ...ofType('customValidation')].flatMap(constraintsOf),
    nested: ofType('nestedValidation').at(-1),
    awaited: ofType('promiseValidation').length > 0,
  };
}

function constraintsOf(metadata: RuleMetadata): Constraint[] {
  const registered = classValidator().getMetadataStorage().getTargetValidatorConstraints(metadata.constraintCls);
  return registered.map((one) => ({ name: one.name || metadata.type, metadata, validator: one.instance, async: one.async }));
}

/** Some compilers give decorators of quoted properties no name: their rules would never be looked at. */
function nameless(schema: Class): MillraceError {
  return new MillraceError(
    'DECORATOR_MISUSED',
    `${schema.name} has validation rules on a property whose name the compiler lost: set "useDefineForClassFields": false in tsconfig.json, ` +
      'or compile with tsc (oxc loses the names of quoted properties where class fields are defined)',
  );
}
