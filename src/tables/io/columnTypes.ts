import { type Database, stringLiteral } from "./database.ts";

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|BIGNUM|DECIMAL\(.*\))$/;

export const isNumeric = ({ type }: { readonly type: string }): boolean => NUMERIC.test(type);

/** The SQL of a value of a column as text. The text of a JSON string has no quotes. */
export const textOf = (value: string, type: string): string =>
  type === "JSON" ? `(${value} ->> '$')` : `CAST(${value} AS VARCHAR)`;

/** The white space that JavaScript's `trim` removes, as a regular expression of DuckDB. Its own `trim` leaves tabs and line breaks. */
const WHITE_SPACE = "\\s\\x0b\\p{Z}\\x{feff}";

/** The SQL of a text without the white space around it. */
export const trimmed = (text: string): string =>
  `regexp_replace(${text}, '^[${WHITE_SPACE}]+|[${WHITE_SPACE}]+$', '', 'g')`;

/** The SQL of whether a text has a visible character. */
export const isVisible = (text: string): string => `regexp_matches(${text}, '[^${WHITE_SPACE}]')`;

/**
 * The SQL of the number that a text represents, NULL if it represents none. A cast to DOUBLE would ignore underscores between digits, and so
 * take the different codes 1_12 and 11_2 for the same number.
 */
export const numberOfText = (text: string): string =>
  `CASE WHEN NOT contains(${text}, '_') THEN TRY_CAST(${text} AS DOUBLE) END`;

/** The order of the parts of a date that does not begin with the year: 31/12/2020 or 12/31/2020. */
export type DateOrder = "dayFirst" | "monthFirst";

/** What the texts of a column represent. */
export interface TextContent {
  /** The narrowest type that represents all strings with a visible character. */
  readonly type: "BIGINT" | "DOUBLE" | "BOOLEAN" | "DATE" | "TIMESTAMP" | "TIME" | "VARCHAR";
  /**
   * Only for dates that do not begin with the year. "ambiguous" if all strings are valid both ways, some stand for different dates, and not
   * all are written with dots; the type is then VARCHAR.
   */
  readonly dateOrder?: DateOrder | "ambiguous";
  /** Only for TIMESTAMP: some texts have a time zone. */
  readonly hasTimeZone?: true;
  /** Only for VARCHAR: whether some texts are numbers, and others are not. */
  readonly hasNumbers?: boolean;
  /** Whether more than half of the texts are numbers, if some are. */
  readonly areMostlyNumbers?: boolean;
  /** Some texts have no visible character. They stand for missing values. */
  readonly hasBlanks?: true;
}

/** A date that does not begin with the year, such as 31/12/2020, 1.2.2020 or 12-31-2020 10:30. */
const YEAR_LAST = "^(\\d{1,2})[/.-](\\d{1,2})[/.-](\\d{4})\\b";
const TIME = "\\d{1,2}:\\d{2}(:\\d{2}(\\.\\d+)?)?";
/** A time that ends with a time zone: 10:30:00Z, 10:30+02:00, 10:30 UTC. */
const WITH_TIME_ZONE = ":\\d{2}.*( ?UTC|Z|[-+]\\d{2}(:?\\d{2})?)$";
/** Numbers of at least this many digits are codes if they have leading zeros, such as 00501. Shorter ones may be days or months: 01 to 12. */
const MIN_CODE_DIGITS = 3;

/** An SQL expression that puts the year of a date first, as ISO 8601 does: 31/12/2020 with the order "dayFirst" becomes 2020-12-31. */
export const isoDate = (text: string, order: DateOrder): string =>
  `regexp_replace(${text}, '${YEAR_LAST}', '${order === "dayFirst" ? "\\3-\\2-\\1" : "\\3-\\1-\\2"}')`;

/**
 * The SQL of a trimmed text with the year first as a TIMESTAMP, NULL if it is none. With a time zone it becomes UTC; a cast to TIMESTAMP would
 * ignore the time zone, and a cast to TIMESTAMP WITH TIME ZONE would read other strings in the time zone of this machine.
 */
export const timestampOfText = (text: string): string =>
  `CASE WHEN regexp_matches(${text}, '${WITH_TIME_ZONE}') THEN make_timestamp(epoch_us(TRY_CAST(${text} AS TIMESTAMP WITH TIME ZONE))) \
ELSE TRY_CAST(${text} AS TIMESTAMP) END`;

