import type { DataRows } from "./bijection.ts";

/**
 * Weighted mean and population standard deviation of each column. Columns are scaled by a power of two, so that sums and squares
 * neither overflow nor underflow. The mean is computed in two passes, so that the mean of equal values is exact. Rows of weight 0
 * have no influence, also not on the scaling.
 */
export function columnMoments({ rows, features, values, weights }: DataRows): {
  mean: Float64Array;
  deviation: Float64Array;
} {
  const mean = new Float64Array(features);
  const deviation = new Float64Array(features);
  const total = weights ? sum(weights) : rows;
  for (let c = 0; c < features; c++) {
    const forEachRow = (visit: (x: number, weight: number) => void) => {
      for (let r = 0; r < rows; r++) {
        const weight = weights?.[r] ?? 1;
        if (weight !== 0) visit(values[r * features + c], weight);
      }
    };
    const average = (f: (x: number) => number) => {
      let result = 0;
      forEachRow((x, weight) => {
        result += (weight / total) * f(x);
      });
      return result;
    };
    const largestSize = (f: (x: number) => number) => {
      let result = 0;
      forEachRow((x) => {
        result = Math.max(result, Math.abs(f(x)));
      });
      return result;
    };
    const largest = largestSize((x) => x);
    const unit = largest === 0 ? 1 : 2 ** Math.min(1023, Math.floor(Math.log2(largest)));
    const roughMean = average((x) => x / unit);
    const center = roughMean + average((x) => x / unit - roughMean);
    const maxDeviation = largestSize((x) => x / unit - center);
    const variance = maxDeviation === 0 ? 0 : average((x) => ((x / unit - center) / maxDeviation) ** 2);
    mean[c] = center * unit;
    deviation[c] = maxDeviation * Math.sqrt(variance) * unit;
  }
  return { mean, deviation };
}

/**
 * The limits of winsorizing, [low, high]. low is the smallest value for which the rows with this value or a smaller one have at least the
 * fraction `share` of the total weight; high is the same from above. Values beyond a limit are replaced by it.
 */
export function winsorizedRange(
  values: Float64Array,
  share: number,
  weights?: Float64Array,
): [number, number] {
  if (!weights) {
    const sorted = values.slice().sort();
    const index = Math.max(0, Math.ceil(share * sorted.length) - 1);
    return [sorted[index], sorted[sorted.length - 1 - index]];
  }
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  const tailWeight = share * sum(weights);
  const firstBeyondTail = (indices: Iterable<number>) => {
    let weight = 0;
    for (const index of indices) {
      weight += weights[index];
      if (weight > 0 && weight >= tailWeight) return values[index];
    }
    return Number.NaN;
  };
  return [firstBeyondTail(order), firstBeyondTail(order.toReversed())];
}

const sum = (values: Float64Array): number => values.reduce((total, x) => total + x, 0);
