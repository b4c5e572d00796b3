import type { DataRows } from "../bijections/index.ts";
import { selectRows } from "../dataset/index.ts";
import type { Random } from "../random/index.ts";

/** The rows with these indices, with their weights. */
export function selectDataRows({ features, values, weights }: DataRows, indices: Int32Array): DataRows {
  return {
    rows: indices.length,
    features,
    values: selectRows(values, indices, features),
    ...(weights && { weights: selectRows(weights, indices, 1) }),
  };
}

/** The indices of the rows of positive weight in random order, or those of all rows if no weight is positive. */
export function shuffledRows({ rows, weights }: DataRows, random: Random): Int32Array {
  const order = random.permutation(rows);
  return weights?.some((weight) => weight > 0) ? order.filter((row) => weights[row] > 0) : order;
}
