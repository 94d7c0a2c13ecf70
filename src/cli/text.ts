/** `1 row`, `1,204 rows`. */
export function countOf(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

/** A moment in the local time zone, to the second. */
export function toLocalTime(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** One value as a line of JSON for people and programs. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