/** The SQL of a trimmed text with the year first as a value of a type, NULL if it is none. */
export const typedValue = (text: string, type: string): string =>
  type === "TIMESTAMP" ? timestampOfText(text) : `TRY_CAST(${text} AS ${type})`;

/** The SQL of a TIME WITH TIME ZONE as a TIME in UTC; a cast to TIME would drop the time zone. */
export const timeInUtc = (time: string): string => `CAST(timezone(INTERVAL 0 HOURS, ${time}) AS TIME)`;

/**
 * The SQL of a trimmed text as a TIME, NULL if it is none. With a time zone it becomes UTC. It is cast with a date, because a cast to TIME WITH
 * TIME ZONE refuses 10:30:00Z.
 */
export const timeOfText = (text: string): string =>
  `CASE WHEN regexp_matches(${text}, '${WITH_TIME_ZONE}') THEN CAST(${timestampOfText(`('2000-01-01 ' || ${text})`)} AS TIME) \
ELSE TRY_CAST(${text} AS TIME) END`;

/** Aggregates over the strings `v` of a column. `x` is the number that a string represents; `t` is the trimmed string if it represents none. */
const AGGREGATES = {
  rows: "count(*)",
  values: "count(x) + count(nullif(t, ''))",
  blanks: "count_if(t = '')",
  numbers: "count(x)",
  // A cast to BIGINT rounds, so a text is an integer only if the cast does not change it.
  integers: "count_if(NOT contains(v, '.') AND CAST(TRY_CAST(v AS BIGINT) AS VARCHAR) = v)",
  leadingZeros: "count_if(CASE WHEN starts_with(v, '0') THEN regexp_full_match(v, '0\\d+') END)",
  shortest: "min(CASE WHEN x IS NOT NULL THEN length(v) END)",
  longest: "max(length(v))",
  booleans: "count_if(lower(t) IN ('true', 'false'))",
  times: `count(CASE WHEN regexp_full_match(t, '${TIME}') THEN TRY_CAST(t AS TIME) END)`,
  timestamps: "count(yearFirst)",
  dayFirst: "count(dayFirst)",
  monthFirst: "count(monthFirst)",
  ambiguous: "count_if(dayFirst <> monthFirst)",
  withTime: "count_if(contains(t, ':'))",
  withTimeZone: `count_if(CASE WHEN contains(t, ':') THEN regexp_matches(t, '${WITH_TIME_ZONE}') END)`,
  withDots: `count_if(regexp_matches(t, '^\\d{1,2}\\.'))`,
} as const;

/**
 * Returns the number of rows of `relation` and, for each SQL expression of text, what all its values represent.
 *
 * Dates and times are those that DuckDB's casts accept. `true` and `false` are booleans in upper and lower case. Other pairs of words, such as
 * yes and no, stay text, so that samples have the same words.
 */
export async function textTypes(
  database: Database,
  expressions: readonly string[],
  relation: string,
): Promise<{ rows: number; contents: TextContent[] }> {
  // CASE skips the slow casts for numbers, of which there may be billions.
  const time = (text: string) =>
    `CASE WHEN regexp_matches(t, '^\\d') THEN TRY_CAST(${text} AS TIMESTAMP) END`;
  // The columns are unpivoted into rows (v, d), because thousands of aggregates in one row would take gigabytes.
  const counted = (await database.run(
    `SELECT d, ${Object.values(AGGREGATES).join(", ")}
    FROM (SELECT *, ${time("t")} AS yearFirst, ${time(isoDate("t", "dayFirst"))} AS dayFirst,
        ${time(isoDate("t", "monthFirst"))} AS monthFirst
      FROM (SELECT *, ${numberOfText("v")} AS x, CASE WHEN x IS NULL THEN ${trimmed("v")} END AS t
        FROM (SELECT unnest(texts) AS v, unnest(range(${expressions.length})) AS d
          FROM (SELECT [${expressions.join(", ")}] AS texts FROM ${relation}))))
    GROUP BY d ORDER BY d`,
  )) as string[][];
  const counts = counted.map(([, ...row]) =>
    Object.fromEntries(Object.keys(AGGREGATES).map((name, i) => [name, Number(row[i])])),
  ) as Counts[];
  const rows = counts[0]?.rows ?? 0;
  if (rows === 0) return { rows, contents: expressions.map(() => ({ type: "DOUBLE" })) };
  return {
    rows,
    contents: counts.map((each) => ({ ...contentOf(each), ...(each.blanks > 0 && { hasBlanks: true }) })),
  };
}

