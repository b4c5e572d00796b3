import type { TableColumn } from "./tableColumn.ts";

/**
 * A column has a linear scale only if its range is between these limits: the slopes of a head are then between 1e-15 and 1e15, as it
 * requires. Other scales do not depend on the unit.
 */
const MIN_LINEAR_RANGE = 1e-10;
const MAX_LINEAR_RANGE = 1e13;
/** Of the values above a lower bound, this share is less than `UNITS_TO_LINEAR` units above it. The others are where the scale is linear. */
const SHARE_NEAR_BOUND = 0.01;
/** At a distance of 4 units from its bound, the scale differs from a linear one by 2% of a unit. */
const UNITS_TO_LINEAR = 4;
/** The smallest unit, as a fraction of the range, which needs few digits of float32. */
const MIN_UNIT = 1e-6;

/** Whether a column with this range may have a linear scale. */
export const allowsLinearScale = (range: number): boolean =>
  range >= MIN_LINEAR_RANGE && range <= MAX_LINEAR_RANGE;

/**
 * A lattice with a linear scale, or a continuous column with one if its range allows it. With a lower bound, below which no value may be,
 * the scale is only about linear. Columns with an upper bound keep their scale. `feature` has the values of the training rows.
 */
export function withLinearScale(column: TableColumn, feature: Float64Array): TableColumn {
  if (column.kind !== "lattice" && column.kind !== "continuous") return column;
  const { scale } = column;
  if (scale.type === "linear") return column;
  if (column.kind === "lattice") return { ...column, scale: { type: "linear" } };
  const low = scale.type === "log" ? scale.low : Number.NEGATIVE_INFINITY;
  const inside = feature.filter((value) => value > low).sort();
  const range = inside[inside.length - 1] - inside[0];
  if (!allowsLinearScale(range)) return column;
  if (scale.type === "asinh") return { ...column, scale: { type: "linear" } };
  if (scale.type !== "log") return column;
  const distance = inside[Math.floor(SHARE_NEAR_BOUND * inside.length)] - low;
  const unit = Math.max(MIN_UNIT * range, distance / UNITS_TO_LINEAR);
  return { ...column, scale: { type: "inverseSoftplus", low, unit } };
}
