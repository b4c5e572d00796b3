import type { DataRows } from "../bijections/bijection.ts";

/** The rows with these indices, with their weights. */
export function selectDataRows({ features, values, weights }: DataRows, indices: Int32Array): DataRows {
  const selected = new Float64Array(indices.length * features);
  indices.forEach((row, i) => {
    selected.set(values.subarray(row * features, (row + 1) * features), i * features);
  });
  return {
    rows: indices.length,
    features,
    values: selected,
    ...(weights && { weights: Float64Array.from(indices, (row) => weights[row]) }),
  };
}
