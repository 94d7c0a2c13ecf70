import { describeValue } from '../errors.js';
import type { Constraint, RuleMetadata } from './rules.js';

type MessageArguments = Parameters<NonNullable<Constraint['validator']['defaultMessage']>>[0] & object;

/** class-validator's own text for a broken rule, or the one that the user gave the decorator. */
export function ruleText(metadata: RuleMetadata, validator: Constraint['validator'] | undefined, given: MessageArguments): string {
  const written = metadata.message as RuleMetadata['message'] | undefined;
  try {
    const template = typeof written === 'function' ? written(given) : written;
    return withTokens(template || validator?.defaultMessage?.(given) || '', metadata, given);
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

const TOKENS = /\$(?:constraint(\d+)|value|property|target)/g;
const OF_ONE_ROW = /\$(?:value|target)/;

/** The last text of a rule that is the same for every row. */
const texts = new WeakMap<RuleMetadata, { readonly template: string; readonly text: string }>();

/** `$value`, `$property`, `$target`, `$constraint1` and so on, as class-validator replaces them. */
function withTokens(template: string, metadata: RuleMetadata, given: MessageArguments): string {
  const last = texts.get(metadata);
  if (last?.template === template) return last.text;
  const text = template.replace(TOKENS, (token, at: string | undefined) => tokenText(token, at, given));
  if (!OF_ONE_ROW.test(template)) texts.set(metadata, { template, text });
  return text;
}

function tokenText(token: string, at: string | undefined, { constraints, value, property, targetName }: MessageArguments): string {
  const all = constraints as readonly unknown[] | undefined;
  if (at !== undefined) return all !== undefined && Number(at) <= all.length ? constraintText(all[Number(at) - 1]) : token;
  if (token === '$property') return property;
  if (token === '$target') return targetName;
  return ['string', 'boolean', 'number'].includes(typeof value) ? String(value) : token;
}

function constraintText(constraint: unknown): string {
  if (Array.isArray(constraint)) return constraint.join(', ');
  return typeof constraint === 'symbol' ? String(constraint.description) : String(constraint);
}
