/** The finite values, ascending. */
export const sortFinite = (values: ArrayLike<number>): Float64Array =>
  Float64Array.from(values).filter(Number.isFinite).sort();

/** The quantile of a level from 0 to 1, by nearest rank. */
export const quantile = (sorted: Float64Array, level: number): number =>
  sorted[Math.round(level * (sorted.length - 1))]!;
