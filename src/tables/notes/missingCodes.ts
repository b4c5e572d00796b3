import type { ValueCounts } from "../../dataset/index.ts";

/**
 * A code for missing values: a number such as -999 that stands in a column where no value is known. A model would take it for
 * a measurement.
 */
export interface MissingCode {
  readonly value: number;
  /** The number of rows with this value. */
  readonly rows: number;
}

/**
 * 2^n - 1 is the largest number of a signed (n = 15, 31, 63) or unsigned (n = 16, 32, 64) integer type, and -2^n the smallest
 * of a signed one. Programs store these for missing values.
 */
const INTEGER_LIMITS: readonly number[] = [
  ...[15, 16, 31, 32, 63, 64].map((n) => 2 ** n - 1),
  ...[15, 31, 63].map((n) => -(2 ** n)),
];

/** Whether a number is often used as a code: -1, nines (-9, 99, -999, 9999.99...) or the limit of an integer type. */
const isCommonCode = (value: number): boolean =>
  value === -1 || INTEGER_LIMITS.includes(value) || /^-?9+(\.9+)?$/.test(String(value));

/** The largest number of codes at one end of a column that are tested as a group, such as -99, -9 and -1. */
const MAX_GROUP_SIZE = 3;

/**
 * How far a code must be from the other values, in multiples of their range, and in how many rows it must be: an outlier that
 * was measured is usually in one or two rows. A number that is not a common code needs more evidence.
 */
const COMMON_CODE = { minDistance: 1, minRows: 3 };
const ANY_CODE = { minDistance: 10, minRows: 5 };

/** Finds the codes among the smallest and among the largest values of a column. Returns them in ascending order. */
export function findMissingCodes({ values, counts }: ValueCounts): MissingCode[] {
  const codes: MissingCode[] = [];
  // `values` are distinct and ascending. The values before `start` and from `end` on are codes.
  let [start, end] = [0, values.length];
  const addIfCodes = (from: number, to: number, otherValues: readonly number[]): boolean => {
    const candidates = values.slice(from, to).map((value, i) => ({ value, rows: counts[from + i] }));
    if (!areCodes(candidates, otherValues)) return false;
    codes.push(...candidates);
    return true;
  };
  // A code that is still among the other values can hide another one: it widens their range, or makes them negative. So both
  // ends are searched again after a code was found, and large groups are tried first: beside counts from 0 to 90, -9 is only
  // recognized together with -1.
  let codesBefore: number;
  do {
    codesBefore = codes.length;
    for (let size = MAX_GROUP_SIZE; size >= 1; size--) {
      if (addIfCodes(start, start + size, values.slice(start + size, end))) start += size;
      if (addIfCodes(end - size, end, values.slice(start, end - size))) end -= size;
    }
  } while (codes.length > codesBefore);
  return codes.sort((a, b) => a.value - b.value);
}

/**
 * Whether `candidates`, the smallest or the largest values of a column, look like codes beside the other values:
 *
 * - a group of common codes, or one other number, that is far from the other values (`COMMON_CODE`, `ANY_CODE`);
 * - a group of negative common codes near other values that are never negative, such as -1 beside counts. At least ten
 *   other values are required: with fewer, -1 can be one of the categories -1, 0, 1...
 *
 * Both lists are ascending. With fewer than three other values, such as 0 and 1, a range means little.
 */
function areCodes(candidates: readonly MissingCode[], otherValues: readonly number[]): boolean {
  const common = candidates.every(({ value }) => isCommonCode(value));
  if (otherValues.length < 3 || (!common && candidates.length > 1)) return false;
  const rows = Math.min(...candidates.map((candidate) => candidate.rows));
  const [candidatesMin, candidatesMax] = [candidates[0].value, candidates[candidates.length - 1].value];
  const [otherMin, otherMax] = [otherValues[0], otherValues[otherValues.length - 1]];
  const distance = Math.max(otherMin - candidatesMax, candidatesMin - otherMax);
  const { minDistance, minRows } = common ? COMMON_CODE : ANY_CODE;
  if (distance >= minDistance * (otherMax - otherMin)) return rows >= minRows;
  return common && candidatesMax < 0 && otherMin >= 0 && otherValues.length >= 10 && rows >= 5;
}
