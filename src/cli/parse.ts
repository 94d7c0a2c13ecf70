import { UsageError } from './failure.js';

/** For an option that may be repeated. */
export function addText(text: string, before: unknown): readonly string[] {
  return [...((before as readonly string[] | undefined) ?? []), text];
}

/** For an option whose names are repeated or joined by commas. */
export function addNames(text: string, before: unknown): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new UsageError(`'${text}' names nothing: write names joined by commas.`);
  return [...((before as readonly string[] | undefined) ?? []), ...names];
}

export function parseConcurrency(text: string): number {
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new UsageError(`'${text}' is not a count of steps: write a whole number from 1.`);
}

export function parseOnFailure(text: string): string {
  if (text === 'stop' || text === 'finish-branches') return text;
  throw new UsageError(`'${text}' is not known: write stop or finish-branches.`);
}

const units: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `500ms`, `30s`, `5m`, `1.5h`; a bare number is milliseconds. */
export function parseDuration(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/i.exec(text.trim()) ?? [];
  const ms = number === undefined ? 0 : Number(number) * (units[unit.toLowerCase()] ?? 1);
  if (ms > 0) return ms;
  throw new UsageError(`'${text}' is not a time: write 500ms, 30s or 5m; a bare number is milliseconds, and it is more than 0.`);
}

export function parseLimit(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new UsageError(`'${text}' is not a count of rows: write a whole number; 0 is all.`);
}

/** `name,-year`: ascending, or descending after a minus; repeated options add to each other. */
export function parseSort(text: string, before: unknown): Readonly<Record<string, 1 | -1>> {
  const sort: Record<string, 1 | -1> = { ...(before as Record<string, 1 | -1> | undefined) };
  for (const part of text.split(',').map((one) => one.trim())) {
    const name = part.replace(/^[-+]/, '');
    if (name === '')
      throw new UsageError(
        `'${text}' is not an order: write property names joined by commas, a minus before those that descend: name,-year.`,
      );
    sort[name] = part.startsWith('-') ? -1 : 1;
  }
  return sort;
}

/** `key=value` taken apart at the first `=`; undefined where there is none. */
export function splitAssignment(text: string): readonly [string, string] | undefined {
  const at = text.indexOf('=');
  return at < 1 ? undefined : [text.slice(0, at).trim(), text.slice(at + 1)];
}
