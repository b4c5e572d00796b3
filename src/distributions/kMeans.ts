import type { DataRows } from "../bijections/index.ts";
import { type Limits, limitReached } from "../check/index.ts";
import type { Random } from "../random/index.ts";

/** Callers of `kMeans` give it fewer rows if their points have more numbers than this, so that it takes about a second. */
export const MAX_NUMBERS = 2_000_000;
/** The clusters only initialize expectation maximization, so they need not have converged. */
const ITERATIONS = 10;

/**
 * Assigns each row to one of K clusters by k-means: k-means++ initialization (Arthur and Vassilvitskii 2007) and a fixed number
 * of iterations of Lloyd's algorithm. Returns [N] cluster indices. A row of weight 2 counts as two rows. If a limit is reached,
 * the current iteration is the last.
 */
export async function kMeans(
  data: DataRows,
  K: number,
  random: Random,
  limits: Limits = {},
): Promise<Int32Array> {
  const { rows, features: D, values, weights } = data;
  const centers = initialCenters(data, K, random.uniform(new Float64Array(K)));
  const nearest = new Int32Array(rows);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const sums = new Float64Array(K * D);
    const totals = new Float64Array(K);
    for (let r = 0; r < rows; r++) {
      // The previous nearest center is most likely the nearest again. Its distance comes first, so that the distances of
      // most other centers need not be computed completely.
      let minimum = squaredDistance(values, r, centers, nearest[r], D, Number.POSITIVE_INFINITY);
      for (let k = 0; k < K; k++) {
        const distance = squaredDistance(values, r, centers, k, D, minimum);
        if (distance >= minimum) continue;
        minimum = distance;
        nearest[r] = k;
      }
      const weight = weights?.[r] ?? 1;
      totals[nearest[r]] += weight;
      for (let i = 0; i < D; i++) sums[nearest[r] * D + i] += weight * values[r * D + i];
    }
    for (let k = 0; k < K; k++) {
      if (totals[k] > 0) for (let i = 0; i < D; i++) centers[k * D + i] = sums[k * D + i] / totals[k];
    }
    if (await limitReached(limits)) break;
  }
  return nearest;
}

/**
 * k-means++ initialization, [K, D]: the first center is a random row, and each further center a row with a probability in
 * proportion to its squared distance from the nearest center so far. `uniforms` are K uniform random numbers.
 */
function initialCenters({ rows, features: D, values, weights }: DataRows, K: number, uniforms: Float64Array) {
  const centers = new Float64Array(K * D);
  const distances = new Float64Array(rows).fill(1);
  for (let k = 0; k < K; k++) {
    const row = weightedChoice(
      distances.map((d, r) => d * (weights?.[r] ?? 1)),
      uniforms[k],
    );
    centers.set(values.subarray(row * D, (row + 1) * D), k * D);
    for (let r = 0; r < rows; r++) {
      const minimum = k === 0 ? Number.POSITIVE_INFINITY : distances[r];
      distances[r] = Math.min(minimum, squaredDistance(values, r, centers, k, D, minimum));
    }
  }
  return centers;
}

/** Squared distance between row r and center k, or some number of at least `limit` if it exceeds `limit`. */
function squaredDistance(
  values: Float64Array,
  r: number,
  centers: Float64Array,
  k: number,
  D: number,
  limit: number,
): number {
  let sum = 0;
  for (let i = 0; i < D && sum < limit; i++) sum += (values[r * D + i] - centers[k * D + i]) ** 2;
  return sum;
}

/** An index with a probability in proportion to its weight, by inverting the cumulative distribution at u in [0, 1). */
function weightedChoice(weights: Float64Array, u: number): number {
  let remaining = u * weights.reduce((a, b) => a + b, 0);
  for (let r = 0; r < weights.length; r++) {
    remaining -= weights[r];
    if (remaining < 0) return r;
  }
  return weights.length - 1;
}
