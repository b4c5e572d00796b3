import { greatestCommonDivisor } from "../../numerics/index.ts";
import { MAX_CELLS } from "../options/index.ts";
import { TIME_UNITS, type TimeColumn, type TimeUnit } from "./tableColumn.ts";

export const MILLISECONDS = { day: 86_400_000, hour: 3_600_000, minute: 60_000, second: 1000 } as const;
/** 1970-01-01 was a Thursday, so with 3 days added weeks begin on Monday. */
export const DAYS_TO_MONDAY = 3;
/** Weeks in a year, on average. */
const WEEKS_PER_YEAR = 365.2425 / 7;
/**
 * The periods of the units. The network gets the phase of a value in each of them. Weeks are counted since 1970, and months since the year 0.
 * One of their periods is a year, so that other columns can depend on the season. The others are a half, a quarter and so on of a year, so that
 * other columns can depend on the single week or month.
 */
export const TIME_PERIODS: Readonly<Record<TimeUnit, readonly number[]>> = {
  month: [12, 6, 3],
  week: [WEEKS_PER_YEAR, WEEKS_PER_YEAR / 2, WEEKS_PER_YEAR / 4, WEEKS_PER_YEAR / 8, WEEKS_PER_YEAR / 16],
  day: [TIME_UNITS.day],
  weekday: [TIME_UNITS.weekday],
  hour: [TIME_UNITS.hour],
  minute: [TIME_UNITS.minute],
  second: [TIME_UNITS.second],
  millisecond: [],
};

/** Dates in the first and the last whole week, and month, of the years that ISO 8601 writes with four digits. */
const FIRST_DATE = Date.parse("0001-01-01");
const LAST_DATE = Date.parse("9999-12-24");

const TIME_OF_DAY = ["hour", "minute", "second", "millisecond"] as const satisfies readonly TimeUnit[];

/** The value of a unit in a time, in milliseconds since 1970-01-01 or midnight. */
export function partOf(time: number, unit: TimeUnit): number {
  const day = Math.floor(time / MILLISECONDS.day);
  const timeOfDay = time - day * MILLISECONDS.day;
  switch (unit) {
    case "month": {
      const date = new Date(time);
      return 12 * date.getUTCFullYear() + date.getUTCMonth();
    }
    case "day":
      return new Date(time).getUTCDate() - 1;
    case "week":
      return Math.floor((day + DAYS_TO_MONDAY) / 7);
    case "weekday":
      return (((day + DAYS_TO_MONDAY) % 7) + 7) % 7;
    case "hour":
      return Math.floor(timeOfDay / MILLISECONDS.hour);
    case "minute":
      return Math.floor(timeOfDay / MILLISECONDS.minute) % 60;
    case "second":
      return Math.floor(timeOfDay / MILLISECONDS.second) % 60;
    case "millisecond":
      return Math.round(timeOfDay) % 1000;
  }
}

/** The time, in milliseconds, of a day of a month. `Date.UTC` would take the years 0 to 99 for 1900 to 1999. */
const timeOfDate = (month: number, day: number): number =>
  new Date(0).setUTCFullYear(Math.floor(month / 12), month % 12, day);

const lastDayOfMonth = (month: number): number => new Date(timeOfDate(month + 1, 0)).getUTCDate();

/** `day`, or the last day of the month if the month is shorter. */
const dayIn = (month: number, day: number): number => Math.min(day, lastDayOfMonth(month));

