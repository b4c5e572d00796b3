import { countValues, mostFrequent } from "../../dataset/index.ts";
import { findMissingCodes } from "../notes/index.ts";
import type { RawColumn } from "./tableColumn.ts";
import { DATE_LIKE, dateConversion, isImpossibleDate } from "./textDates.ts";
import { typedText } from "./typedText.ts";

/**
 * A value is mentioned if at least this share of the rows has it, and if it is at least `MIN_RATIO` times as frequent as it would be if all
 * different values were equally frequent.
 */
const MIN_SHARE = 0.1;
const MIN_RATIO = 10;

/** More words than this among numbers are not listed. */
const MAX_WORDS = 4;

/** Words that pandas, R and databases write for missing values. As text they are labels, because some are also names, such as NA. */
const MISSING_WORDS = /^(null|nan|n\/?a|#n\/a|<na>|\\n)$/i;

/** Text is numeric if at least this share of the values are numbers: a few may be words for missing values. */
const MIN_SHARE_OF_NUMBERS = 0.9;

const timeZoneRemark = (conversion: string): string =>
  `times with a time zone, which become UTC: to learn local times, convert them in a query, for example by ${conversion}`;

/**
 * What is remarkable about the values of a column: time zones, codes for missing values in a column of numbers or dates, a number that many
 * rows have, text that is mostly numbers or dates, and labels that are words for missing values. Numbers of a column that is left out, such as row numbers, have no remarks.
 */
export function valueRemarks(raw: RawColumn, { isLeftOut = false } = {}): string[] {
  const { type, values } = raw;
  if (type === "text") return textRemarks(countText(raw), { isLeftOut });
  if (isLeftOut) return [];
  if (raw.hasTimeZone) {
    // A time of day keeps its offset, so a cast returns the local time. A timestamp does not, so the query must name the time
    // zone.
    const conversion =
      type === "time" ? "CAST(... AS TIME)" : "CAST(... AS TIMESTAMPTZ) AT TIME ZONE 'Europe/Berlin'";
    return [timeZoneRemark(conversion)];
  }
  const isNumber = type === "number" || type === "integer";
  if (!isNumber && type !== "date" && type !== "timestamp") return [];
  const counted = countValues(values.filter((value) => !Number.isNaN(value)).sort());
  if (counted.values.length < 2) return [];
  const codes = findMissingCodes(counted);
  const mode = mostFrequent(counted);
  const share = mode.count / counted.rows;
  const isFrequent = share >= MIN_SHARE && share * counted.values.length >= MIN_RATIO;
  return [
    ...(isNumber && areDatesOfDigits(counted.values)
      ? [
          "perhaps dates, such as 20241231: convert them in a query, for example by strptime(CAST(... AS VARCHAR), '%Y%m%d')",
        ]
      : []),
    ...(isNumber && isFrequent && !codes.some(({ value }) => value === mode.value)
      ? [`${typedText(type, mode.value)} in ${Math.round(100 * share)}% of the rows`]
      : []),
    ...(codes.length > 0
      ? [`perhaps codes for missing values: ${codes.map(({ value }) => typedText(type, value)).join(", ")}`]
      : []),
  ];
}

/** Whether at least 10 different numbers are all dates that are written without separators, from 19000101 on. */
const areDatesOfDigits = (values: readonly number[]): boolean =>
  values.length >= 10 &&
  values.every((value) => {
    const text = String(value).replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");
    return value >= 19_000_101 && value < 21_000_000 && text.length === 10 && !isImpossibleDate(text);
  });

/**
 * A regular expression, for JavaScript and DuckDB, of numbers with a sign for a currency or percent, such as $1,250 and 12.5 %, with
 * apostrophes or spaces between thousands, such as 1'250.50 and 1 250,50, and in parentheses, as accountants write negative amounts.
 */
export const NUMBER_WITH_UNIT =
  "[-+]?[$€£¥]\\s*\\d[\\d.,]*|[-+]?\\d[\\d.,]*\\s*[%$€£¥]|[-+]?\\d{1,3}([\u2019\u00a0\u202f' ]\\d{3})+([.,]\\d+)?|\\([$€£¥]?\\s*\\d[\\d.,]*\\)";

/** A limit of detection, such as <0.5. */
const DETECTION_LIMIT = /^[<>]=?\s*\d[\d.]*$/;

/** Regular expressions, for JavaScript and DuckDB, of numbers with a decimal comma, and with commas between thousands. */
export const WITH_DECIMAL_COMMA = "[-+]?[\\d.]*,\\d+([eE][-+]?\\d+)?";
export const THOUSANDS = "[-+]?[1-9]\\d{0,2}(,\\d{3})+(\\.\\d*)?";

/** Counts of rows of a text column, and some of its texts. */
export interface TextCounts {
  /** Rows with text. */
  readonly present: number;
  /** Rows with numbers. */
  readonly numbers: number;
  /** Whether some numbers begin with 0 and another digit, as codes such as the postal code 00501 do. */
  readonly areCodes: boolean;
  /** Rows with numbers that have commas (`WITH_DECIMAL_COMMA` or `THOUSANDS`). */
  readonly commas: number;
  /** Rows with numbers whose commas may separate thousands (`THOUSANDS`). */
  readonly thousands: number;
  /** Rows with numbers that have units (`NUMBER_WITH_UNIT`). */
  readonly units: number;
  /** Rows with dates or times (`DATE_LIKE`). */
  readonly dates: number;
  /** At least one of the dates, if there are any. */
  readonly someDates: readonly string[];
  /** Texts that are not numbers, or not dates if more than half of the rows are dates. */
  readonly words: readonly string[];
}

/**
 * A remark if more than half of the rows of a text column are dates, times or numbers, perhaps with decimal commas or units; otherwise if labels are
 * words for missing values.
 */
export function textRemarks(
  { present, numbers, areCodes, commas, thousands, units, dates, someDates, words }: TextCounts,
  { isLeftOut }: { readonly isLeftOut: boolean },
): string[] {
  const taken = isLeftOut ? "left out" : "taken as labels";
  if (commas > 0 && 2 * (numbers + commas) > present) {
    return [
      thousands === commas
        ? `numbers with commas between thousands, ${taken}: remove the commas in a query, for example by CAST(replace(..., ',', '') AS DOUBLE)`
        : `numbers with commas, ${taken}: --decimal "," reads decimal commas of a CSV file`,
    ];
  }
  if (units > 0 && 2 * (numbers + units) > present) {
    const unit = new RegExp(`^(${NUMBER_WITH_UNIT})$`);
    const withUnits = words.filter((word) => unit.test(word.trim()));
    const negative = withUnits.find((word) => word.trim().startsWith("("));
    const hasDecimalComma = words.some((word) => /,\d{1,2}(?!\d)/.test(word));
    const signed = negative === undefined ? "..." : "replace(..., '(', '-')";
    const number = hasDecimalComma
      ? `replace(regexp_replace(${signed}, '[^-0-9,]', '', 'g'), ',', '.')`
      : `regexp_replace(${signed}, '[^-0-9.]', '', 'g')`;
    return [
      `numbers with units, separators or parentheses, such as '${negative ?? withUnits[0]}', ${taken}: convert them in a query, for example by CAST(${number} AS DOUBLE)`,
    ];
  }
  if (dates > 0 && dates === present) {
    return [
      `dates or times in several formats, or in one that is not read, ${taken}: convert them in a query, for example by ${dateConversion(someDates)}`,
    ];
  }
  const most = 2 * dates > present ? "dates or times" : "numbers";
  if (2 * Math.max(dates, numbers) <= present) {
    const missing = words.filter((word) => MISSING_WORDS.test(word.trim()));
    if (isLeftOut || missing.length === 0) return [];
    const labels = missing.length === 1 ? "the label" : "the labels";
    return [`${labels} ${quoted(missing)} may stand for missing values: --na reads words as missing`];
  }
  if (numbers === present) {
    // A column that is not left out has few different numbers: they may be codes, which are best learned as labels.
    return isLeftOut && !areCodes
      ? [
          "numbers that are stored as text, left out: convert them in a query, for example by CAST(... AS DOUBLE)",
        ]
      : [];
  }
  const hint =
    most === "numbers" && words.every((word) => DETECTION_LIMIT.test(word.trim()))
      ? "convert limits of detection in a query, for example by CAST(regexp_replace(..., '[<>= ]', '', 'g') AS DOUBLE)"
      : "--na reads words as missing";
  return [`mostly ${most}, but also ${quoted(words)}, so ${taken}: ${hint}`];
}

/** The first words in quotes, for messages. */
const quoted = (words: readonly string[]): string =>
  [
    ...words.slice(0, MAX_WORDS).map((word) => `'${word}'`),
    ...(words.length > MAX_WORDS ? ["..."] : []),
  ].join(", ");

/** Whether nearly all values of a column of text are numbers, as a reader of CSV that does not convert values returns them. */
export function isNumericText(raw: RawColumn): boolean {
  if (raw.type !== "text") return false;
  const { numbers, areCodes, present } = countText(raw);
  return !areCodes && numbers >= MIN_SHARE_OF_NUMBERS * present;
}

/** Counts the numbers and dates in text that was read. */
function countText({ values, labels = [] }: RawColumn): TextCounts {
  const isNumber = (text: string) => text.trim() !== "" && Number.isFinite(Number(text));
  const thousand = new RegExp(`^(${THOUSANDS})$`);
  const comma = new RegExp(`^(${WITH_DECIMAL_COMMA}|${THOUSANDS})$`);
  const unit = new RegExp(`^(${NUMBER_WITH_UNIT})$`);
  const date = new RegExp(`^(${DATE_LIKE})$`);
  let [numbers, commas, thousands, units, dates, present] = [0, 0, 0, 0, 0, 0];
  const isPlain = labels.map(isNumber);
  const isWithComma = labels.map((text) => comma.test(text.trim()));
  const isThousands = labels.map((text) => thousand.test(text.trim()));
  const isWithUnit = labels.map((text) => unit.test(text.trim()));
  const isDateLike = labels.map((text) => date.test(text.trim()));
  // A few impossible dates are mistakes. If they are many, the format is another one, such as year, day and month.
  const impossible = labels.map((text, code) => isDateLike[code] && isImpossibleDate(text.trim()));
  const areMistakes = 2 * impossible.filter(Boolean).length < isDateLike.filter(Boolean).length;
  const isDate = isDateLike.map((isLike, code) => isLike && !(areMistakes && impossible[code]));
  for (const code of values) {
    if (Number.isNaN(code)) continue;
    present++;
    if (isPlain[code]) numbers++;
    if (isWithComma[code]) commas++;
    if (isThousands[code]) thousands++;
    if (isWithUnit[code]) units++;
    if (isDate[code]) dates++;
  }
  const isUsual = 2 * dates > present ? isDate : isPlain;
  const words = labels.filter((_, code) => !isUsual[code]);
  const areCodes = labels.some((text, code) => isPlain[code] && /^0\d/.test(text));
  const someDates = labels.filter((_, code) => isDateLike[code]);
  return { present, numbers, areCodes, commas, thousands, units, dates, someDates, words };
}
