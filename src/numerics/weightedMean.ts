/** The mean of numbers [N] with these weights, by default equal ones; NaN if there are none. */
export function weightedMean(values: ArrayLike<number>, weights: ArrayLike<number> | undefined): number {
  let [sum, total] = [0, 0];
  for (let n = 0; n < values.length; n++) {
    const weight = weights?.[n] ?? 1;
    sum += weight * values[n];
    total += weight;
  }
  return sum / total;
}
