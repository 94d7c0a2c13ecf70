import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Class } from '../types.js';

/** Which class the objects in a property are of. */
export interface NestedClass {
  /** The same for every value; undefined where it depends on the value, or is not declared anywhere. */
  readonly fixed: Class | undefined;
  /** Undefined where it cannot be known. */
  of(value: object, owner: object): Class | undefined;
  /** A plain object stands for a Map from names to objects of the class. */
  readonly isMap: boolean;
}

/** What class-transformer's `@Type` left for a property. */
interface TypeMetadata {
  readonly reflectedType: unknown;
  readonly typeFunction: ((options: { newObject: object; object: object; property: string }) => unknown) | undefined;
  readonly options:
    | {
        readonly discriminator?: {
          readonly property: string;
          readonly subTypes: readonly { readonly name: string; readonly value: Class }[];
        };
      }
    | undefined;
}
interface TypeStorage {
  findTypeMetadata(target: Class, property: string): TypeMetadata | undefined;
}

/** From class-transformer's `@Type` where the project has it, else from the type that the compiler emitted. */
export function nestedClass(schema: Class, property: string): NestedClass {
  for (const storage of typeStorages()) {
    const metadata = storage.findTypeMetadata(schema, property);
    if (metadata !== undefined) return declared(metadata, property);
  }
  return always(userClass(designType(schema, property)));
}

function always(fixed: Class | undefined, isMap = false): NestedClass {
  return { fixed, of: fixed === undefined ? ownClass : () => fixed, isMap };
}

function declared({ typeFunction, reflectedType, options }: TypeMetadata, property: string): NestedClass {
  const isMap = reflectedType === Map;
  if (typeFunction === undefined) return always(userClass(reflectedType), isMap);
  const typeOf = (owner: object): Class | undefined => userClass(typeFunction({ newObject: owner, object: owner, property }));
  const discriminator = options?.discriminator;
  if (discriminator !== undefined) {
    const subType = (value: object): Class | undefined =>
      discriminator.subTypes.find(({ name }) => name === (value as Record<string, unknown>)[discriminator.property])?.value;
    return { fixed: undefined, of: (value, owner) => subType(value) ?? typeOf(owner), isMap };
  }
  if (typeFunction.length > 0) return { fixed: undefined, of: (_, owner) => typeOf(owner), isMap };
  return always(typeOf({}), isMap);
}

/** The class that made an object; undefined for a plain one, and for those that the language brings. */
export function ownClass(value: object): Class | undefined {
  return userClass((Object.getPrototypeOf(value) as { readonly constructor?: unknown } | null)?.constructor);
}

/** Not `Object`, `Array`, `String` and what else the language brings. */
function userClass(type: unknown): Class | undefined {
  if (typeof type !== 'function' || type.prototype === undefined) return undefined;
  return (globalThis as Record<string, unknown>)[type.name] === type ? undefined : (type as Class);
}

/** What the compiler emitted for a property, if anything: reflect-metadata may not be there, and then nothing was. */
export function designType(schema: Class, property: string): unknown {
  const { getMetadata } = Reflect as { getMetadata?: (key: string, target: object, property: string) => unknown };
  return getMetadata?.('design:type', schema.prototype as object, property);
}

let storages: readonly TypeStorage[] | undefined;

/**
 * The metadata of class-transformer, an optional companion: as Millrace would resolve it, and as the project in the working
 * directory would. Its public functions only tell the class of a value by making one; the storage tells it outright.
 */
function typeStorages(): readonly TypeStorage[] {
  return (storages ??= [...new Set([import.meta.url, join(process.cwd(), 'package.json')].map(typeStorageFrom))].filter(
    (one) => one !== undefined,
  ));
}

function typeStorageFrom(place: string): TypeStorage | undefined {
  try {
    return (createRequire(place)('class-transformer/cjs/storage') as { readonly defaultMetadataStorage: TypeStorage })
      .defaultMetadataStorage;
  } catch {
    return undefined; // not installed: design:type has to do
  }
}
