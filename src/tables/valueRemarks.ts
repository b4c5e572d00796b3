import { countValues, mostFrequent } from "../columns/columnValues.ts";
import { findMissingCodes } from "../columns/missingCodes.ts";
import type { RawColumn } from "./tableColumn.ts";
import { typedText } from "./typedText.ts";

/** A value is mentioned if at least this share of the rows has it, ... */
const MIN_SHARE = 0.1;
/** ... and this many times as many as if all values were equally frequent. */
const MIN_RATIO = 10;

/** More words than this among numbers are not listed. */
const MAX_WORDS = 4;

/**
 * What is remarkable about the values of a column: codes for missing values and values that many rows have in a column of numbers, and
 * text that is mostly numbers.
 */
export function valueRemarks(raw: RawColumn): string[] {
  const { type, values } = raw;
  if (type === "text") return numberRemarks(raw);
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

/** Text of which more than half of the rows are numbers, perhaps with decimal commas: it would be learned as labels. */
function numberRemarks({ values, labels = [] }: RawColumn): string[] {
  const isNumber = (text: string) =>
    text.trim() !== "" && Number.isFinite(Number(text)) && !/^0\d/.test(text);
  const hasComma = (text: string) => /^[-+]?[\d.]*,\d+$/.test(text.trim());
  let [numbers, commas, present] = [0, 0, 0];
  const isPlain = labels.map(isNumber);
  const isWithComma = labels.map(hasComma);
  for (const code of values) {
    if (Number.isNaN(code)) continue;
    present++;
    if (isPlain[code]) numbers++;
    if (isWithComma[code]) commas++;
  }
  if (commas > 0 && 2 * (numbers + commas) > present)
    return ['numbers with commas, taken as labels: --decimal "," reads decimal commas of a CSV file'];
  const words = labels.filter((_, code) => !isPlain[code]);
  if (words.length === 0 || 2 * numbers <= present) return [];
  const some = words
    .slice(0, MAX_WORDS)
    .map((word) => `'${word}'`)
    .join(", ");
  return [
    `mostly numbers, but also ${some}${words.length > MAX_WORDS ? ", ..." : ""}, so taken as labels: --na reads words as missing`,
  ];
}
