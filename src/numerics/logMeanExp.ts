/** log((exp(x_1) + ... + exp(x_n)) / n) of numbers, without overflow. */
export function logMeanExp(values: Float64Array): number {
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(largest)) return largest;
  const sum = values.reduce((total, value) => total + Math.exp(value - largest), 0);
  return largest + Math.log(sum / values.length);
}
