import { normal } from "./oneDimension.ts";

/** Data in two clusters: a mixture of two normal distributions of equal weight. */
export const CLUSTERS = { centers: [-1.7, 1.7], deviation: 0.5 } as const;

/** The density of a normal distribution. */
export const gaussian = (x: number, mean: number, deviation: number): number =>
  normal((x - mean) / deviation) / deviation;

export const clusterDensity = (x: number): number =>
  CLUSTERS.centers.reduce((sum, center) => sum + gaussian(x, center, CLUSTERS.deviation) / 2, 0);

/** The integral of a function over an interval by Simpson's rule. */
export function integral(f: (x: number) => number, low: number, high: number, cells = 800): number {
  let sum = f(low) + f(high);
  for (let k = 1; k < cells; k++) sum += (k % 2 === 1 ? 4 : 2) * f(low + ((high - low) * k) / cells);
  return (sum * (high - low)) / (3 * cells);
}

/** The mean log-density of the data under a normal distribution, in nats. */
export function meanLogDensity(mean: number, deviation: number): number {
  const variance = CLUSTERS.centers[1] ** 2 + CLUSTERS.deviation ** 2;
  return -0.5 * Math.log(2 * Math.PI * deviation ** 2) - (variance + mean ** 2) / (2 * deviation ** 2);
}

/** The normal distribution of the largest likelihood: it has the mean and the standard deviation of the data. */
export const bestGaussian = { mean: 0, deviation: Math.hypot(CLUSTERS.centers[1], CLUSTERS.deviation) };

/** The mean log-density of the data under their own density: their negative entropy. */
export const trueLogDensity = integral(
  (x) => {
    const p = clusterDensity(x);
    return p * Math.log(p);
  },
  -6,
  6,
);
