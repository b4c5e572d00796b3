import type { ValueCounts } from "../../dataset/index.ts";

/** A column can identify rows only if its number of different values is at least this fraction of the number of rows. */
export const MIN_SHARE_OF_IDS = 0.95;
/** In smaller tables, values may differ by chance. */
export const MIN_ROWS_FOR_IDS = 20;

/** Words at the end of the names of identifiers. Names of amounts, such as price_index and sold_number, may end in "index" and "number". */
const ID_WORD =
  /(^|[_\s.-])(id|ids|pid|uid|cid|oid|ssn|key|uuid|guid|no|nr|idx|row|code|(row|line|serial|order|invoice|account|customer|policy|case|ticket|phone)[_\s.-]?number|row[_\s.-]?index)$|^index$/i;
const ID_WORD_IN_CAMEL_CASE = /[a-z](Id|ID|Key|No)$/;

const YEAR_NAME = /year|^yr$/i;
/** Integers in this range are years, even if there is one row for each. */
const MIN_YEAR = 1500;
const MAX_YEAR = 2200;

/** Why integers look like row numbers or other identifiers; undefined if they do not. `inOrder` has the values in the order of the rows. */
export function rowIdentifier(
  name: string,
  inOrder: Float64Array,
  { values, rows }: ValueCounts,
): string | undefined {
  if (rows < MIN_ROWS_FOR_IDS || values.length < MIN_SHARE_OF_IDS * rows) return undefined;
  const range = values[values.length - 1] - values[0] + 1;
  const isDense = range <= 1.05 * rows;
  const isYear = YEAR_NAME.test(name) || (values[0] >= MIN_YEAR && values[values.length - 1] <= MAX_YEAR);
  const isAscending = inOrder.every((value, n) => n === 0 || value > inOrder[n - 1]);
  const what = `integers that are nearly all different (${values.length} in ${rows} rows)`;
  if (isDense && !isYear) return `consecutive ${what}, like row numbers`;
  const isIdName = ID_WORD.test(name) || ID_WORD_IN_CAMEL_CASE.test(name);
  if (isIdName && (isAscending || range > 20 * rows)) return `${what}, with the name of an identifier`;
  return undefined;
}
