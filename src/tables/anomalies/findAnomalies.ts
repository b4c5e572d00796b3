import { checkOptions, integerFrom, type OptionRules, PushforwardError } from "../../check/index.ts";
import { lowerBound } from "../../numerics/index.ts";
import { benjaminiHochberg, conformalPValues } from "./conformal.ts";
import type { AnomalyReason } from "./reasons.ts";

/** A row that is unusual, and why. */
export interface Anomaly {
  /** The index of the row. */
  readonly row: number;
  /** See `TableModel.anomalies`. */
  readonly score: number;
  /** The conformal p-value: P(p <= a) <= a for every a, if the row and the rows of the training table are exchangeable. */
  readonly pValue: number;
  /** All columns, the most unusual one first. */
  readonly reasons: readonly AnomalyReason[];
}

/** Which rows are reported. */
export interface AnomalySelectionOptions {
  /** The maximum number of rows to report. Default 20. */
  readonly count?: number | undefined;
  /**
   * Reports only rows that the procedure of Benjamini and Hochberg selects, of which at most this fraction is expected to be false
   * alarms. Default: the most unusual rows, whatever their p-values.
   */
  readonly falseDiscoveryRate?: number | undefined;
}

/** How `checkOptions` checks `AnomalySelectionOptions`. */
export const selectionRules: OptionRules<AnomalySelectionOptions> = {
  count: integerFrom(1),
  falseDiscoveryRate: {
    expected: "a number above 0 and below 1",
    accepts: (value) => typeof value === "number" && value > 0 && value < 1,
  },
};

/** The p-values of rows, and which of them are reported. */
export interface AnomalySelection {
  /** `[N]`: a higher score is more unusual; NaN for a row with a missing value in a column that had none in training. */
  readonly scores: Float64Array;
  /** [N], NaN where the score is NaN. */
  readonly pValues: Float64Array;
  /** The indices of the reported rows, the most unusual one first. */
  readonly selected: readonly number[];
  /** How many rows `falseDiscoveryRate` selects, of which at most `count` are reported; undefined without it. */
  readonly discoveries?: number;
  /**
   * N times the largest reported p-value: the expected number of rows with p-values up to this one, if no row differed from the
   * training table.
   */
  readonly expectedFalseAlarms: number;
  /** The number of rows that calibrate the p-values. None is below 1 / (this + 1). */
  readonly calibrationRows: number;
  /**
   * Whether the rows seem to be the table that the model was fitted to, because almost all calibration scores occur among their scores. If
   * so, the p-values of the training rows are too large.
   */
  readonly isTrainingTable: boolean;
}

/** The same row has the same score, except for rounding, which depends on the number of threads and the rows computed together. */
const TOLERANCE = 1e-5;
/**
 * The fraction of the calibration scores that must be among the scores of the rows. It is below 1, because a few may be rounded
 * more.
 */
const MIN_FOUND_SHARE = 0.95;
/**
 * At least this fraction of the calibration scores must be those of at most one row. In a table of few different rows, scores repeat, and
 * new rows have those of the calibration rows too.
 */
const MIN_UNIQUE_SHARE = 0.1;
/** If there are more rows than this for each calibration row, equal scores are likely to be a coincidence. */
const MAX_ROWS_PER_CALIBRATION_ROW = 100;

/**
 * Computes p-values from scores and the ascending scores of calibration rows, and selects the rows to report. Throws `ARGUMENT`
 * if there are no calibration scores, or for invalid options.
 */
export function selectAnomalies(
  scores: Float64Array,
  calibration: Float64Array,
  options: AnomalySelectionOptions = {},
): AnomalySelection {
  checkOptions("anomalies", options, selectionRules);
  const { count = 20, falseDiscoveryRate } = options;
  if (calibration.length === 0) {
    throw new PushforwardError("ARGUMENT", "the model has no rows that calibrate p-values of anomalies", {
      hint: "Fit it again with test rows: pushforward fit --test-fraction 0.1, or the option testFraction of fitTable.",
    });
  }
  const pValues = conformalPValues(scores, calibration);
  const threshold = falseDiscoveryRate === undefined ? 1 : benjaminiHochberg(pValues, falseDiscoveryRate);
  const candidates = Array.from(scores.keys()).filter((n) => pValues[n] <= threshold);
  const selected = highestScores(scores, candidates, count);
  const largest = selected.length > 0 ? pValues[selected[selected.length - 1]] : 0;
  return {
    scores,
    pValues,
    selected,
    ...(falseDiscoveryRate !== undefined && { discoveries: candidates.length }),
    expectedFalseAlarms: largest * scores.filter((score) => !Number.isNaN(score)).length,
    calibrationRows: calibration.length,
    isTrainingTable: containsScores(scores, calibration),
  };
}

/** The `count` rows with the highest scores, the highest one first. Rows with equal scores are in ascending order. */
export const highestScores = (scores: Float64Array, rows: Iterable<number>, count: number): number[] =>
  Array.from(rows)
    // Infinity - Infinity is NaN.
    .sort((a, b) => (scores[a] === scores[b] ? a - b : scores[b] - scores[a]))
    .slice(0, count);

/**
 * Whether almost all calibration scores are among the scores. A calibration score that several rows have is ignored, because it does not
 * identify its row.
 */
function containsScores(scores: Float64Array, calibration: Float64Array): boolean {
  if (scores.length > MAX_ROWS_PER_CALIBRATION_ROW * calibration.length) return false;
  const ascending = scores.filter((score) => !Number.isNaN(score)).sort();
  let [missing, unique] = [0, 0];
  for (const score of calibration) {
    const tolerance = TOLERANCE * Math.abs(score);
    const nearest = lowerBound(ascending, score - tolerance);
    const isFound = (i: number) => ascending[i] <= score + tolerance;
    if (!isFound(nearest)) missing++;
    else if (!isFound(nearest + 1)) unique++;
  }
  return (
    unique >= MIN_FOUND_SHARE * (missing + unique) &&
    missing + unique >= MIN_UNIQUE_SHARE * calibration.length
  );
}
