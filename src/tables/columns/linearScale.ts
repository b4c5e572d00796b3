import { quantile } from "../../numerics/index.ts";
import { LINEAR_SCORE_BOUND } from "../densities/index.ts";
import type { TableColumn } from "./tableColumn.ts";

/**
 * A column has a linear scale only if its range is between these limits: the slopes of a head are then between 1e-15 and 1e15, as it
 * requires. Logarithmic scales work for any range.
 */
const MIN_LINEAR_RANGE = 1e-10;
const MAX_LINEAR_RANGE = 1e13;
/** The unit is such that about this share of the values above a lower bound is nearer to it than `UNITS_TO_LINEAR` units. */
const SHARE_NEAR_BOUND = 0.01;
/** At a distance of 4 units from its bound, the scale `inverseSoftplus` differs from a linear one by 2% of a unit. */
const UNITS_TO_LINEAR = 4;
/** The smallest unit, as a share of the range. A much smaller one would be below the precision of the largest values in float32. */
const MIN_UNIT = 1e-6;

/** Whether a column with this range may have a linear scale. */
export const allowsLinearScale = (range: number): boolean =>
  range >= MIN_LINEAR_RANGE && range <= MAX_LINEAR_RANGE;

/**
 * The column with a linear scale. If it has a lower bound, its scale is linear only a few units above the bound, so that values below it have no
 * density. Columns with an upper bound keep their scale, and so do those with values so far from the others that their linear score would be
 * clamped. `feature` has the values of the training rows.
 */
export function withLinearScale(column: TableColumn, feature: Float64Array): TableColumn {
  if (column.kind === "lattice")
    return column.scale.type === "linear" ? column : { ...column, scale: { type: "linear" } };
  if (column.kind !== "continuous") return column;
  const { scale } = column;
  if (scale.type !== "asinh" && scale.type !== "log") return column;
  const low = scale.type === "log" ? scale.low : Number.NEGATIVE_INFINITY;
  const sorted = feature.filter((value) => value > low).sort();
  const range = sorted[sorted.length - 1] - sorted[0];
  if (!allowsLinearScale(range) || hasClampedScores(sorted)) return column;
  if (scale.type === "asinh") return { ...column, scale: { type: "linear" } };
  const unit = Math.max(MIN_UNIT * range, (quantile(sorted, SHARE_NEAR_BOUND) - low) / UNITS_TO_LINEAR);
  return { ...column, scale: { type: "inverseSoftplus", low, unit } };
}

/** Whether linear scores, on which the quartiles are -log 3 and log 3, exceed `LINEAR_SCORE_BOUND`. */
function hasClampedScores(sorted: Float64Array): boolean {
  const [first, third] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  const center = (first + third) / 2;
  const slope = (2 * Math.log(3)) / (third - first);
  return slope * Math.max(sorted[sorted.length - 1] - center, center - sorted[0]) >= LINEAR_SCORE_BOUND;
}
