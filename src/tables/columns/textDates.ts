/** A regular expression, for JavaScript and DuckDB, of times of day, such as 14:30, 2:30 PM and 14:30:00+02:00. */
const TIME_LIKE = "\\d{1,2}:\\d{2}(:\\d{2}(\\.\\d+)?)?( ?[AaPp][Mm])?( ?UTC|Z|[-+]\\d{2}(:?\\d{2})?)?";

/**
 * A regular expression, for JavaScript and DuckDB, of dates, such as 2024-12-31, 31.12.24, Dec 31, 2024 and Tue, 31 Dec 2024, perhaps with a
 * time, and of times of day.
 */
export const DATE_LIKE = `(\\d{4}[-/.]\\d{1,2}[-/.]\\d{1,2}|\\d{1,2}[-/.]\\d{1,2}[-/.](\\d{4}|\\d{2})|[A-Za-z]{3,9}\\.? \\d{1,2},? \\d{4}|([A-Za-z]{3}, )?\\d{1,2}\\.?[- ][A-Za-z]{3,9}\\.?[- ](\\d{4}|\\d{2}))([ T]+\\d{1,2}:\\d{2}.*)?|${TIME_LIKE}`;

/** Whether text begins with a year, a month and a day of this order that do not exist, such as 2023-02-30. */
export function isImpossibleDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)/.exec(text)?.map(Number) ?? [];
  if (year === undefined) return false;
  const date = new Date(Date.UTC(2000, month! - 1, day));
  date.setUTCFullYear(year, month! - 1, day);
  return date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day;
}

/**
 * An SQL expression that converts text such as `texts`, which all match `DATE_LIKE`, to dates or times. The name of the column is written
 * as `...`. The format is that of the first text; a second number above 12 is a day.
 */
export function dateConversion(texts: readonly string[]): string {
  const first = texts[0]!.trim();
  if (/^\d{1,2}:/.test(first)) {
    const seconds = /^\d+:\d+:\d/.test(first) ? ":%S" : "";
    if (/m$/i.test(first))
      return `CAST(strptime(..., '%I:%M${seconds}${/ /.test(first) ? " " : ""}%p') AS TIME)`;
    return /(UTC|Z)$/.test(first)
      ? "CAST(regexp_replace(..., ' ?(UTC|Z)$', '') AS TIME)"
      : "CAST(... AS TIME)";
  }
  return `strptime(..., '${dateFormat(first, texts)}${timeFormat(first)}')`;
}

function dateFormat(first: string, texts: readonly string[]): string {
  const numbers = /^(\d+)([-/.])\d+[-/.]/.exec(first);
  if (numbers) {
    const [, start, separator] = numbers as unknown as [string, string, string];
    const isDaySecond = texts.some((text) => Number(/^\d+[-/.](\d+)[-/.]/.exec(text.trim())?.[1]) > 12);
    const isYearFirst = start.length === 4;
    if (isYearFirst) return (isDaySecond ? ["%Y", "%d", "%m"] : ["%Y", "%m", "%d"]).join(separator);
    const year = /^\d+[-/.]\d+[-/.]\d{4}/.test(first) ? "%Y" : "%y";
    return (isDaySecond ? ["%m", "%d", year] : ["%d", "%m", year]).join(separator);
  }
  // The name of a month that has three letters is an abbreviation, or May.
  return first
    .replace(/[ T]\d{1,2}:.*$/, "")
    .replace(/^[A-Za-z]{3},/, "%a,")
    .replace(/\d{4}/, "%Y")
    .replace(/\d{1,2}/, "%d")
    .replace(/\d{2}/, "%y")
    .replace(/[A-Za-z]{3,}/, (month) => (month.length === 3 ? "%b" : "%B"));
}

/** The format of the time of day that follows a date, or nothing. */
function timeFormat(text: string): string {
  const [, space, seconds] = /([ T])\d{1,2}:\d{2}(:\d{2})?/.exec(text) ?? [];
  if (!space) return "";
  const halfOfDay = /( ?)[ap]m$/i.exec(text);
  return `${space}${halfOfDay ? "%I" : "%H"}:%M${seconds ? ":%S" : ""}${halfOfDay ? `${halfOfDay[1]}%p` : ""}`;
}
