import { orderOf, order } from './query/compare.js';

/** A row or key as a message shows it: `{ sku: "a", _id: 65f… }`, short, on one line. */
export function describeRow(row: object): string {
  const fields = Object.entries(row).map(([name, value]) => `${name}: ${describeField(value)}`);
  const text = `{ ${fields.join(', ')} }`;
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

function describeField(value: unknown): string {
  const kind = orderOf(value);
  if (kind === order.missing) return 'nothing';
  if (kind === order.date) return Number.isNaN(Number(value)) ? 'an invalid Date' : (value as Date).toISOString();
  if (kind === order.object || kind === order.array || typeof value === 'string') return stringify(value);
  return String(value);
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return Object.prototype.toString.call(value); // circular, or holding a bigint: its kind must do
  }
}
