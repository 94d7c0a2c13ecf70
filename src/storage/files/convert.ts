import type { Column } from '../../types.js';

type Convert = (text: string) => unknown;

/**
 * How cells of a column become values: a number is a finite decimal, a boolean `true` or `false`, a date ISO 8601; what is none of it
 * stays the text that it is. An empty cell becomes undefined where the column is declared, and stays empty text where it is not.
 */
export function cellConverter(column: Column | undefined): Convert | undefined {
  return column === undefined ? undefined : converters[column.type];
}

/** A decimal with optional sign, fraction and exponent, if it is finite; else the text. */
export function toNumber(text: string): unknown {
  if (!decimal.test(text)) return text;
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

/**
 * A date of ISO 8601: `2024-02-29`, `2024-02-29T13:45`, `…:30.123`, each time with `Z`, `+02:00`, `+0200` or `+02`, or without a zone, which means
 * UTC as it does for a bare date; years beyond 9999 as `+012024`. Else (also for a day that is not in the calendar) the text.
 */
export function toDate(text: string): unknown {
  const parts = isoDate.exec(text);
  if (parts === null) return text;
  const [, year = '', month = '', day = '', time, sign, hours = '', minutes = '00'] = parts;
  if (Number(day) > daysIn(Number(year), Number(month))) return text; // the engine would take it for a day of the next month
  const date = new Date(
    time === undefined ? text : `${year}-${month}-${day}T${time}${sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`}`,
  );
  return Number.isNaN(date.getTime()) ? text : date;
}

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const isoDate = /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|([+-])(\d\d):?(\d\d)?)?)?$/;

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

function toBoolean(text: string): unknown {
  return text === 'true' ? true : text === 'false' ? false : text;
}

function unlessEmpty(convert: Convert): Convert {
  return (text) => (text === '' ? undefined : convert(text));
}

const same: Convert = (text) => text;
const converters: Readonly<Record<Column['type'], Convert>> = {
  string: unlessEmpty(same),
  any: unlessEmpty(same),
  number: unlessEmpty(toNumber),
  boolean: unlessEmpty(toBoolean),
  date: unlessEmpty(toDate),
};
