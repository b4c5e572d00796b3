import { needsFloat64, Standardize } from "../bijections/index.ts";
import { instancesOf } from "../nn/index.ts";

/** A column that needs float64, because float32 is too coarse for its deviation at the size of its center. */
export interface Float64Column {
  /** The index of the column in its standardization: that of the rows, of the context, or of one between layers. */
  readonly column: number;
  readonly center: number;
  readonly deviation: number;
}

/** The first column of a standardization next to the data, or of the context, that needs float64. */
export const float64Column = (standardize: Standardize): Float64Column | undefined =>
  firstFloat64Column(standardize, 0);

/**
 * The first column of the standardizations inside a module that needs float64. The inputs of such a standardization are outputs
 * of other layers, which may have computed them from larger numbers, so their rounding errors are assumed to be at least those of
 * numbers near 1.
 */
export function nestedFloat64Column(part: object): Float64Column | undefined {
  for (const standardize of instancesOf(part, Standardize)) {
    const column = firstFloat64Column(standardize, 1);
    if (column) return column;
  }
  return undefined;
}

/** `minSize` is a lower bound of the absolute values of the column, on which rounding errors depend. */
function firstFloat64Column({ center, scale }: Standardize, minSize: number): Float64Column | undefined {
  const column = scale.numbers.findIndex((deviation, c) =>
    needsFloat64(Math.max(minSize, Math.abs(center.numbers[c])), deviation),
  );
  if (column < 0) return undefined;
  return { column, center: center.numbers[column], deviation: scale.numbers[column] };
}