/** The time, in milliseconds, with these values of `column.parts` and the fixed values of the other units. */
export function timeOf(column: TimeColumn, parts: readonly number[]): number {
  const value = (unit: TimeUnit): number => {
    const i = column.parts.findIndex((part) => part.unit === unit);
    return i >= 0 ? parts[i] : (column.fixed.find((part) => part.unit === unit)?.value ?? 0);
  };
  let days = 0;
  if (column.parts.some(({ unit }) => unit === "month")) {
    const month = value("month");
    const day = dayIn(month, column.dayOfMonth ?? value("day") + 1);
    days = timeOfDate(month, day) / MILLISECONDS.day;
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

/** Whether a time agrees with the training rows in the units that have one value in all of them. A date has no time of day. */
export function hasFixedParts({ type, fixed, dayOfMonth }: TimeColumn, time: number): boolean {
  if (type === "date" && time % MILLISECONDS.day !== 0) return false;
  if (!fixed.every(({ unit, value }) => partOf(time, unit) === value)) return false;
  return dayOfMonth === undefined || partOf(time, "day") + 1 === dayIn(partOf(time, "month"), dayOfMonth);
}

/** Splits times into units: `parts` vary, and `fixed` have one value in all rows. At least two times must differ. */
export function timeParts(
  type: TimeColumn["type"],
  times: Float64Array,
): Pick<TimeColumn, "parts" | "fixed" | "dayOfMonth"> {
  const present = times.filter((time) => !Number.isNaN(time));
  const dayOfMonth = type === "time" ? undefined : commonDayOfMonth(present);
  const parts: TimeColumn["parts"] = [];
  const fixed: TimeColumn["fixed"] = [];
  for (const unit of [...dateUnits(type, present, dayOfMonth), ...(type === "date" ? [] : TIME_OF_DAY)]) {
    const { low, high } = partRange(present, unit);
    if (low === high) {
      fixed.push({ unit, value: low });
      continue;
    }
    const step = commonStep(present, unit);
    const total = TIME_UNITS[unit];
    const span = (high - low) / step;
    // The lattice extends beyond the training dates, so that earlier and later dates have a small probability and not 0.
    const margin = Math.min(span, Math.floor((MAX_CELLS - 1 - span) / 2));
    const stepsTo = (distance: number) => Math.min(margin, Math.max(0, Math.floor(distance / step)));
    const [before, after] = [
      stepsTo(low - partOf(FIRST_DATE, unit)),
      stepsTo(partOf(LAST_DATE, unit) - high),
    ];
    const [first, cells] =
      total === undefined
        ? [low - before * step, span + 1 + before + after]
        : [low % step, Math.ceil((total - (low % step)) / step)];
    parts.push({ unit, first, cells, ...(step > 1 && { step }) });
  }
  return { parts, fixed, ...(dayOfMonth !== undefined && { dayOfMonth }) };
}

/** Years between the first and the last date of a column are at most about this many. */
export const MAX_YEARS = Math.floor(MAX_CELLS / 12) - 1;

/** The units that determine a date, the largest first: weeks, unless dates are 2,500 years apart, which has more weeks than `MAX_CELLS`. */
function dateUnits(
  type: TimeColumn["type"],
  times: Float64Array,
  dayOfMonth: number | undefined,
): readonly TimeUnit[] {
  if (type === "time") return [];
  if (dayOfMonth !== undefined) return ["month"];
  const { low, high } = partRange(times, "week");
  return high - low < MAX_CELLS ? ["week", "weekday"] : ["month", "day"];
}

/**
 * The greatest common divisor of the differences between the values of a unit, such as 15 for times that are quarters of an hour. It is 1 for
 * days and weekdays, for values that do not repeat, and for fewer than four different values. Of minutes and seconds, which are often 0 and
 * 30, two different values suffice.
 */
function commonStep(times: Float64Array, unit: TimeUnit): number {
  if (unit === "day" || unit === "weekday") return 1;
  const values = [...new Set(Array.from(times, (time) => partOf(time, unit)))];
  const minimum = unit === "minute" || unit === "second" ? 2 : 4;
  if (values.length < minimum || values.length > times.length / 2) return 1;
  return values.reduce((divisor, value) => greatestCommonDivisor(divisor, value - values[0]), 0);
}

function partRange(times: Float64Array, unit: TimeUnit): { low: number; high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const time of times) {
    const value = partOf(time, unit);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

/** The day of the month that all times have, 31 if it is the last day of each month. Undefined if there is none, or for fewer than 3 months. */
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
