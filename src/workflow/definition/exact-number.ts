import type { ScalarNode } from './node.js';
import type { Faults } from './source.js';

/** Refuses a number whose digits are more than a number of JavaScript holds: what runs would not be what is written. */
export function refuseInexact(node: ScalarNode, faults: Faults): ScalarNode {
  const { at, value, text } = node;
  if (typeof value !== 'number' || !/\d/.test(text) || isExact(value, text.replaceAll('_', ''))) return node;
  faults.invalid(
    at,
    `${text} is more than a number holds exactly`,
    'Put it in quotes where text will do, or write a number that is shorter.',
  );
  return node;
}

function isExact(value: number, text: string): boolean {
  if (!Number.isFinite(value)) return false;
  const [, sign, digits] = /^([+-]?)(0x[\da-f]+|0o[0-7]+|0b[01]+|\d+)$/i.exec(text) ?? [];
  return digits === undefined || BigInt(value) === BigInt(digits) * (sign === '-' ? -1n : 1n);
}
