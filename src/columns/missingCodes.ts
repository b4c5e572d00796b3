import type { ValueCounts } from "./columnValues.ts";

/** A value that looks like a code for missing values, and the number of rows that have it. */
export interface MissingCode {
  readonly value: number;
  readonly rows: number;
}

/** Programs use the smallest and largest number of an integer type for values that are missing or out of range. */
const INTEGER_LIMITS: readonly number[] = [15, 16, 31, 32, 63, 64].flatMap((bits) => [
  2 ** bits - 1,
  -(2 ** bits),
]);

/** Common codes: -1, nines (-9, 99, -999, 9999.99...) and the limits of integer types. */
const isCommonCode = (value: number): boolean =>
  value === -1 || INTEGER_LIMITS.includes(value) || /^-?9+(\.9+)?$/.test(String(value));

/** Codes at each end of a column that are looked for together, such as -9 and -99. */
const MAX_CODES = 3;

/** The values at the ends of a column that look like codes for missing values; see `areCodes`. */
export function findMissingCodes({ values, counts }: ValueCounts): MissingCode[] {
  const codes: MissingCode[] = [];
  let [start, end] = [0, values.length];
  const addIfCodes = (from: number, to: number, others: readonly number[]): boolean => {
    const candidates = values.slice(from, to).map((value, i) => ({ value, rows: counts[from + i] }));
    if (!areCodes(candidates, others)) return false;
    codes.push(...candidates);
    return true;
  };
  // A code at one end widens the range of the others, so that codes at the other end do not look far: repeat until no more.
  for (let before = -1; before !== codes.length; ) {
    before = codes.length;
    for (let n = MAX_CODES; n >= 1; n--) {
      if (addIfCodes(start, start + n, values.slice(start + n, end))) start += n;
      if (addIfCodes(end - n, end, values.slice(start, end - n))) end -= n;
    }
  }
  return codes.sort((a, b) => a.value - b.value);
}

/**
 * Whether the values at one end of a column look like codes. Common codes do if each is in at least three rows and their distance
 * from the other values is at least the range of these. Any other number does if it is in at least five rows and ten such ranges
 * away. A negative common code in five rows may be near the others if these are many and none of them is negative.
 */
function areCodes(codes: readonly MissingCode[], others: readonly number[]): boolean {
  const common = codes.every(({ value }) => isCommonCode(value));
  if (others.length < 3 || (!common && codes.length > 1)) return false;
  const rows = Math.min(...codes.map((code) => code.rows));
  const [smallest, largest] = [codes[0].value, codes[codes.length - 1].value];
  const [first, last] = [others[0], others[others.length - 1]];
  const distance = Math.max(first - largest, smallest - last);
  if (distance >= (common ? 1 : 10) * (last - first)) return rows >= (common ? 3 : 5);
  return common && largest < 0 && first >= 0 && others.length >= 10 && rows >= 5;
}
