import { Standardize, sampleIndices } from "../bijections/index.ts";
import { PushforwardError } from "../check/index.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import { type Float64Column, type Flow, float64Column, nestedFloat64Column } from "../flows/index.ts";

/**
 * Training computes in float32. Throws `DATA` if the rounding to float32 is large relative to the standard deviation of a column:
 * a column of the rows or contexts that enter the graph, or of the input of a standardization inside of the graph.
 */
export function checkRounding(flow: Flow, data: InMemoryDataset): void {
  const { inner, standardize, standardizeContext } = flow.unstandardized();
  // Rows are selected first, so that only the selected pixels are converted to float64.
  const chosen = sampleIndices(data);
  const { rows, values, context, weights } = chosen ? data.select(chosen) : data;
  const check = (what: string, columns: Float64Array, features: number, outer: Standardize | undefined) => {
    if (features === 0) return;
    const scale = new Standardize({ features });
    scale.fitToData({ rows, features, values: outer?.toLatent(columns) ?? columns, weights });
    const coarseColumn = float64Column(scale);
    if (!coarseColumn) return;
    const original = new Standardize({ features });
    original.fitToData({ rows, features, values: columns, weights });
    const [center, deviation] = [original.center, original.scale].map(
      ({ numbers }) => numbers[coarseColumn.column],
    );
    throw roundingError(`column ${coarseColumn.column} of the ${what}`, {
      ...coarseColumn,
      center,
      deviation,
    });
  };
  check("data", values, flow.features, standardize);
  check("context", context, flow.context, standardizeContext);
  const nested = nestedFloat64Column(inner);
  if (nested) throw roundingError(`column ${nested.column} of a standardization inside the flow`, nested);
}

/** What an error expects of a column whose float32 numbers would be too coarse. */
export const EXPECTED_DEVIATION = "a standard deviation of more than 1/8000 of the center";

function roundingError(what: string, { center, deviation }: Float64Column): PushforwardError {
  const [c, s] = [center, deviation].map((value) => Number(value.toPrecision(4)));
  return new PushforwardError("DATA", `training computes in float32, which is too coarse for ${what}`, {
    expected: EXPECTED_DEVIATION,
    received: `center ${c}, standard deviation ${s}`,
    hint: "Wrap the flow with forTables, which standardizes the rows in float64, or subtract the center from the column.",
  });
}