type Counts = Readonly<Record<keyof typeof AGGREGATES, number>>;

function contentOf(counts: Counts): TextContent {
  const { values, dayFirst, monthFirst } = counts;
  if (values === 0) return { type: "VARCHAR" };
  if (counts.numbers === values) {
    if (counts.integers === values) return { type: "BIGINT" };
    return { type: areCodes(counts) ? "VARCHAR" : "DOUBLE" };
  }
  if (counts.booleans === values) return { type: "BOOLEAN" };
  if (counts.times === values) return { type: "TIME" };
  const time = {
    type: counts.withTime > 0 ? ("TIMESTAMP" as const) : ("DATE" as const),
    ...(counts.withTimeZone > 0 && { hasTimeZone: true as const }),
  };
  if (counts.timestamps === values) return time;
  if (dayFirst === values && monthFirst === values) {
    // Where dates are written with dots, as in Germany, the day is first.
    const isDayFirst = counts.ambiguous === 0 || counts.withDots === values;
    return isDayFirst ? { ...time, dateOrder: "dayFirst" } : { type: "VARCHAR", dateOrder: "ambiguous" };
  }
  if (dayFirst === values) return { ...time, dateOrder: "dayFirst" };
  if (monthFirst === values) return { ...time, dateOrder: "monthFirst" };
  const { numbers } = counts;
  return {
    type: "VARCHAR",
    ...(numbers > 0 && { hasNumbers: true, areMostlyNumbers: 2 * numbers > values }),
  };
}

/** Whether numbers are codes, such as postal codes: leading zeros make all of them equally long. */
const areCodes = ({ leadingZeros, integers, values, shortest, longest }: Counts): boolean =>
  leadingZeros > 0 &&
  integers + leadingZeros === values &&
  shortest === longest &&
  shortest >= MIN_CODE_DIGITS;

/** An SQL expression that replaces the values `na` by NULL. Numbers match in any notation: -999 also matches -999.0. */
export function missingToNull(value: string, { text, na }: { text: string; na: readonly string[] }): string {
  const numbers = na.filter((word) => word.trim() !== "" && Number.isFinite(Number(word))).map(Number);
  const isNumber = numbers.length > 0 ? ` OR ${numberOfText(text)} IN (${numbers.join(", ")})` : "";
  return `CASE WHEN ${trimmed(text)} IN (${na.map(stringLiteral).join(", ")})${isNumber} THEN NULL ELSE ${value} END`;
}

/** A number with a decimal comma or points that separate thousands, such as 1.234,5. No number above 1,000 begins with 0. */
const DECIMAL_COMMA = "\\s*[-+]?(([1-9]\\d{0,2}(\\.\\d{3})+|\\d+)(,\\d*)?|,\\d+)([eE][-+]?\\d+)?\\s*";
/** Numbers with a point and without a comma. The point separates thousands if the number is a `DECIMAL_COMMA`. */
const WITH_POINT = "\\s*[-+]?\\d*\\.\\d+([eE][-+]?\\d+)?\\s*";

/** An SQL expression that converts 1.234,5 to 1234.5, and leaves text that is not a number with a decimal comma as it is. */
export const withDecimalPoint = (text: string): string =>
  `CASE WHEN regexp_full_match(${text}, '${DECIMAL_COMMA}') THEN replace(replace(${text}, '.', ''), ',', '.') ELSE ${text} END`;

/**
 * Finds a column in which some numbers have a decimal point although numbers with decimal commas are expected, such as 0.801, while the points
 * of others would be removed, as in 1.234: its index, and one number of each kind. Columns in which all points are decimal ones are read
 * correctly.
 */
export async function columnWithBothPoints(
  database: Database,
  texts: readonly string[],
  relation: string,
): Promise<{ index: number; decimal: string; thousands: string } | undefined> {
  const [found] = await database.run(
    `SELECT d, min(v) FILTER (NOT removed), min(v) FILTER (removed)
    FROM (SELECT v, d, regexp_full_match(v, '${DECIMAL_COMMA}') AS removed
      FROM (SELECT unnest([${texts.join(", ")}]) AS v, unnest(range(${texts.length})) AS d FROM ${relation})
      WHERE contains(v, '.') AND (removed OR regexp_full_match(v, '${WITH_POINT}')))
    GROUP BY d HAVING count_if(removed) > 0 AND count_if(NOT removed) > 0 ORDER BY d LIMIT 1`,
  );
  return found && { index: Number(found[0]), decimal: String(found[1]), thousands: String(found[2]) };
}
