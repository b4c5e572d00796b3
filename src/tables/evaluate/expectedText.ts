import type { ExpectedValue } from "../anomalies/index.ts";
import { dateText, type TableRow } from "../columns/index.ts";

/** Converts a value of a table, such as a label or a date, to the form in which it is shown. */
type WriteText = (text: string) => string;

/** What a model expects in a column: "1.2 (0.4 to 3.9)", "Bern 62%, Basel 30%", "missing". */
export function expectedText(
  { median, interval, labels, missing }: ExpectedValue,
  write: WriteText = String,
): string {
  const parts: string[] = [];
  if (median !== undefined && interval) {
    const [middle, low, high] = [median, ...interval].map((value) => valueText(value, write));
    parts.push(`${middle} (${low} to ${high})`);
  }
  for (const { value, probability } of labels ?? [])
    parts.push(`${valueText(value, write)} ${roundedPercent(probability)}`);
  if (missing > 0.005) parts.push(missing > 0.995 ? "missing" : `missing ${roundedPercent(missing)}`);
  return parts.join(", ");
}

/** A value of a row; "missing" for null. */
export function valueText(value: TableRow[string], write: WriteText = String): string {
  if (value === null) return "missing";
  if (typeof value === "number") return shortNumber(value);
  return write(value instanceof Date ? dateText(value) : String(value));
}

/** Five significant digits, without an exponent for the usual sizes. */
export const shortNumber = (x: number): string =>
  Number.isInteger(x) && Math.abs(x) < 1e15 ? String(x) : String(Number(x.toPrecision(5)));

const roundedPercent = (x: number): string => `${Math.round(100 * x)}%`;
