import type { DataRows } from "../bijections/bijection.ts";
import { selectRows } from "../dataset/selectRows.ts";

/** The rows with these indices, with their weights. */
export function selectDataRows({ features, values, weights }: DataRows, indices: Int32Array): DataRows {
  return {
    rows: indices.length,
    features,
    values: selectRows(values, indices, features),
    ...(weights && { weights: selectRows(weights, indices, 1) }),
  };
}
