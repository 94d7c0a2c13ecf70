/**
 * A value as JSON text; undefined for what JSON has no place for, like a function. Beyond what `JSON.stringify` does: a bigint and a Long are numbers
 * where those are exact and strings where not, Decimal128 and Timestamp strings of digits, bytes Base64. (ObjectId and Binary say themselves what they are.)
 */
export function toJsonText(value: unknown): string | undefined {
  return JSON.stringify(value, needsCare(value) ? replace : undefined);
}

/** A value as the text of a cell: dates ISO 8601, null and undefined empty, what has parts as JSON. */
export function toCellText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString();
  if (typeof value !== 'object' || value === null) return '';
  const json = JSON.stringify(value, replace) as string | undefined;
  if (json === undefined || json === 'null') return '';
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

/** Whether a row may have a value that is to be replaced: flat rows, the most, are spared the slow way. */
function needsCare(row: unknown): boolean {
  if (typeof row !== 'object' || row === null) return true;
  return Object.values(row).some(
    (value) => typeof value === 'bigint' || (typeof value === 'object' && value !== null && !(value instanceof Date)),
  );
}

/** For `JSON.stringify`: `this` has the value as it was before its `toJSON`. */
function replace(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key];
  if (typeof raw === 'bigint') return exact(raw);
  if (typeof raw !== 'object' || raw === null) return value;
  if (raw instanceof Uint8Array) return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64');
  if (!isBson(raw)) return value;
  if (raw._bsontype === 'Long') return exact(BigInt(raw.toString()));
  return raw._bsontype === 'Decimal128' || raw._bsontype === 'Timestamp' ? raw.toString() : value;
}

/** Told without the bson package, which a file alone has no need to load. */
function isBson(value: object): value is { readonly _bsontype: unknown; toString(): string } {
  return '_bsontype' in value;
}

function exact(whole: bigint): number | string {
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : String(whole);
}
