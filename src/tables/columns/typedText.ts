import type { ValueType } from "./tableColumn.ts";

/** Writes a value that is not text: a number, `true` or `false`, or a date or time in ISO 8601 without a time zone. */
export function typedText(type: ValueType, value: number): string {
  switch (type) {
    case "boolean":
      return value === 0 ? "false" : "true";
    case "date":
    case "timestamp":
    case "time":
      return timeText(type, value);
    default:
      return Object.is(value, -0) ? "0" : String(value);
  }
}

/** Writes milliseconds only if they are not 0, and years before 1 and after 9999 in the form that DuckDB reads. */
function timeText(type: "date" | "timestamp" | "time", milliseconds: number): string {
  const [date, time] = new Date(milliseconds).toISOString().replace("Z", "").split("T") as [string, string];
  const short = time.replace(/\.000$/, "");
  if (type === "time") return short;
  const [, sign, year, monthAndDay] = /^([-+]?)0*(\d+)(-\d\d-\d\d)$/.exec(date)!;
  const padded = (n: number) => String(n).padStart(4, "0");
  const day =
    sign === "-" ? `${padded(Number(year) + 1)}${monthAndDay} (BC)` : `${padded(Number(year))}${monthAndDay}`;
  // A value of a column of dates may have a time of day, which its error must show.
  return type === "date" && short === "00:00:00" ? day : `${day} ${short}`;
}
