/** The dates that definitions name: `{today}`, `{now}`, `{yesterday}`, each with an optional format. */
export const dateNames = ['today', 'now', 'yesterday'] as const;
export type DateName = (typeof dateNames)[number];

const formats: Readonly<Record<DateName, string>> = {
  today: 'yyyy-MM-dd',
  now: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
  yesterday: 'yyyy-MM-dd',
};

/** Writes dates by Unicode's letters (TR35), in a time zone. */
export interface DateWriter {
  /** @throws Error that says what is wrong with the format. */
  write(name: DateName, format: string | undefined, now: Date, timezone: string): string;
}

/** Loads what writes dates. */
export async function openDates(): Promise<DateWriter> {
  const [{ format: write }, { startOfDay }, { subDays }, { TZDate }] = await Promise.all([
    import('date-fns/format'),
    import('date-fns/startOfDay'),
    import('date-fns/subDays'),
    import('@date-fns/tz'),
  ]);
  return {
    write(name, format, now, timezone) {
      const here = new TZDate(now.getTime(), timezone);
      const day = name === 'now' ? here : startOfDay(name === 'today' ? here : subDays(here, 1));
      const text = format ?? formats[name];
      const problem = refuseFormat(text);
      if (problem !== undefined) throw new Error(problem);
      return write(day, toKnown(text, timezone), { useAdditionalDayOfYearTokens: true, useAdditionalWeekYearTokens: true });
    },
  };
}

const zones: Readonly<Record<number, string>> = { 4: 'OOOO', 5: 'XXXXX' };

/** Letters of Unicode in the place of which the writer of dates has others, or none: `Z` is an offset, `VV` the name of the time zone. */
function toKnown(format: string, timezone: string): string {
  return format.replaceAll(/'[^']*'|Z+|V+/g, (part) => {
    if (part === 'VV') return `'${timezone}'`;
    return part.startsWith('Z') && part.length <= 5 ? (zones[part.length] ?? 'xx') : part;
  });
}

/** What is wrong with a format that a date could be written in all the same, as nobody means it. */
function refuseFormat(text: string): string | undefined {
  if (text.trim() === '') return 'it is empty';
  const letters = text.replaceAll(/'[^']*'/g, '');
  if (letters.includes("'")) return 'a quote is not closed';
  const mistaken = /(?<![YD])(?:YYYY|YY|DD|D)(?![YD])/.exec(letters)?.[0];
  const isWeek = mistaken?.startsWith('Y') === true && letters.includes('w');
  if (mistaken !== undefined && !isWeek)
    return `${mistaken} is ${mistaken.startsWith('Y') ? 'the year of the week' : 'the day of the year'}; '${mistaken.toLowerCase()}' is meant`;
  if (/mm/.test(letters) && /[yu]/.test(letters) && !/[MLHhKk]/.test(letters)) return "mm is minutes; 'MM' is meant";
  const foreign = /[IiRoPpTt]/.exec(letters)?.[0];
  return foreign === undefined ? undefined : `'${foreign}' is none of Unicode's letters`;
}

/** Undefined where it is the name of a time zone. */
export function refuseTimezone(name: string): readonly string[] | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    return ['UTC', ...Intl.supportedValuesOf('timeZone')];
  }
}
