/** The number of ascending numbers whose rank is nearest to a probability from 0 to 1: a quantile that is one of the numbers. */
export const nearestRank = (ascending: Float64Array, probability: number): number =>
  ascending[Math.round(probability * (ascending.length - 1))];
