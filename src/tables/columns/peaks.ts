import type { ValueCounts } from "../../dataset/index.ts";

/** On each side of a cell, its neighbors are the nearest cells that have together at least this many rows. */
const MIN_NEIGHBOR_ROWS = 10;
/** A peak has at least this many times the rows that are expected of it. */
const MIN_RATIO = 2;
/**
 * The number of rows of a peak exceeds the expected number by at least this many standard deviations of a Poisson distribution, so that
 * peaks by chance are rare in a table of a few hundred rows.
 */
const MIN_DEVIATIONS = 4;

/**
 * The cells of a lattice that have many more rows than their neighbors, such as 40 among weekly hours of work. A smooth distribution of
 * the cells cannot explain them. The number of rows that is expected of a cell is the mean of the rows per cell on its two sides.
 */
export function peaks({ values, counts }: ValueCounts): Set<number> {
  const rowsPerCell = (i: number, step: 1 | -1): number[] => {
    let rows = 0;
    let last = i;
    while (rows < MIN_NEIGHBOR_ROWS && values[last + step] !== undefined) {
      last += step;
      rows += counts[last];
    }
    return last === i ? [] : [rows / Math.abs(values[last] - values[i])];
  };
  const isPeak = (i: number): boolean => {
    const sides = [...rowsPerCell(i, -1), ...rowsPerCell(i, 1)];
    if (sides.length === 0) return true;
    const expected = sides.reduce((sum, each) => sum + each, 0) / sides.length;
    return counts[i] >= Math.max(MIN_RATIO * expected, expected + MIN_DEVIATIONS * Math.sqrt(expected));
  };
  return new Set(values.filter((_, i) => isPeak(i)));
}
