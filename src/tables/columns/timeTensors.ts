import type { Tensor } from "../../graph/index.ts";
import type { TimeColumn, TimeUnit } from "./tableColumn.ts";
import { DAYS_TO_MONDAY, MILLISECONDS } from "./timeParts.ts";

// The functions of timeParts.ts for tensors of float64. Dates are in the Gregorian calendar, whose leap years repeat in cycles of 400
// years. Within a cycle, years begin in March, so that the leap day is the last day of a year (Hinnant 2013, chrono-Compatible Low-Level
// Date Algorithms).

const DAYS_OF_CYCLE = 146_097;
/** Days from March 1 of the year 0 to 1970-01-01. */
const DAYS_TO_1970 = 719_468;

/** The value of a unit in times [N], in milliseconds since 1970-01-01 or midnight. */
export function partOf(time: Tensor, unit: TimeUnit): Tensor {
  const day = time.div(MILLISECONDS.day).floor();
  const timeOfDay = time.sub(day.mul(MILLISECONDS.day));
  switch (unit) {
    case "month":
      return dateOf(day).month;
    case "day":
      return dateOf(day).day;
    case "week":
      return day.add(DAYS_TO_MONDAY).div(7).floor();
    case "weekday":
      return modulo(day.add(DAYS_TO_MONDAY), 7);
    case "hour":
      return timeOfDay.div(MILLISECONDS.hour).floor();
    case "minute":
      return modulo(timeOfDay.div(MILLISECONDS.minute).floor(), 60);
    case "second":
      return modulo(timeOfDay.div(MILLISECONDS.second).floor(), 60);
    case "millisecond":
      return modulo(timeOfDay.add(0.5).floor(), 1000);
  }
}

/** Whether times [N] agree with the training rows in the units that have one value in all of them. A date has no time of day. */
export function hasFixedParts({ type, fixed, dayOfMonth }: TimeColumn, time: Tensor): Tensor {
  const conditions = fixed.map(({ unit, value }) => partOf(time, unit).equal(value));
  if (type === "date") {
    const days = time.div(MILLISECONDS.day);
    conditions.push(days.equal(days.floor()));
  }
  if (dayOfMonth !== undefined) {
    const { month, day } = dateOf(time.div(MILLISECONDS.day).floor());
    conditions.push(day.add(1).equal(lastDayOfMonth(month).minimum(dayOfMonth)));
  }
  return conditions.reduce((a, b) => a.and(b), time.equal(time));
}

/** The times [N], in milliseconds, with these values of `column.parts` and the fixed values of the other units. */
export function timeOf(column: TimeColumn, parts: readonly Tensor[]): Tensor {
  const part = (unit: TimeUnit): Tensor | undefined =>
    parts[column.parts.findIndex((each) => each.unit === unit)];
  const fixed = (unit: TimeUnit): number => column.fixed.find((each) => each.unit === unit)?.value ?? 0;
  const value = (unit: TimeUnit): Tensor => part(unit) ?? parts[0].mul(0).add(fixed(unit));
  const month = part("month");
  const terms: Tensor[] = [];
  if (month) {
    const day = column.dayOfMonth === undefined ? value("day").add(1) : month.mul(0).add(column.dayOfMonth);
    terms.push(dayNumber(month, day.minimum(lastDayOfMonth(month))).mul(MILLISECONDS.day));
  } else if (column.type !== "time") {
    const days = value("week").mul(7).add(value("weekday")).sub(DAYS_TO_MONDAY);
    terms.push(days.mul(MILLISECONDS.day));
  }
  for (const unit of ["hour", "minute", "second"] as const) terms.push(value(unit).mul(MILLISECONDS[unit]));
  terms.push(value("millisecond"));
  return terms.reduce((a, b) => a.add(b));
}

const modulo = (x: Tensor, n: number): Tensor => x.sub(x.div(n).floor().mul(n));

/** The month, counted from January of the year 0, and the day of the month, counted from 0, of days since 1970-01-01. */
function dateOf(day: Tensor): { month: Tensor; day: Tensor } {
  const days = day.add(DAYS_TO_1970);
  const cycle = days.div(DAYS_OF_CYCLE).floor();
  const dayOfCycle = days.sub(cycle.mul(DAYS_OF_CYCLE));
  // 1,460, 36,524 and 146,096 are the days before the leap days of 4, 100 and 400 years.
  const leapDays = dayOfCycle
    .div(1460)
    .floor()
    .sub(dayOfCycle.div(36_524).floor())
    .add(dayOfCycle.div(146_096).floor());
  const year = dayOfCycle.sub(leapDays).div(365).floor();
  const dayOfYear = dayOfCycle.sub(daysBeforeYear(year));
  // From March on, each five months have 153 days: the lengths 31, 30, 31, 30, 31 repeat.
  const month = dayOfYear.mul(5).add(2).div(153).floor();
  const firstDay = month.mul(153).add(2).div(5).floor();
  return { month: cycle.mul(400).add(year).mul(12).add(month).add(2), day: dayOfYear.sub(firstDay) };
}

/** Days since 1970-01-01, from months since January of the year 0 and days of the month, counted from 1. */
function dayNumber(month: Tensor, day: Tensor): Tensor {
  const shifted = month.sub(2);
  const year = shifted.div(12).floor();
  const cycle = year.div(400).floor();
  const monthOfYear = shifted.sub(year.mul(12));
  const firstDay = monthOfYear.mul(153).add(2).div(5).floor();
  return cycle
    .mul(DAYS_OF_CYCLE)
    .add(daysBeforeYear(year.sub(cycle.mul(400))))
    .add(firstDay)
    .add(day)
    .sub(1 + DAYS_TO_1970);
}

/** The number of days in a cycle of 400 years before its year `year`, 0 to 399. */
const daysBeforeYear = (year: Tensor): Tensor =>
  year.mul(365).add(year.div(4).floor()).sub(year.div(100).floor());

const lastDayOfMonth = (month: Tensor): Tensor =>
  dayNumber(month.add(1), month.mul(0).add(1)).sub(dayNumber(month, month.mul(0).add(1)));
