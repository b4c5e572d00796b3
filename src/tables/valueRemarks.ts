import { countValues, mostFrequent } from "../columns/columnValues.ts";
import { findMissingCodes } from "../columns/missingCodes.ts";
import type { RawColumn } from "./tableColumn.ts";
import { typedText } from "./typedText.ts";

/** A value is mentioned if at least this share of the rows has it, ... */
const MIN_SHARE = 0.1;
/** ... and this many times as many as if all values were equally frequent. */
const MIN_RATIO = 10;

/** What is remarkable about the values of a column of numbers: codes for missing values, and values that many rows have. */
export function valueRemarks({ type, values }: RawColumn): string[] {
  if (type !== "number" && type !== "integer") return [];
  const counted = countValues(values.filter((value) => !Number.isNaN(value)).sort());
  if (counted.values.length < 2) return [];
  const codes = findMissingCodes(counted);
  const mode = mostFrequent(counted);
  const share = mode.count / counted.rows;
  const isFrequent = share >= MIN_SHARE && share * counted.values.length >= MIN_RATIO;
  return [
    ...(isFrequent && !codes.some(({ value }) => value === mode.value)
      ? [`${typedText(type, mode.value)} in ${Math.round(100 * share)}% of the rows`]
      : []),
    ...(codes.length > 0
      ? [`perhaps codes for missing values: ${codes.map(({ value }) => typedText(type, value)).join(", ")}`]
      : []),
  ];
}
