import { describeValue } from '../errors.js';
import { maskUrl } from '../mask.js';
import { secretsOf } from '../metadata/registry.js';
import type { InputSpec, OutputSpec } from '../metadata/spec.js';
import type { Class } from '../types.js';
import { maskSecrets } from '../validation/mask.js';
import { isBinding } from './binding.js';
import { InputWire, OutputWire } from './wire.js';

/** What each port will use, defaults included, secrets masked; ports without a binding are left out. */
export function describeBindings(
  ports: readonly (InputSpec | OutputSpec)[],
  given: ReadonlyMap<string, unknown>,
  by: 'property' | 'name' = 'property',
): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const port of ports) {
    const value = given.has(port.property) ? given.get(port.property) : port.binding;
    if (value !== undefined) texts[port[by]] = describeBinding(value, port.schema);
  }
  return texts;
}

/** One value as a log shows it: no credentials, no secrets. */
export function describeBinding(value: unknown, schema?: Class): string {
  if (typeof value === 'string') return maskUrl(value);
  if (isBinding(value) || value instanceof InputWire || value instanceof OutputWire) return value.toString();
  if (Array.isArray(value)) return `[${String(value.length)} ${value.length === 1 ? 'row' : 'rows'}]`;
  return maskUrl(describeValue(schema === undefined ? value : maskSecrets(value, schema, secretsOf)));
}

/** Parameters as a log shows them. */
export function describeParams(value: unknown, schema: Class): string {
  return describeBinding(value, schema);
}
