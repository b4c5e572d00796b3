import { TIME_UNITS, type TimeColumn, type TimeUnit } from "./tableColumn.ts";

const MILLISECONDS = { day: 86_400_000, hour: 3_600_000, minute: 60_000, second: 1000 } as const;
/** 1970-01-01 was a Thursday, so with 3 days added weeks begin on Monday. */
const DAYS_TO_MONDAY = 3;
/** Weeks in a year, and months in a year: other columns depend on the season. */
export const TIME_PERIODS: Readonly<Record<TimeUnit, number | undefined>> = {
  ...TIME_UNITS,
  month: 12,
  week: 365.2425 / 7,
  millisecond: undefined,
};

/** The units of each type whose values determine the time, the largest first. */
const UNITS = {
  date: ["week", "weekday"],
  timestamp: ["week", "weekday", "hour", "minute", "second", "millisecond"],
  time: ["hour", "minute", "second", "millisecond"],
} as const satisfies Record<TimeColumn["type"], readonly TimeUnit[]>;

/** The value of a unit in a time, in milliseconds since 1970-01-01 or midnight. */
export function partOf(time: number, unit: TimeUnit): number {
  const day = Math.floor(time / MILLISECONDS.day);
  const within = time - day * MILLISECONDS.day;
  switch (unit) {
    case "month": {
      const date = new Date(time);
      return 12 * date.getUTCFullYear() + date.getUTCMonth();
    }
    case "week":
      return Math.floor((day + DAYS_TO_MONDAY) / 7);
    case "weekday":
      return (((day + DAYS_TO_MONDAY) % 7) + 7) % 7;
    case "hour":
      return Math.floor(within / MILLISECONDS.hour);
    case "minute":
      return Math.floor(within / MILLISECONDS.minute) % 60;
    case "second":
      return Math.floor(within / MILLISECONDS.second) % 60;
    case "millisecond":
      return Math.round(within) % 1000;
  }
}

const lastDayOfMonth = (month: number): number =>
  new Date(Date.UTC(Math.floor(month / 12), (month % 12) + 1, 0)).getUTCDate();

/** The time of which all units are known. */
export function timeOf(column: TimeColumn, parts: readonly number[]): number {
  const value = (unit: TimeUnit): number => {
    const i = column.parts.findIndex((part) => part.unit === unit);
    return i >= 0 ? parts[i] : (column.fixed.find((part) => part.unit === unit)?.value ?? 0);
  };
  const units = column.parts.some(({ unit }) => unit === "month");
  let days = 0;
  if (units) {
    const month = value("month");
    const day = Math.min(column.dayOfMonth ?? 1, lastDayOfMonth(month));
    days = Date.UTC(Math.floor(month / 12), month % 12, day) / MILLISECONDS.day;
  } else if (column.type !== "time") {
    days = 7 * value("week") + value("weekday") - DAYS_TO_MONDAY;
  }
  return (
    days * MILLISECONDS.day +
    value("hour") * MILLISECONDS.hour +
    value("minute") * MILLISECONDS.minute +
    value("second") * MILLISECONDS.second +
    value("millisecond")
  );
}

/** How times are split into parts: those that vary, and those with one value. At least two times must differ. */
export function timeParts(
  type: TimeColumn["type"],
  times: Float64Array,
): Pick<TimeColumn, "parts" | "fixed" | "dayOfMonth"> {
  const present = times.filter((time) => !Number.isNaN(time));
  const dayOfMonth = type === "time" ? undefined : commonDayOfMonth(present);
  const [, , ...ofDay] = UNITS.timestamp;
  const units =
    dayOfMonth === undefined ? UNITS[type] : (["month", ...(type === "date" ? [] : ofDay)] as const);
  const parts: TimeColumn["parts"] = [];
  const fixed: TimeColumn["fixed"] = [];
  for (const unit of units) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const time of present) {
      const value = partOf(time, unit);
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low === high) fixed.push({ unit, value: low });
    // Later dates than those of the training have a small probability.
    else if (TIME_UNITS[unit] === undefined)
      parts.push({ unit, first: low - (high - low), cells: 3 * (high - low) + 1 });
    else parts.push({ unit, first: 0, cells: TIME_UNITS[unit] });
  }
  return { parts, fixed, ...(dayOfMonth !== undefined && { dayOfMonth }) };
}

/** The day of the month that all times have, 31 for the last one, if at least three months differ; otherwise undefined. */
function commonDayOfMonth(times: Float64Array): number | undefined {
  const months = new Set<number>();
  let common: number | undefined;
  let areLast = true;
  let areEqual = true;
  for (const time of times) {
    const date = new Date(time);
    const month = partOf(time, "month");
    months.add(month);
    common ??= date.getUTCDate();
    areEqual &&= date.getUTCDate() === common;
    areLast &&= date.getUTCDate() === lastDayOfMonth(month);
    if (!areEqual && !areLast) return undefined;
  }
  if (months.size < 3) return undefined;
  return areLast ? 31 : common;
}
