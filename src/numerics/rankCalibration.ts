import { countBand } from "./countBand.ts";

/** The calibration of one column. */
export interface ColumnCalibration {
  readonly name: string;
  /** `[bins]`: the number of real values whose PIT is in each bin. */
  readonly counts: readonly number[];
  /** The share of the real values in the central interval of each level. It is about the level if the column is calibrated. */
  readonly coverage: readonly { readonly level: number; readonly share: number }[];
  /** Whether a count is outside the band of the result: the column is not calibrated. */
  readonly isOutside: boolean;
}

/** The result of `calibration`. */
export interface CalibrationResult {
  /** Number of real rows. */
  readonly rows: number;
  /** If all columns are calibrated, all counts of all columns are within this band with a probability of at least 95%. */
  readonly band: readonly [low: number, high: number];
  readonly columns: readonly ColumnCalibration[];
}

/** The ranks of the real values of a column among draws, as numbers in (0, 1) that are uniform if the column is calibrated. */
export interface ColumnRanks {
  readonly name: string;
  readonly pit: Float64Array;
}

/**
 * The ranks of values [n], each among draws of its own [n, draws], as numbers in (0, 1): (#{y < x} + u (1 + #{y = x})) / (1 + draws), where the
 * numbers u of `uniform` [n] order equal values at random.
 */
export function ranksAmongDraws(
  values: Float64Array,
  drawn: Float64Array,
  uniform: Float64Array,
): Float64Array {
  const draws = drawn.length / values.length;
  return values.map((x, i) => {
    let [lower, equal] = [0, 0];
    for (const y of drawn.subarray(i * draws, (i + 1) * draws)) {
      if (y < x) lower++;
      else if (y === x) equal++;
    }
    return (lower + uniform[i] * (1 + equal)) / (1 + draws);
  });
}

const LEVELS = [0.5, 0.8, 0.95];
const BAND_PROBABILITY = 0.95;

/**
 * Compares histograms of ranks with the uniform distribution. `draws` is the number of draws if all rows are ranked among the same ones;
 * undefined if each row has its own.
 */
export function rankCalibration(
  ranks: readonly ColumnRanks[],
  { rows, draws, bins }: { rows: number; draws?: number | undefined; bins: number },
): CalibrationResult {
  // Bonferroni's inequality over all bins of all columns.
  const probability = 1 - (1 - BAND_PROBABILITY) / (bins * ranks.length);
  const band = countBand({ rows, draws, bins, probability });
  return {
    rows,
    band,
    columns: ranks.map(({ name, pit }) => {
      const counts = new Array<number>(bins).fill(0);
      for (const u of pit) counts[Math.min(bins - 1, Math.floor(u * bins))]++;
      const coverage = LEVELS.map((level) => {
        const inside = pit.filter((u) => Math.abs(u - 0.5) <= level / 2).length;
        return { level, share: inside / rows };
      });
      const isOutside = counts.some((count) => count < band[0] || count > band[1]);
      return { name, counts, coverage, isOutside };
    }),
  };
}
