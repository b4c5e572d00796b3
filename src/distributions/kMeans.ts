import type { DataRows } from "../bijections/bijection.ts";
import { type Limits, limitReached } from "../limits.ts";
import type { Random } from "../random/index.ts";

const ROUNDS = 10;

/**
 * The cluster, of K, of each row: k-means++ seeds (Arthur and Vassilvitskii 2007) and a few rounds of Lloyd's algorithm. A row of
 * weight 2 counts as two rows. Where a limit is reached, the round that runs is the last.
 */
export async function kMeans(
  data: DataRows,
  K: number,
  random: Random,
  limits: Limits = {},
): Promise<Int32Array> {
  const { rows, features: D, values, weights } = data;
  const centers = seeds(data, K, random.uniform(new Float64Array(K)));
  const nearest = new Int32Array(rows);
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Float64Array(K * D);
    const totals = new Float64Array(K);
    for (let r = 0; r < rows; r++) {
      // The center that was the nearest most likely is so again, and the others need not be known if farther away.
      let least = squaredDistance(values, r, centers, nearest[r], D, Number.POSITIVE_INFINITY);
      for (let k = 0; k < K; k++) {
        const squares = squaredDistance(values, r, centers, k, D, least);
        if (squares >= least) continue;
        least = squares;
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

/** Centers to begin with: the first is any row, each other one a row in proportion to its squared distance from those before. */
function seeds({ rows, features: D, values, weights }: DataRows, K: number, uniforms: Float64Array) {
  const centers = new Float64Array(K * D);
  const distances = new Float64Array(rows).fill(1);
  for (let k = 0; k < K; k++) {
    const row = chosen(
      distances.map((d, r) => d * (weights?.[r] ?? 1)),
      uniforms[k],
    );
    centers.set(values.subarray(row * D, (row + 1) * D), k * D);
    for (let r = 0; r < rows; r++) {
      const least = k === 0 ? Number.POSITIVE_INFINITY : distances[r];
      distances[r] = Math.min(least, squaredDistance(values, r, centers, k, D, least));
    }
  }
  return centers;
}

/** Between row r and center k; a part of it, from `most` on. */
function squaredDistance(
  values: Float64Array,
  r: number,
  centers: Float64Array,
  k: number,
  D: number,
  most: number,
): number {
  let squares = 0;
  for (let i = 0; i < D && squares < most; i++) squares += (values[r * D + i] - centers[k * D + i]) ** 2;
  return squares;
}

/** The index whose stretch of the cumulative weights holds the share u of their total. */
function chosen(weights: Float64Array, u: number): number {
  let target = u * weights.reduce((a, b) => a + b, 0);
  for (let r = 0; r < weights.length; r++) {
    target -= weights[r];
    if (target < 0) return r;
  }
  return weights.length - 1;
}
