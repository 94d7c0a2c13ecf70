import { maskUrl } from '../mask.js';
import { secretsOf } from '../metadata/registry.js';
import type { Class, Log } from '../types.js';
import { maskSecrets } from '../validation/mask.js';

const hidden = '***';

/** Keeps the secrets of one task out of what is shown or stored: its parameters' secret values, and credentials in URLs. */
export class Masker {
  readonly #schema: Class | undefined;
  readonly #values: readonly string[];

  constructor(schema?: Class, params?: object) {
    this.#schema = schema;
    this.#values = schema === undefined || params === undefined ? [] : secretValues(params, maskSecrets(params, schema, secretsOf));
  }

  text(text: string): string {
    let masked = maskUrl(text);
    for (const value of this.#values) masked = masked.replaceAll(value, hidden);
    return masked;
  }

  facts(facts: object): object {
    return this.#mask(facts, 0) as object;
  }

  log(log: Log): Log {
    const to =
      (level: keyof Log) =>
      (message: string, facts?: object): void => {
        log[level](this.text(message), facts === undefined ? undefined : this.facts(facts));
      };
    return { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
  }

  #mask(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number' && this.#values.includes(String(value))) return hidden;
    if (typeof value !== 'object' || value === null || depth > 8) return value;
    if (value instanceof Error) return this.text(`${value.name}: ${value.message}`);
    if (Array.isArray(value)) return value.map((one) => this.#mask(one, depth + 1));
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null && !this.#isParams(value)) return this.#maskInstance(value, depth);
    const shown = this.#isParams(value) ? (maskSecrets(value, this.#schema, secretsOf) as object) : value;
    return Object.fromEntries(Object.entries(shown).map(([key, inner]) => [key, this.#mask(inner, depth + 1)]));
  }

  /** An instance of another schema class may have secrets of its own; anything else (a Date, an id) is shown as it is. */
  #maskInstance(value: object, depth: number): unknown {
    const schema = value.constructor as Class;
    if (secretsOf(schema).size === 0) return value;
    return this.#mask(maskSecrets({ ...value }, schema, secretsOf), depth + 1);
  }

  #isParams(value: object): boolean {
    return this.#schema !== undefined && value instanceof this.#schema;
  }
}

/** The strings and numbers that masking changed; one or two characters are no secret, and would blot out every text. */
function secretValues(value: unknown, masked: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') {
    const text = String(value);
    return value !== masked && text.length > 2 ? [text] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (masked === hidden) return Object.values(value).flatMap((inner) => secretValues(inner, hidden));
  return Object.entries(value).flatMap(([key, inner]) => secretValues(inner, (masked as Record<string, unknown>)[key]));
}
