/**
 * P value of the Kolmogorov-Smirnov test that the samples have the distribution function `probability` (Kolmogorov's
 * asymptotic distribution with Stephens' correction for finite samples). It is near 0 for samples of another distribution.
 */
export function kolmogorovSmirnov(samples: ArrayLike<number>, probability: (x: number) => number): number {
  const sorted = Float64Array.from(samples).sort();
  const n = sorted.length;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    const p = probability(sorted[i]);
    distance = Math.max(distance, p - i / n, (i + 1) / n - p);
  }
  return kolmogorovTail((Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * distance);
}

/** Survival function of the Kolmogorov distribution: 2 sum_k (-1)^(k-1) exp(-2 k^2 x^2). */
export function kolmogorovTail(x: number): number {
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k < 40; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return sum;
}

/** Column `index` of rows [N, width]. */
export const columnOf = (rows: ArrayLike<number>, width: number, index: number): Float64Array =>
  Float64Array.from({ length: rows.length / width }, (_, r) => rows[r * width + index]);
