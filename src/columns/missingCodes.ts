import type { ValueCounts } from "./columnValues.ts";

/** A value that looks like a code for missing, and in how many rows it is. */
export interface MissingCode {
  readonly value: number;
  readonly rows: number;
}

/** The least and largest numbers of integer types stand for what does not fit into them. */
const INTEGER_LIMITS: readonly number[] = [15, 16, 31, 32, 63, 64].flatMap((bits) => [
  2 ** bits - 1,
  -(2 ** bits),
]);

/** -1, nines (-9, 99, -999, 9999.99...) and the limits of integers. */
const isKnown = (value: number): boolean =>
  value === -1 || INTEGER_LIMITS.includes(value) || /^-?9+(\.9+)?$/.test(String(value));

/** Codes of a column at most at each end, such as -9 and -99. */
const MAX_CODES = 3;

/** The values at the ends of a column that look like codes for missing: see `areCodes`. */
export function missingCodes({ values, counts }: ValueCounts): MissingCode[] {
  const codes: MissingCode[] = [];
  let [start, end] = [0, values.length];
  const take = (from: number, to: number, others: readonly number[]): boolean => {
    const found = values.slice(from, to).map((value, i) => ({ value, rows: counts[from + i] }));
    if (!areCodes(found, others)) return false;
    codes.push(...found);
    return true;
  };
  // A code at one end keeps those at the other from being far: go on until neither end has more.
  for (let before = -1; before !== codes.length; ) {
    before = codes.length;
    for (let n = MAX_CODES; n >= 1; n--) {
      if (take(start, start + n, values.slice(start + n, end))) start += n;
      if (take(end - n, end, values.slice(start, end - n))) end -= n;
    }
  }
  return codes.sort((a, b) => a.value - b.value);
}

/**
 * Whether the values at one end look like codes beside the others. Numbers that are commonly codes do in three rows or more,
 * if their distance from the others is at least the width of these; any other number does in five rows, at ten times the
 * width. A negative code beside many numbers that are not negative may be near them.
 */
function areCodes(codes: readonly MissingCode[], others: readonly number[]): boolean {
  const known = codes.every(({ value }) => isKnown(value));
  if (others.length < 3 || (!known && codes.length > 1)) return false;
  const rows = Math.min(...codes.map((code) => code.rows));
  const [least, largest] = [codes[0].value, codes[codes.length - 1].value];
  const [first, last] = [others[0], others[others.length - 1]];
  const distance = Math.max(first - largest, least - last);
  if (distance >= (known ? 1 : 10) * (last - first)) return rows >= (known ? 3 : 5);
  return known && largest < 0 && first >= 0 && others.length >= 10 && rows >= 5;
}
