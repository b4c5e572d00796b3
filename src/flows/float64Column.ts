import { needsFloat64, Standardize } from "../bijections/standardize.ts";
import { partsOfClass } from "../nn/module.ts";

/** A column that needs float64: neighboring float32 numbers are too far apart for it. */
export interface Float64Column {
  readonly column: number;
  readonly center: number;
  readonly deviation: number;
}

/** The first column that needs float64 of a standardization next to the data, or of the context. */
export const float64Column = (standardize: Standardize): Float64Column | undefined =>
  columnWithin(standardize, 0);

/**
 * The first column that needs float64 of the standardizations inside a part. Their inputs were computed by other layers from
 * numbers of any size, so they are taken to have rounding errors at least as large as those of 1.
 */
export function nestedFloat64Column(part: object): Float64Column | undefined {
  for (const standardize of partsOfClass(part, Standardize)) {
    const found = columnWithin(standardize, 1);
    if (found) return found;
  }
  return undefined;
}

/** Numbers of the column count as at least `minSize` in absolute value. */
function columnWithin({ center, scale }: Standardize, minSize: number): Float64Column | undefined {
  const column = scale.numbers.findIndex((deviation, c) =>
    needsFloat64(Math.max(minSize, Math.abs(center.numbers[c])), deviation),
  );
  if (column < 0) return undefined;
  return { column, center: center.numbers[column], deviation: scale.numbers[column] };
}
