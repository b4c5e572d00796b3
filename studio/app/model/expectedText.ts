import type { TableModel } from "pushforward/flows";
import { withMinus } from "../views/format.ts";
import type { Value } from "./messages.ts";

type Expected = Awaited<
  ReturnType<TableModel["anomalies"]>
>["anomalies"][number]["reasons"][number]["expected"];

/** Smaller probabilities are not shown: 0.5 % would be rounded to 1 %, beside the 100 % of another label. */
const MIN_PROBABILITY = 0.01;

/** The values that a model expects in a column: "1.2 to 3.9", "Bern 62 %, missing 30 %". */
export function expectedText({ interval, labels = [], missing }: Expected): string {
  const range = interval ? [interval.map(valueText).join(" to ")] : [];
  const shares = [...labels, { value: null, probability: missing }]
    .filter(({ probability }) => probability >= MIN_PROBABILITY)
    .map(({ value, probability }) => `${valueText(value)} ${Math.round(100 * probability)}\u00a0%`);
  return [...range, ...shares].join(", ");
}

/** Integers in full, other numbers with five significant digits. */
export function valueText(value: Value): string {
  if (typeof value !== "number") return value === null ? "missing" : String(value);
  return withMinus(String(Number.isInteger(value) ? value : Number(value.toPrecision(5))));
}
