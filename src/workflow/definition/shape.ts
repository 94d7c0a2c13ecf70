/** What may stand somewhere in a definition file, as data: the checker and the JSON Schema are made of it. */
export type Shape =
  | TextShape
  | NumberShape
  | { readonly kind: 'flag' | 'any' | 'binding' | 'params' | 'steps' }
  | { readonly kind: 'time'; /** Zero is none. */ readonly positive?: boolean; /** Milliseconds. */ readonly most?: number }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly of: Shape; /** One alone may stand for a list of one. */ readonly orOne?: boolean }
  | { readonly kind: 'map'; readonly of: Shape; /** What its names are. */ readonly names: string }
  | ObjectShape
  | { readonly kind: 'either'; readonly scalar: Shape; readonly map: Shape };

export interface TextShape {
  readonly kind: 'text';
  /** Taken as it stands: no variable is filled in. */
  readonly literal?: boolean;
  /** Anything may be written in it, braces too. */
  readonly prose?: boolean;
  /** Also a number, as it is written. */
  readonly orNumber?: boolean;
}
export interface NumberShape {
  readonly kind: 'number';
  readonly least?: number;
  readonly most?: number;
  readonly whole?: boolean;
}
export interface ObjectShape {
  readonly kind: 'object';
  /** As messages and the schema name it: `a step`. */
  readonly what: string;
  readonly keys: Readonly<Record<string, Key>>;
  readonly required?: readonly string[];
  /** Keys that others than Millrace know here, and what to write in their place. */
  readonly former?: Readonly<Record<string, string>>;
}
export interface Key {
  readonly shape: Shape;
  /** One sentence: for editors, and for the page that lists every key. */
  readonly description: string;
  /** From an ancestor of Millrace: understood, and not suggested. */
  readonly former?: true;
}

export const text: Shape = { kind: 'text' };
export const name: Shape = { kind: 'text', literal: true };
export const prose: Shape = { kind: 'text', literal: true, prose: true };
export const names: Shape = { kind: 'list', of: name, orOne: true };
export const texts: Shape = { kind: 'list', of: { kind: 'text', orNumber: true }, orOne: true };
export const flag: Shape = { kind: 'flag' };
export const time: Shape = { kind: 'time' };
