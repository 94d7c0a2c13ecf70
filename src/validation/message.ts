import { describeValue } from '../errors.js';
import type { Constraint, RuleMetadata } from './rules.js';

type MessageArguments = Parameters<NonNullable<Constraint['validator']['defaultMessage']>>[0] & object;

/** class-validator's own text for a broken rule, or the one that the user gave the decorator. */
export function ruleText(metadata: RuleMetadata, validator: Constraint['validator'] | undefined, given: MessageArguments): string {
  const written = metadata.message as RuleMetadata['message'] | undefined;
  try {
    const template = typeof written === 'function' ? written(given) : written;
    return withTokens(template || validator?.defaultMessage?.(given) || '', given);
  } catch {
    return ''; // a message that cannot be made must not hide the fault that it is about
  }
}

/** One sentence: where, what is wrong, the rule's name, what came. */
export function reasonSentence(path: string, rule: string, text: string, value: unknown): string {
  const said = text.replace(/[.!]$/, '');
  const subject = said.startsWith(`${path} `) ? '' : `${path}: `;
  return `${subject}${said === '' ? 'is invalid' : said} (${rule}), came ${describeValue(value)}`;
}

/** `$value`, `$property`, `$target`, `$constraint1` and so on, as class-validator replaces them. */
function withTokens(template: string, { constraints, value, property, targetName }: MessageArguments): string {
  let text = template;
  for (const [at, constraint] of ((constraints as unknown[] | undefined) ?? []).entries()) {
    text = text.replaceAll(`$constraint${at + 1}`, () => constraintText(constraint));
  }
  if (['string', 'boolean', 'number'].includes(typeof value)) text = text.replaceAll('$value', () => String(value));
  return text.replaceAll('$property', () => property).replaceAll('$target', () => targetName);
}

function constraintText(constraint: unknown): string {
  if (Array.isArray(constraint)) return constraint.join(', ');
  return typeof constraint === 'symbol' ? String(constraint.description) : String(constraint);
}
