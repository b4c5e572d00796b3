/** The finite values, ascending. */
export const sortFinite = (values: ArrayLike<number>): Float64Array =>
  Float64Array.from(values).filter(Number.isFinite).sort();

/** The value with a `share` of the others below it, by nearest rank. */
export const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.round(share * (sorted.length - 1))]!;
